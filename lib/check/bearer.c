/* SPDX-License-Identifier: Apache-2.0 */
#include "bearer.h"

#include <string.h>
#include <strings.h>
#include "../base/json.h"
#include "../jose/jwt.h"
#include "../store/grant.h"
#include "client.h"
#include "params.h"

/* The token of the Authorization header (RFC 6750 section 2.1), or NULL. */
static const char *header_token(const char *header)
{
    if (header == NULL || strncasecmp(header, "Bearer", 6) != 0 || header[6] != ' ') {
        return NULL;
    }
    return header + 6 + strspn(header + 6, " ");
}

static oas_outcome_t find_token(oas_tx_t *tx, const char **out)
{
    const char *in_header = header_token(tx->request.authorization);
    const char *in_body =
        strcmp(tx->request.method, "POST") == 0 ? oas_params_get(tx->params, "access_token") : NULL;

    if (in_header != NULL && in_body != NULL) {
        return oas_refuse(tx, OAS_TAG(00670), OAS_E_BEARER_SEVERAL, NULL);
    }
    *out = in_header != NULL ? in_header : in_body;
    if (*out == NULL) {
        return oas_refuse(tx, OAS_TAG(00671), OAS_E_BEARER_MISSING, NULL);
    }
    return OAS_NEXT;
}

static int is_access_token_type(const char *typ)
{
    return typ != NULL &&
           (strcasecmp(typ, "at+jwt") == 0 || strcasecmp(typ, "application/at+jwt") == 0);
}

/* What makes a token of ours one for userinfo, expiry aside; NULL when it is, else why not. */
static const char *reject_reason(oas_tx_t *tx, const char *token, json_t **claims)
{
    const char *userinfo = tx->issuer->endpoint_urls[OAS_EP_USERINFO];
    const char *iss;
    oas_jws_t *jws;

    if (oas_jws_parse(&jws, token, strlen(token), tx->pool) != APR_SUCCESS) {
        return "not a JWT";
    }
    if (oas_jws_verify_own(jws, tx->issuer->keys) != APR_SUCCESS) {
        return "signature";
    }
    if (!is_access_token_type(jws->typ) || oas_jwt_claims(claims, jws, tx->pool) != APR_SUCCESS) {
        return "type";
    }
    iss = oas_json_string(*claims, "iss");
    if (iss == NULL || strcmp(iss, tx->issuer->url) != 0) {
        return "issuer";
    }
    if (!oas_jwt_has_audience(*claims, userinfo) &&
        !oas_jwt_has_audience(*claims, tx->issuer->url)) {
        return "audience";
    }
    return NULL;
}

/* A client that is no longer one has no tokens either; its origins may read the answer (CORS). */
static oas_outcome_t load_token_client(oas_tx_t *tx)
{
    const char *client_id = oas_json_string(tx->token_claims, "client_id");
    apr_status_t rv = client_id != NULL ? oas_client_find(tx, client_id, &tx->client) : APR_ENOENT;

    if (rv == APR_ENOENT) {
        return oas_refuse(tx, OAS_TAG(00679), OAS_E_BEARER_INVALID, "its client has gone");
    }
    return rv == APR_SUCCESS ? OAS_NEXT
                             : oas_store_fault(tx, OAS_TAG(00672), rv, "client not looked up");
}

oas_outcome_t oas_check_access_token(oas_tx_t *tx)
{
    const char *token = NULL;
    const char *reason;
    oas_words_t *scopes;

    if (find_token(tx, &token) != OAS_NEXT) {
        return OAS_FAILED;
    }
    reason = reject_reason(tx, token, &tx->token_claims);
    if (reason != NULL) {
        return oas_refuse(tx, OAS_TAG(00673), OAS_E_BEARER_INVALID, reason);
    }
    if (load_token_client(tx) != OAS_NEXT) {
        return OAS_FAILED;
    }
    if (oas_words_parse(&scopes, oas_json_string(tx->token_claims, "scope"), tx->pool) !=
            APR_SUCCESS ||
        !oas_words_has(scopes, "openid")) {
        return oas_refuse(tx, OAS_TAG(00674), OAS_E_BEARER_SCOPE, NULL);
    }
    tx->scopes = scopes;
    return OAS_NEXT;
}

oas_outcome_t oas_load_grant(oas_tx_t *tx)
{
    const char *id = oas_json_string(tx->token_claims, "grant_id");
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    oas_bytes_t bytes;
    apr_int64_t exp;
    apr_status_t rv;

    if (id == NULL || oas_base64url_decode(tx->pool, id, strlen(id), &bytes) != APR_SUCCESS ||
        bytes.len != OAS_ID_LEN || oas_jwt_date(tx->token_claims, "exp", &exp) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00675), OAS_E_BEARER_INVALID, "no grant");
    }
    rv = oas_store_grant_load(tx->db, bytes.data, grant, tx->pool);
    if (rv == APR_ENOENT) {
        return oas_refuse(tx, OAS_TAG(00676), OAS_E_BEARER_INVALID, "its grant has ended");
    }
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00677), rv, "grant not loaded");
    }
    if (exp <= grant->now) {
        return oas_refuse(tx, OAS_TAG(00678), OAS_E_BEARER_INVALID, "expired");
    }
    tx->grant = grant;
    return OAS_NEXT;
}
