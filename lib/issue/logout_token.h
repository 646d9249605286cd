/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file logout_token.h
 * Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4).
 */
#ifndef OAS_ISSUE_LOGOUT_TOKEN_H
#define OAS_ISSUE_LOGOUT_TOKEN_H

#include "../base/tx.h"
#include "../store/logout.h"

#define OAS_LOGOUT_TOKEN_LIFETIME 120 /**< seconds: the most that section 4 advises */

/**
 * Signs a logout token with the client's algorithm: typ logout+jwt; iss, sub and sid (as this
 * client knows them), aud, iat, exp, jti, events, and no nonce.
 * @param tx issuer, pool and, for pairwise subjects, salt
 * @return APR_EGENERAL when it cannot be signed, or there is no key for the algorithm
 */
apr_status_t oas_logout_token(const char **out, const oas_tx_t *tx, const oas_client_t *client,
                              const oas_logout_t *logout);

#endif
