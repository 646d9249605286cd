/* SPDX-License-Identifier: Apache-2.0 */
#include "refresh.h"

#include <string.h>
#include <apr_strings.h>
#include "grant_row.h"

#define CHILDREN_MAX 8

static const oas_outcome_name_t outcomes[] = {
    {"rotated", OAS_REFRESH_ROTATED},
    {"repeated", OAS_REFRESH_REPEATED},
    {"kept", OAS_REFRESH_KEPT},
    {"unknown", OAS_REFRESH_UNKNOWN},
    {"foreign", OAS_REFRESH_FOREIGN},
    {"sender", OAS_REFRESH_SENDER},
    {"scope", OAS_REFRESH_SCOPE},
    {"resource", OAS_REFRESH_RESOURCE},
    {"resource_gone", OAS_REFRESH_RESOURCE_GONE},
    {"scope_gone", OAS_REFRESH_SCOPE_GONE},
    {"expired", OAS_REFRESH_EXPIRED},
    {"idle", OAS_REFRESH_IDLE},
    {"revoked", OAS_REFRESH_REVOKED},
    {"reused", OAS_REFRESH_REUSED},
    {"blocked", OAS_REFRESH_BLOCKED},
    {"elsewhere", OAS_REFRESH_ELSEWHERE},
    {"gone", OAS_REFRESH_BLOCKED}, /* the subject was deleted at this very moment */
    {NULL, 0},
};

static const oas_outcome_name_t live_outcomes[] = {{"live", 0}, {NULL, 0}};

/* The window as a parameter; NULL: until used. What is not set gives nobody a second chance. */
static const char *window_param(apr_interval_time_t window, apr_pool_t *pool)
{
    if (window == OAS_WINDOW_UNTIL_USED)
        return NULL;
    return oas_sql_seconds(window > 0 ? window : 0, pool);
}

/* Names of providers as oas_subject_asked_1 takes them. */
static const char *lines(const oas_words_t *names, apr_pool_t *pool)
{
    return names ? apr_array_pstrcat(pool, names, '\n') : NULL;
}

apr_status_t oas_store_refresh(oas_db_t *db, const oas_refresh_t *in, oas_refresh_result_t *result,
                               oas_grant_t *grant, apr_pool_t *pool)
{
    const unsigned char *ids[CHILDREN_MAX], *hashes[CHILDREN_MAX];
    int i, n = in->children_count < CHILDREN_MAX ? in->children_count : CHILDREN_MAX;
    int outcome;
    oas_rows_t *rows;
    apr_status_t rv;

    for (i = 0; i < n; i++) {
        ids[i] = in->children[i].secret_id;
        hashes[i] = in->children[i].token_hash;
    }
    const char *const params[] = {
        oas_sql_id(in->grant_id, pool),
        oas_sql_bytes(in->token_hash, OAS_SHA256_LEN, pool),
        in->client_id,
        oas_sql_array(ids, n, OAS_SECRET_ID_LEN, pool),
        oas_sql_array(hashes, n, OAS_SHA256_LEN, pool),
        in->scope,
        in->resource,
        in->allowed,
        in->cnf,
        in->rotate ? "t" : "f",
        window_param(in->window, pool),
        oas_sql_seconds(in->idle, pool),
        in->recheck ? "t" : "f",
        oas_sql_id(in->attempt, pool),
        lines(in->providers, pool),
    };
    rv = oas_db_run_grant(db, OAS_STMT_REFRESH, params, outcomes, &outcome, grant, &rows, pool);
    if (rv != APR_SUCCESS)
        return rv;
    memset(result, 0, sizeof(*result));
    result->outcome = (oas_refresh_outcome_t)outcome;
    result->sub = oas_cell(rows, 0, OAS_GRANT_COLUMNS);
    result->key = (int)oas_cell_int(rows, 0, OAS_GRANT_COLUMNS + 1) - 1; /* SQL counts from 1 */
    result->generation = (int)oas_cell_int(rows, 0, OAS_GRANT_COLUMNS + 2);
    result->age = oas_cell_int(rows, 0, OAS_GRANT_COLUMNS + 3);
    result->reason = oas_cell(rows, 0, OAS_GRANT_COLUMNS + 4);
    return APR_SUCCESS;
}

apr_status_t oas_store_refresh_load(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                    const unsigned char token_hash[OAS_SHA256_LEN],
                                    apr_interval_time_t idle, const oas_words_t *providers,
                                    oas_grant_t *grant, const char **provider, const char **name,
                                    apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(grant_id, pool),
        oas_sql_bytes(token_hash, OAS_SHA256_LEN, pool),
        oas_sql_seconds(idle, pool),
        lines(providers, pool),
    };
    oas_rows_t *rows;
    int found;
    apr_status_t rv = oas_db_run_grant(db, OAS_STMT_REFRESH_LOAD, params, live_outcomes, &found,
                                       grant, &rows, pool);

    if (rv != APR_SUCCESS)
        return rv;
    if (provider)
        *provider = oas_cell(rows, 0, OAS_GRANT_COLUMNS);
    if (name)
        *name = oas_cell(rows, 0, OAS_GRANT_COLUMNS + 1);
    return APR_SUCCESS;
}

apr_status_t oas_store_refresh_revoke(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                      const unsigned char token_hash[OAS_SHA256_LEN],
                                      const char *client_id, int consent, apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(grant_id, pool),
        oas_sql_bytes(token_hash, OAS_SHA256_LEN, pool),
        client_id,
        consent ? "t" : "f",
    };

    return oas_db_run_true(db, OAS_STMT_REFRESH_REVOKE, params, pool);
}
