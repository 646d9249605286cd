/* SPDX-License-Identifier: Apache-2.0 */
#include "scope.h"

#include <string.h>

/* The API the request names: NULL for none; *ok is 0 when it names two. */
static const char *named_resource(oas_tx_t *tx, int *ok)
{
    const char *audience = oas_params_get(tx->params, "audience");
    const char *resource = oas_params_get(tx->params, "resource");

    *ok = oas_params_count(tx->params, "resource") <= 1 &&
          (audience == NULL || resource == NULL || strcmp(audience, resource) == 0);
    return audience != NULL ? audience : resource;
}

oas_outcome_t oas_check_resource(oas_tx_t *tx)
{
    const char *userinfo = tx->issuer->endpoint_urls[OAS_EP_USERINFO];
    int ok;
    const char *uri = named_resource(tx, &ok);

    if (!ok) {
        return oas_refuse(tx, OAS_TAG(00630), OAS_E_TARGET_SEVERAL, NULL);
    }
    if (uri != NULL && userinfo != NULL && strcmp(uri, userinfo) == 0) {
        return OAS_NEXT;
    }
    if (uri == NULL) {
        uri = tx->issuer->default_resource;
        if (uri == NULL || !oas_client_allows_resource(tx->client, uri)) {
            return OAS_NEXT;
        }
    }
    tx->resource = oas_resource_find(tx->issuer, uri);
    if (tx->resource == NULL || !oas_client_allows_resource(tx->client, uri)) {
        tx->resource = NULL;
        return oas_refuse(tx, OAS_TAG(00631), OAS_E_TARGET_INVALID, NULL);
    }
    return OAS_NEXT;
}

/* 1: grant it, 0: leave it out, -1: refuse the request. */
static int judge(const oas_tx_t *tx, const char *scope)
{
    if (strcmp(scope, "offline_access") == 0) {
        return 0; /* no grant type can issue a refresh token */
    }
    if (oas_oidc_scope_text(scope) != NULL ||
        (tx->resource != NULL && oas_client_allows(tx->client, tx->resource, scope))) {
        return 1;
    }
    return tx->issuer->profile == OAS_PROFILE_AUTH0 ? 0 : -1;
}

/* Without a scope parameter: everything the client may have of the API. */
static void assign_default_scopes(oas_tx_t *tx)
{
    const oas_resource_t *resource = tx->resource;
    int i;

    for (i = 0; resource != NULL && i < resource->scopes->nelts; i++) {
        const char *name = APR_ARRAY_IDX(resource->scopes, i, oas_scope_t).name;
        if (oas_client_allows(tx->client, resource, name)) {
            oas_words_add(tx->scopes, name);
        }
    }
}

oas_outcome_t oas_check_scope(oas_tx_t *tx)
{
    oas_words_t *asked;
    int i;

    tx->scopes = oas_words_create(tx->pool);
    if (oas_words_parse(&asked, oas_params_get(tx->params, "scope"), tx->pool) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00632), OAS_E_SCOPE_MALFORMED, NULL);
    }
    for (i = 0; i < asked->nelts; i++) {
        int verdict = judge(tx, OAS_WORD(asked, i));
        if (verdict < 0) {
            return oas_refuse(tx, OAS_TAG(00633), OAS_E_SCOPE_INVALID, NULL);
        }
        if (verdict > 0) {
            oas_words_add(tx->scopes, OAS_WORD(asked, i));
        }
    }
    if (asked->nelts == 0) {
        assign_default_scopes(tx);
    }
    if (tx->scopes->nelts == 0) {
        return oas_refuse(tx, OAS_TAG(00634), OAS_E_SCOPE_INVALID, "nothing to grant");
    }
    return OAS_NEXT;
}
