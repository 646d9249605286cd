/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file wishes.h
 * Steps of /authorize: what the request wishes of the sign-in beside a session (OIDC Core sections
 * 3.1.2.1, 5.5.1.1).
 */
#ifndef OAS_ENDPOINT_WISHES_H
#define OAS_ENDPOINT_WISHES_H

#include "../base/tx.h"

/** What came back from the page of prompt=select_account. */
oas_outcome_t oas_accept_selection(oas_tx_t *tx);

/** Refuses with unmet_authentication_requirements what neither the session nor any way to sign in
 * reaches (OpenID Connect Core Error Code unmet_authentication_requirements 1.0). */
oas_outcome_t oas_require_acr(oas_tx_t *tx);

/**
 * prompt=create (OpenID Initiating User Registration), and Auth0's screen_hint=signup where a login
 * is needed: leads to the page of OAuth2ASHelpLink signup, with this request in the parameter
 * return_to. Without such a page the login page does.
 */
oas_outcome_t oas_require_registration(oas_tx_t *tx);

/** prompt=select_account: asks whoever is signed in whether to go on as that account, once. */
oas_outcome_t oas_require_selection(oas_tx_t *tx);

#endif
