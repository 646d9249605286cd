/* SPDX-License-Identifier: Apache-2.0 */
#include "refresh.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/audit.h"
#include "../base/refresh_token.h"
#include "../base/handle.h"
#include "../base/json.h"
#include "../base/metrics.h"
#include "../login/recheck.h"
#include "../store/refresh.h"

#define CHILDREN_MAX 8 /* secrets that are tried at most */
#define RETRY_AFTER  1
#define ELSEWHERE_MESSAGE                                                                          \
    "another node replaced this refresh token with an OAuth2ASSecret that this node does not "     \
    "have: compare the lists of secrets of all nodes"

static int may_have(const oas_tx_t *tx)
{
    if (!(tx->client->grant_types & OAS_GRANT_REFRESH_TOKEN)) {
        return 0;
    }
    return !oas_secret_in_page(tx) && (tx->request.origin == NULL || tx->code_challenge != NULL);
}

/* The certificate a family is bound to: confidential clients are bound by authenticating
 * themselves, and may change their certificates (RFC 8705 section 4). */
static const char *sender_of(const oas_tx_t *tx)
{
    return oas_client_confidential(tx->client) ? NULL : tx->cnf;
}

apr_status_t oas_refresh_first(oas_tx_t *tx, const unsigned char grant_id[OAS_ID_LEN],
                               const oas_refresh_first_t **out)
{
    oas_refresh_first_t *first;
    unsigned char secret[OAS_SECRET_LEN];
    char *token;

    *out = NULL;
    if (!may_have(tx)) {
        return APR_SUCCESS;
    }
    if (oas_reserve_take(&tx->random, secret, sizeof(secret), tx->pool) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    first = apr_pcalloc(tx->pool, sizeof(*first));
    oas_sha256(secret, sizeof(secret), first->token_hash);
    first->lifetime = oas_lifetime(tx->issuer, tx->client, NULL, OAS_LIFETIME_REFRESH_TOKEN);
    first->cnf = sender_of(tx);
    token = oas_handle_make(grant_id, secret, tx->pool);
    oas_wipe_with_pool(tx->pool, token, strlen(token));
    oas_wipe(secret, sizeof(secret));
    tx->refresh_token = token;
    *out = first;
    return APR_SUCCESS;
}

/* What the presented token becomes under each secret, as it rests and as it is sent. */
typedef struct {
    oas_refresh_child_t rest[CHILDREN_MAX];
    char *token[CHILDREN_MAX];
    int count;
} children_t;

static apr_status_t derive_children(oas_tx_t *tx, const unsigned char id[OAS_ID_LEN],
                                    const unsigned char parent[OAS_SECRET_LEN], children_t *out)
{
    const apr_array_header_t *secrets = tx->issuer->secrets;
    unsigned char child[OAS_SECRET_LEN];
    int i;

    for (i = 0; i < secrets->nelts && i < CHILDREN_MAX; i++) {
        const oas_secret_t *secret = APR_ARRAY_IDX(secrets, i, const oas_secret_t *);

        if (oas_refresh_secret(secret, id, parent, child) != APR_SUCCESS) {
            return APR_EGENERAL;
        }
        memcpy(out->rest[i].secret_id, secret->id, OAS_SECRET_ID_LEN);
        oas_sha256(child, sizeof(child), out->rest[i].token_hash);
        out->token[i] = oas_handle_make(id, child, tx->pool);
        oas_wipe_with_pool(tx->pool, out->token[i], strlen(out->token[i]));
        oas_wipe(child, sizeof(child));
    }
    out->count = i;
    return APR_SUCCESS;
}

static void add_scopes(json_t *allowed, const char *uri, const oas_scope_t *scopes, int count,
                       const oas_client_t *client, const oas_resource_t *resource)
{
    json_t *list = json_array();
    int i;

    for (i = 0; i < count; i++) {
        if (oas_client_may(client, resource, scopes[i].name)) {
            json_array_append_new(list, json_string(scopes[i].name));
        }
    }
    json_object_set_new(allowed, uri, list);
}

const char *oas_refresh_allowed(const oas_issuer_t *issuer, const oas_client_t *client,
                                apr_pool_t *pool)
{
    json_t *allowed = oas_json_object(pool);
    const oas_scope_t *scopes;
    int i, count = oas_oidc_scopes(&scopes);

    add_scopes(allowed, "", scopes, count, client, NULL);
    for (i = 0; i < client->allow->nelts; i++) {
        const char *uri = APR_ARRAY_IDX(client->allow, i, oas_allow_t).resource;
        const oas_resource_t *resource = oas_resource_find(issuer, uri);

        if (resource != NULL) {
            add_scopes(allowed, uri, (const oas_scope_t *)resource->scopes->elts,
                       resource->scopes->nelts, client, resource);
        }
    }
    return oas_json_text(pool, allowed);
}

static apr_status_t describe(oas_tx_t *tx, oas_refresh_t *in, children_t *children)
{
    unsigned char secret[OAS_SECRET_LEN];
    apr_status_t rv = oas_handle_open(tx->refresh_token, in->grant_id, secret, tx->pool);

    if (rv == APR_SUCCESS) {
        oas_sha256(secret, sizeof(secret), in->token_hash);
        rv = derive_children(tx, in->grant_id, secret, children);
    }
    oas_wipe(secret, sizeof(secret));
    in->client_id = tx->client->client_id;
    in->children = children->rest;
    in->children_count = children->count;
    in->scope = tx->scopes != NULL ? oas_words_join(tx->scopes, tx->pool) : NULL;
    in->resource = tx->grant_resource;
    in->allowed = tx->client->refresh_allowed != NULL
                      ? tx->client->refresh_allowed
                      : oas_refresh_allowed(tx->issuer, tx->client, tx->pool);
    in->cnf = tx->cnf;
    in->rotate = oas_client_rotates(tx->client);
    in->window = oas_reuse_window(tx->issuer, tx->client);
    in->idle = oas_lifetime(tx->issuer, tx->client, NULL, OAS_LIFETIME_REFRESH_TOKEN_IDLE);
    in->recheck = tx->issuer->recheck.kind == OAS_RECHECK_SQL;
    in->providers = in->recheck ? tx->issuer->password_providers : NULL;
    return rv == APR_SUCCESS
               ? oas_reserve_take(&tx->random, in->attempt, sizeof(in->attempt), tx->pool)
               : rv;
}

/* What the client is told of each outcome, and what the log is told. */
static const struct {
    oas_error_id_t error;
    const char *detail;
} refusals[] = {
    [OAS_REFRESH_ROTATED] = {OAS_E_NONE, NULL},
    [OAS_REFRESH_REPEATED] = {OAS_E_NONE, NULL},
    [OAS_REFRESH_KEPT] = {OAS_E_NONE, NULL},
    [OAS_REFRESH_UNKNOWN] = {OAS_E_REFRESH_INVALID, "unknown"},
    [OAS_REFRESH_FOREIGN] = {OAS_E_REFRESH_INVALID, "issued to another client"},
    [OAS_REFRESH_SENDER] = {OAS_E_REFRESH_INVALID, "bound to another certificate"},
    [OAS_REFRESH_SCOPE] = {OAS_E_SCOPE_INVALID, "more than was granted"},
    [OAS_REFRESH_RESOURCE] = {OAS_E_TARGET_INVALID, "the grant is for another resource"},
    [OAS_REFRESH_RESOURCE_GONE] = {OAS_E_TARGET_INVALID,
                                   "the client may no longer use this resource"},
    [OAS_REFRESH_SCOPE_GONE] = {OAS_E_SCOPE_INVALID,
                                "the client may no longer have any of these scopes"},
    [OAS_REFRESH_EXPIRED] = {OAS_E_REFRESH_INVALID, "its family has come to its end"},
    [OAS_REFRESH_IDLE] = {OAS_E_REFRESH_INVALID, "not used for too long"},
    [OAS_REFRESH_REVOKED] = {OAS_E_REFRESH_INVALID, "its family was revoked"},
    [OAS_REFRESH_REUSED] = {OAS_E_REFRESH_INVALID, "used before: its family is revoked now"},
    [OAS_REFRESH_BLOCKED] = {OAS_E_USER_BLOCKED, "its family is revoked now"},
    [OAS_REFRESH_ELSEWHERE] = {OAS_E_UNAVAILABLE, ELSEWHERE_MESSAGE},
};

static void count(oas_tx_t *tx, oas_refresh_outcome_t outcome)
{
    static const oas_metric_refresh_t metrics[] = {[OAS_REFRESH_ROTATED] = OAS_METRIC_ROTATED,
                                                   [OAS_REFRESH_REPEATED] = OAS_METRIC_REPEATED,
                                                   [OAS_REFRESH_KEPT] = OAS_METRIC_KEPT,
                                                   [OAS_REFRESH_REUSED] = OAS_METRIC_REUSED};
    static const char *const words[] = {[OAS_REFRESH_ROTATED] = "rotated",
                                        [OAS_REFRESH_REPEATED] = "repeated",
                                        [OAS_REFRESH_KEPT] = "kept"};
    int refused = refusals[outcome].error != OAS_E_NONE;

    tx->outcome = refused ? NULL : words[outcome];
    oas_count(
        OAS_M_REFRESHES,
        (int)(refused && outcome != OAS_REFRESH_REUSED ? OAS_METRIC_REFUSED : metrics[outcome]), 0);
}

/* Whose token was refused, for the audit log: once it is known to be one, and not a guess. */
static void name_grant(oas_tx_t *tx, const oas_refresh_t *in, const oas_refresh_result_t *result)
{
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));

    if (result->generation > 0) {
        grant->sub = result->sub;
        grant->grant_id = oas_base64url_encode(tx->pool, in->grant_id, OAS_ID_LEN);
        tx->grant = grant;
    }
}

