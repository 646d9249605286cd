/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file access_token.h
 * Access tokens: self-contained, RFC 9068. They name their grant (claim grant_id) so that userinfo,
 * introspection and revocation find it with one indexed read; nothing of them is stored.
 */
#ifndef OAS_ISSUE_ACCESS_TOKEN_H
#define OAS_ISSUE_ACCESS_TOKEN_H

#include "../base/tx.h"

/**
 * Step of the token and of the authorization endpoint: signs an access token for tx->grant and puts
 * access_token, token_type, expires_in and scope into tx->answer (RFC 6749 section 5.1). Audience:
 * the API, with the userinfo URL beside it when openid was granted; without an API the issuer.
 */
oas_outcome_t oas_issue_access_token(oas_tx_t *tx);

#endif
