/* SPDX-License-Identifier: Apache-2.0 */
#include "introspection.h"

#include <string.h>
#include "../jose/jwt.h"
#include "../store/grant.h"
#include "../store/jti.h"
#include "../store/refresh.h"
#include "client.h"
#include "token.h"

oas_outcome_t oas_check_introspection_client(oas_tx_t *tx)
{
    if (tx->auth_method == OAS_AUTH_NONE) {
        return oas_refuse(tx, OAS_TAG(00855), OAS_E_INTROSPECTION_DENIED, "a public client");
    }
    return OAS_NEXT;
}

static int names_client(const oas_resource_t *resource, const oas_client_t *client)
{
    return resource != NULL && resource->introspection_clients != NULL &&
           oas_words_has(resource->introspection_clients, client->client_id);
}

/* RFC 7662 section 4: a token is shown to its own client and to those that its API names. */
static int may_see(const oas_tx_t *tx, const oas_token_t *token)
{
    const json_t *aud = json_object_get(token->claims, "aud");
    const json_t *one = json_is_array(aud) ? NULL : aud;
    size_t i;

    if (token->client_id != NULL && strcmp(token->client_id, tx->client->client_id) == 0) {
        return 1;
    }
    for (i = 0; one != NULL || i < json_array_size(aud); i++) {
        const char *uri = json_string_value(one != NULL ? one : json_array_get(aud, i));

        if (uri != NULL && names_client(oas_resource_find(tx->issuer, uri), tx->client)) {
            return 1;
        }
        one = NULL;
    }
    return 0;
}

/* Each of these returns the statement's status; *why stays NULL for a token that is good. */

static apr_status_t judge_refresh_token(oas_tx_t *tx, const oas_token_t *token, const char **why)
{
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    apr_status_t rv = oas_store_refresh_load(
        tx->db, token->grant_id, token->hash,
        oas_lifetime(tx->issuer, tx->client, NULL, OAS_LIFETIME_REFRESH_TOKEN_IDLE), NULL, grant,
        NULL, NULL, tx->pool);

    if (rv != APR_SUCCESS) {
        *why = "no live refresh token";
        return rv;
    }
    if (strcmp(grant->client_id, tx->client->client_id) != 0) {
        *why = "the refresh token of another client";
        return APR_SUCCESS;
    }
    tx->grant = grant;
    return APR_SUCCESS;
}

static apr_status_t judge_granted(oas_tx_t *tx, const oas_token_t *token, const char **why)
{
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    apr_status_t rv = oas_store_grant_load(tx->db, token->grant_id, grant, tx->pool);

    if (rv != APR_SUCCESS) {
        *why = "its grant has ended";
    } else if (token->exp <= grant->now) {
        *why = "expired";
    }
    return rv;
}

/* A client's own token, which has no grant. */
static apr_status_t judge_own(oas_tx_t *tx, const oas_token_t *token, const char **why)
{
    apr_int64_t now = 0;
    int revoked = 0;
    apr_status_t rv = APR_ENOENT;

    if (token->jti != NULL) {
        rv = oas_store_jti_load(tx->db, token->jti, &revoked, &now, tx->pool);
    }
    if (rv != APR_SUCCESS || revoked) {
        *why = "revoked";
    } else if (token->exp <= now) {
        *why = "expired";
    }
    return rv;
}

static apr_status_t judge_access_token(oas_tx_t *tx, const oas_token_t *token, const char **why)
{
    const oas_client_t *owner;
    apr_status_t rv;

    if (!may_see(tx, token)) {
        *why = "not for this client to know";
        return APR_SUCCESS;
    }
    rv = token->client_id != NULL ? oas_client_find(tx, token->client_id, &owner) : APR_ENOENT;
    if (rv != APR_SUCCESS) {
        *why = "its client has gone";
        return rv;
    }
    return token->has_grant ? judge_granted(tx, token, why) : judge_own(tx, token, why);
}

oas_outcome_t oas_load_token_state(oas_tx_t *tx)
{
    oas_token_t *token = tx->token;
    const char *why = NULL;
    apr_status_t rv = APR_SUCCESS;

    switch (token->kind) {
    case OAS_TOKEN_HANDLE:
        rv = judge_refresh_token(tx, token, &why);
        break;
    case OAS_TOKEN_ACCESS:
        rv = judge_access_token(tx, token, &why);
        break;
    case OAS_TOKEN_NONE:
        why = token->why;
        break;
    }
    if (rv != APR_SUCCESS && rv != APR_ENOENT) {
        return oas_store_fault(tx, OAS_TAG(00856), rv, "token not looked up");
    }
    token->active = why == NULL;
    if (!token->active) {
        oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00857), APR_SUCCESS,
                "introspection says inactive: %s client=%s ref=%s", why, tx->client->client_id,
                tx->request_id);
    }
    return OAS_NEXT;
}