static void audit_reuse(oas_tx_t *tx, const oas_refresh_result_t *result)
{
    oas_members_t *more = oas_members_create(tx->pool);

    oas_members_integer(more, "generation", result->generation);
    oas_members_integer(more, "age", result->age);
    oas_audit(tx, OAS_AUDIT_REFRESH_REUSE, "used before: its family is revoked now", more);
}

static oas_outcome_t refuse(oas_tx_t *tx, const oas_refresh_t *in,
                            const oas_refresh_result_t *result)
{
    name_grant(tx, in, result);
    if (result->outcome == OAS_REFRESH_REUSED) {
        audit_reuse(tx, result);
    }
    if (result->outcome == OAS_REFRESH_ELSEWHERE) {
        tx->retry_after = RETRY_AFTER;
    }
    return oas_refuse(tx, OAS_TAG(00835), refusals[result->outcome].error,
                      result->reason != NULL
                          ? apr_pstrcat(tx->pool, "revoked: ", result->reason, NULL)
                          : refusals[result->outcome].detail);
}

/* Takes out of the answer what was granted and the configuration gives no longer. The store has
 * seen to it that something is left. */
static void keep_allowed(oas_tx_t *tx, oas_grant_t *grant)
{
    const oas_words_t *wanted = tx->scopes != NULL ? tx->scopes : grant->scopes;
    const oas_resource_t *resource =
        grant->resource != NULL ? oas_resource_find(tx->issuer, grant->resource) : NULL;
    int i;

    grant->scopes = oas_words_create(tx->pool);
    for (i = 0; i < wanted->nelts; i++) {
        if (oas_client_may(tx->client, resource, OAS_WORD(wanted, i))) {
            oas_words_add(grant->scopes, OAS_WORD(wanted, i));
        }
    }
}

