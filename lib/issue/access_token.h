/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file access_token.h
 * Access tokens: self-contained, in the words of RFC 9068 or, for an API of dialect auth0 (without
 * an API: in profile auth0), as Auth0 writes them. They name their grant (claim grant_id) so that
 * userinfo, introspection and revocation find it with one indexed read; nothing of them is stored.
 */
#ifndef OAS_ISSUE_ACCESS_TOKEN_H
#define OAS_ISSUE_ACCESS_TOKEN_H

#include "../base/tx.h"

/**
 * Step of the token and of the authorization endpoint: signs an access token for tx->grant and puts
 * access_token, token_type, expires_in and scope into tx->answer (RFC 6749 section 5.1). Audience:
 * the API, with the userinfo URL beside it when openid was granted; without an API the issuer. With
 * tx->cnf it is bound to that certificate (RFC 8705 section 3.1).
 */
oas_outcome_t oas_issue_access_token(oas_tx_t *tx);

#endif
