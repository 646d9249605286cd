/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file password.h
 * What a request with somebody's password says (RFC 6749 section 4.3.2).
 */
#ifndef OAS_CHECK_PASSWORD_H
#define OAS_CHECK_PASSWORD_H

#include "../base/tx.h"

/**
 * Step: the user's address instead of the application's (Auth0's header auth0-forwarded-for), for
 * clients that are believed (oas_client_t.forwarded_for). Anything but one IP address is ignored.
 */
oas_outcome_t oas_assign_address(oas_tx_t *tx);

/** Step: username and password are there. */
oas_outcome_t oas_check_password(oas_tx_t *tx);

/** Step of Auth0's password-realm: realm names one of OAuth2ASPasswordProvider. */
oas_outcome_t oas_check_realm(oas_tx_t *tx);

#endif