/* What this answer hands out: the grant, and the token to go on with. */
static void take(oas_tx_t *tx, const oas_refresh_result_t *result, const children_t *children,
                 oas_grant_t *grant)
{
    oas_members_t *more = oas_members_create(tx->pool);

    if (result->outcome != OAS_REFRESH_KEPT) {
        tx->refresh_token = children->token[result->key];
    }
    tx->grant = grant;
    oas_members_integer(more, "generation", result->generation);
    oas_members_boolean(more, "repeated", result->outcome == OAS_REFRESH_REPEATED);
    oas_audit(tx, OAS_AUDIT_REFRESH, NULL, more);
}

oas_outcome_t oas_issue_rotation(oas_tx_t *tx)
{
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    oas_refresh_t in = {0};
    oas_refresh_result_t result = {0};
    children_t children = {0};
    apr_status_t rv = describe(tx, &in, &children);

    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00836), OAS_E_SERVER, rv, "refresh token not derived");
    }
    rv = oas_store_refresh(tx->db, &in, &result, grant, tx->pool);
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00837), rv, "refresh token not used");
    }
    count(tx, result.outcome);
    if (refusals[result.outcome].error != OAS_E_NONE) {
        return refuse(tx, &in, &result);
    }
    /* a token that was replaced is not known to check_subject; its replacement is */
    if (result.outcome == OAS_REFRESH_REPEATED &&
        oas_recheck_subject(tx, in.grant_id, children.rest[result.key].token_hash) != OAS_NEXT) {
        if (tx->retry_after > RETRY_AFTER) {
            tx->retry_after = RETRY_AFTER; /* the reuse window does not wait */
        }
        return OAS_FAILED;
    }
    keep_allowed(tx, grant);
    take(tx, &result, &children, grant);
    return OAS_NEXT;
}

oas_outcome_t oas_issue_refresh_token(oas_tx_t *tx)
{
    if (tx->grant->offline) {
        oas_members_string(tx->answer, "refresh_token", tx->refresh_token);
    }
    return OAS_NEXT;
}
