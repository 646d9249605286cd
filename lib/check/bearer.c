/* SPDX-License-Identifier: Apache-2.0 */
#include "bearer.h"

#include <string.h>
#include <strings.h>
#include "../base/json.h"
#include "../jose/jwt.h"
#include "../store/grant.h"
#include "certificate.h"
#include "client.h"
#include "params.h"
#include "token.h"

/* The token of the Authorization header (RFC 6750 section 2.1), or NULL. */
static const char *header_token(const char *header)
{
    if (header == NULL || strncasecmp(header, "Bearer", 6) != 0 || header[6] != ' ') {
        return NULL;
    }
    return header + 6 + strspn(header + 6, " ");
}

/* Where the token came from. */
typedef struct {
    const char *text;
    int in_query; /* only clients that are configured for it may send it there */
} sent_token_t;

static oas_outcome_t find_token(oas_tx_t *tx, sent_token_t *out)
{
    int is_post = strcmp(tx->request.method, "POST") == 0;
    const char *in_header = header_token(tx->request.authorization);
    const char *in_params = is_post || tx->issuer->profile == OAS_PROFILE_AUTH0
                                ? oas_params_get(tx->params, "access_token")
                                : NULL;

    if (in_header != NULL && in_params != NULL) {
        return oas_refuse(tx, OAS_TAG(00670), OAS_E_BEARER_SEVERAL, NULL);
    }
    out->text = in_header != NULL ? in_header : in_params;
    out->in_query = in_params != NULL && !is_post;
    if (out->text == NULL) {
        return oas_refuse(tx, OAS_TAG(00671), OAS_E_BEARER_MISSING, NULL);
    }
    return OAS_NEXT;
}

/* NULL when it is an access token of ours for userinfo, expiry aside; else why not. */
static const char *reject_reason(oas_tx_t *tx, const char *text)
{
    const char *userinfo = tx->issuer->endpoint_urls[OAS_EP_USERINFO];
    oas_token_t *token = apr_palloc(tx->pool, sizeof(*token));

    oas_token_read(tx, text, token);
    if (token->kind != OAS_TOKEN_ACCESS) {
        return token->kind == OAS_TOKEN_HANDLE ? "not a JWT" : token->why;
    }
    if (!oas_jwt_has_audience(token->claims, userinfo) &&
        !oas_jwt_has_audience(token->claims, tx->issuer->url)) {
        return "audience";
    }
    tx->token = token;
    return NULL;
}

/* A client that is no longer one has no tokens either; its origins may read the answer (CORS). */
static oas_outcome_t load_token_client(oas_tx_t *tx)
{
    const char *client_id = tx->token->client_id;
    apr_status_t rv = client_id != NULL ? oas_client_find(tx, client_id, &tx->client) : APR_ENOENT;

    if (rv == APR_ENOENT) {
        return oas_refuse(tx, OAS_TAG(00679), OAS_E_BEARER_INVALID, "its client has gone");
    }
    return rv == APR_SUCCESS ? OAS_NEXT
                             : oas_store_fault(tx, OAS_TAG(00672), rv, "client not looked up");
}

/* RFC 8705 section 3: a token that names a certificate is good together with that one only. */
static oas_outcome_t check_confirmation(oas_tx_t *tx)
{
    const json_t *cnf = json_object_get(tx->token->claims, "cnf");
    const char *bound = oas_json_string(cnf, "x5t#S256");
    const char *shown = oas_certificate_thumbprint(tx);

    if (cnf == NULL || (bound != NULL && shown != NULL && strcmp(bound, shown) == 0)) {
        return OAS_NEXT;
    }
    return oas_refuse(tx, OAS_TAG(00691), OAS_E_BEARER_CERTIFICATE,
                      shown == NULL ? "no certificate was shown" : "another certificate was shown");
}

oas_outcome_t oas_check_access_token(oas_tx_t *tx)
{
    sent_token_t sent = {0};
    const char *reason;
    oas_words_t *scopes;

    if (find_token(tx, &sent) != OAS_NEXT) {
        return OAS_FAILED;
    }
    reason = reject_reason(tx, sent.text);
    if (reason != NULL) {
        return oas_refuse(tx, OAS_TAG(00673), OAS_E_BEARER_INVALID, reason);
    }
    if (load_token_client(tx) != OAS_NEXT) {
        return OAS_FAILED;
    }
    if (sent.in_query && !tx->client->query_token) {
        return oas_refuse(tx, OAS_TAG(00692), OAS_E_BEARER_MISSING,
                          "in the query, where this client may not send it");
    }
    if (check_confirmation(tx) != OAS_NEXT) {
        return OAS_FAILED;
    }
    if (oas_words_parse_own(&scopes, oas_json_string(tx->token->claims, "scope"), tx->pool) !=
            APR_SUCCESS ||
        !oas_words_has(scopes, "openid")) {
        return oas_refuse(tx, OAS_TAG(00674), OAS_E_BEARER_SCOPE, NULL);
    }
    tx->scopes = scopes;
    return OAS_NEXT;
}

oas_outcome_t oas_load_grant(oas_tx_t *tx)
{
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    apr_status_t rv;

    if (!tx->token->has_grant) {
        return oas_refuse(tx, OAS_TAG(00675), OAS_E_BEARER_INVALID, "no grant");
    }
    rv = oas_store_grant_load(tx->db, tx->token->grant_id, grant, tx->pool);
    if (rv == APR_ENOENT) {
        return oas_refuse(tx, OAS_TAG(00676), OAS_E_BEARER_INVALID, "its grant has ended");
    }
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00677), rv, "grant not loaded");
    }
    if (tx->token->exp <= grant->now) {
        return oas_refuse(tx, OAS_TAG(00678), OAS_E_BEARER_INVALID, "expired");
    }
    tx->grant = grant;
    return OAS_NEXT;
}
