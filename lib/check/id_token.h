/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file id_token.h
 * ID tokens of ours that come back as hints (OIDC Core section 3.1.2.1, RP-Initiated Logout 2).
 */
#ifndef OAS_CHECK_ID_TOKEN_H
#define OAS_CHECK_ID_TOKEN_H

#include "../base/tx.h"

/**
 * The claims of an ID token that this issuer signed, with any of its published keys, however long
 * ago: it may have expired. NULL for everything else, access tokens and tokens of type logout+jwt
 * among it. Owned by tx->pool; iss is the issuer, and there is a string sub.
 */
const json_t *oas_id_token_read(const oas_tx_t *tx, const char *text);

#endif
