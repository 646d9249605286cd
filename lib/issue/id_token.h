/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file id_token.h
 * ID tokens (OIDC Core section 2).
 */
#ifndef OAS_ISSUE_ID_TOKEN_H
#define OAS_ISSUE_ID_TOKEN_H

#include "../base/tx.h"

/**
 * Step of the token and of the authorization endpoint: when openid was granted, signs an ID token
 * with the client's algorithm and puts it into tx->answer. at_hash and c_hash are of the access
 * token and the code that are in tx->answer already, s_hash is of tx->state.
 */
oas_outcome_t oas_issue_id_token(oas_tx_t *tx);

#endif
