/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <string.h>
#include <strings.h>
#include "../base/handle.h"
#include "../base/json.h"
#include "../jose/jwt.h"

/* An access token of dialect auth0 has the type of any JWT. What tells it from an ID token is a jti
 * with a grant or gty, which no ID token has and no OAuth2ASClaim can add, and an audience other
 * than its client. */
static int is_auth0_token(const json_t *claims)
{
    const char *client_id = oas_json_string(claims, "azp");

    return client_id != NULL && oas_json_string(claims, "jti") != NULL &&
           (oas_json_string(claims, "grant_id") != NULL ||
            oas_json_string(claims, "gty") != NULL) &&
           !oas_jwt_has_audience(claims, client_id);
}

int oas_is_access_token(const char *typ, const json_t *claims)
{
    if (typ == NULL) {
        return 0;
    }
    return strcasecmp(typ, "at+jwt") == 0 || strcasecmp(typ, "application/at+jwt") == 0 ||
           (strcasecmp(typ, "JWT") == 0 && is_auth0_token(claims));
}

/* NULL when it is an access token of this issuer, else why not. */
static const char *read_jwt(const oas_tx_t *tx, const char *text, json_t **claims)
{
    const char *iss;
    oas_jws_t *jws;

    if (oas_jws_parse(&jws, text, strlen(text), tx->pool) != APR_SUCCESS) {
        return "not a JWT";
    }
    if (oas_jws_verify_own(jws, tx->keys) != APR_SUCCESS) {
        return "signature";
    }
    if (oas_jwt_claims(claims, jws, tx->pool) != APR_SUCCESS ||
        !oas_is_access_token(jws->typ, *claims)) {
        return "type";
    }
    iss = oas_json_string(*claims, "iss");
    return iss != NULL && strcmp(iss, tx->issuer->url) == 0 ? NULL : "issuer";
}

static void read_claims(oas_token_t *token, apr_pool_t *pool)
{
    const char *grant_id = oas_json_string(token->claims, "grant_id");
    oas_bytes_t bytes;

    token->client_id = oas_json_string(token->claims, "client_id");
    if (token->client_id == NULL) {
        token->client_id = oas_json_string(token->claims, "azp");
    }
    token->jti = oas_json_string(token->claims, "jti");
    if (oas_jwt_date(token->claims, "exp", &token->exp) != APR_SUCCESS) {
        token->exp = 0;
    }
    if (grant_id != NULL &&
        oas_base64url_decode(pool, grant_id, strlen(grant_id), &bytes) == APR_SUCCESS &&
        bytes.len == OAS_ID_LEN) {
        memcpy(token->grant_id, bytes.data, OAS_ID_LEN);
        token->has_grant = 1;
    }
}

void oas_token_read(const oas_tx_t *tx, const char *text, oas_token_t *out)
{
    memset(out, 0, sizeof(*out));
    if (oas_handle_split(text, out->grant_id, out->hash, tx->pool) == APR_SUCCESS) {
        out->kind = OAS_TOKEN_HANDLE;
        out->has_grant = 1;
        return;
    }
    out->why = read_jwt(tx, text, &out->claims);
    if (out->why == NULL) {
        out->kind = OAS_TOKEN_ACCESS;
        read_claims(out, tx->pool);
    }
}

oas_outcome_t oas_check_token(oas_tx_t *tx)
{
    const char *text = oas_params_get(tx->params, "token");

    if (text == NULL) {
        return oas_refuse(tx, OAS_TAG(00850), OAS_E_TOKEN_MISSING, NULL);
    }
    tx->token = apr_palloc(tx->pool, sizeof(*tx->token));
    oas_token_read(tx, text, tx->token);
    return OAS_NEXT;
}
