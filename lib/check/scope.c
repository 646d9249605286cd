/* SPDX-License-Identifier: Apache-2.0 */
#include "scope.h"

#include <string.h>

int oas_named_resource(const oas_tx_t *tx, const char **uri)
{
    const char *audience = oas_params_get(tx->params, "audience");
    const char *resource = oas_params_get(tx->params, "resource");

    *uri = audience != NULL ? audience : resource;
    return oas_params_count(tx->params, "resource") <= 1 &&
           (audience == NULL || resource == NULL || strcmp(audience, resource) == 0);
}

oas_outcome_t oas_check_resource(oas_tx_t *tx)
{
    const char *userinfo = tx->issuer->endpoint_urls[OAS_EP_USERINFO];
    const char *uri;

    if (!oas_named_resource(tx, &uri)) {
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

/* What becomes of a scope that was asked for. */
typedef enum { LEAVE_OUT, GRANT, REFUSE } verdict_t;

/* Another kind of access than the client may have: profile auth0 grants what is left. */
static verdict_t beyond(const oas_tx_t *tx)
{
    return tx->issuer->profile == OAS_PROFILE_AUTH0 ? LEAVE_OUT : REFUSE;
}

/* 1 when a refresh token can come of this request (OIDC Core section 11). */
static int offline_possible(const oas_tx_t *tx)
{
    int code = tx->endpoint != OAS_EP_AUTHORIZE || (tx->response & OAS_PART_CODE);

    return code && (tx->client->grant_types & OAS_GRANT_REFRESH_TOKEN) &&
           (tx->resource == NULL || tx->resource->offline_access);
}

/* Access in the name of a user. */
static verdict_t judge(const oas_tx_t *tx, const char *scope)
{
    if (strcmp(scope, "offline_access") == 0) {
        return offline_possible(tx) ? GRANT : LEAVE_OUT;
    }
    return oas_client_may(tx->client, tx->resource, scope) ? GRANT : beyond(tx);
}

/* Access of a client in its own name. */
static verdict_t judge_own(const oas_tx_t *tx, const char *scope)
{
    return oas_client_allows(tx->client, tx->resource, scope) ? GRANT : beyond(tx);
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

static oas_outcome_t take_scopes(oas_tx_t *tx,
                                 verdict_t (*rule)(const oas_tx_t *tx, const char *scope),
                                 const oas_words_t *asked)
{
    int i;

    tx->scopes = oas_words_create(tx->pool);
    for (i = 0; i < asked->nelts; i++) {
        verdict_t verdict = rule(tx, OAS_WORD(asked, i));
        if (verdict == REFUSE) {
            return oas_refuse(tx, OAS_TAG(00633), OAS_E_SCOPE_INVALID, NULL);
        }
        if (verdict == GRANT) {
            oas_words_add(tx->scopes, OAS_WORD(asked, i));
        }
    }
    if (asked->nelts == 0) {
        assign_default_scopes(tx);
    }
    return OAS_NEXT;
}

static oas_outcome_t parse_scope(oas_tx_t *tx, oas_words_t **asked)
{
    if (oas_words_parse(asked, oas_params_get(tx->params, "scope"), tx->pool) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00632), OAS_E_SCOPE_MALFORMED, NULL);
    }
    if (tx->issuer->profile == OAS_PROFILE_AUTH0 && oas_words_has(*asked, "offline_access") &&
        oas_words_has(*asked, "online_access")) {
        return oas_refuse(tx, OAS_TAG(00832), OAS_E_SCOPE_CONFLICT, NULL);
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_scope(oas_tx_t *tx)
{
    oas_words_t *asked;

    if (parse_scope(tx, &asked) != OAS_NEXT || take_scopes(tx, judge, asked) != OAS_NEXT) {
        return OAS_FAILED;
    }
    if (tx->scopes->nelts == 0) {
        return oas_refuse(tx, OAS_TAG(00634),
                          asked->nelts == 0 ? OAS_E_SCOPE_MISSING : OAS_E_SCOPE_INVALID,
                          "nothing to grant");
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_own_scope(oas_tx_t *tx)
{
    oas_words_t *asked;
    const char *uri = NULL;

    if (tx->resource == NULL) {
        oas_named_resource(tx, &uri);
        return oas_refuse(tx, OAS_TAG(00833),
                          uri == NULL ? OAS_E_TARGET_MISSING : OAS_E_TARGET_INVALID,
                          "a client's token needs an API");
    }
    if (parse_scope(tx, &asked) != OAS_NEXT || take_scopes(tx, judge_own, asked) != OAS_NEXT) {
        return OAS_FAILED;
    }
    if (asked->nelts > 0 && tx->scopes->nelts == 0) {
        return oas_refuse(tx, OAS_TAG(00834), OAS_E_SCOPE_INVALID, "nothing to grant");
    }
    return OAS_NEXT;
}
