/* SPDX-License-Identifier: Apache-2.0 */
#include "id_token.h"

#include <string.h>
#include "../base/json.h"
#include "../jose/jwt.h"
#include "token.h"

const json_t *oas_id_token_read(const oas_tx_t *tx, const char *text)
{
    const char *iss;
    oas_jws_t *jws;
    json_t *claims;

    if (oas_jws_parse(&jws, text, strlen(text), tx->pool) != APR_SUCCESS ||
        oas_jws_verify_own(jws, tx->keys) != APR_SUCCESS || jws->typ == NULL ||
        strcmp(jws->typ, "JWT") != 0 || oas_jwt_claims(&claims, jws, tx->pool) != APR_SUCCESS ||
        oas_is_access_token(jws->typ, claims)) {
        return NULL;
    }
    iss = oas_json_string(claims, "iss");
    return iss != NULL && strcmp(iss, tx->issuer->url) == 0 &&
                   oas_json_string(claims, "sub") != NULL
               ? claims
               : NULL;
}
