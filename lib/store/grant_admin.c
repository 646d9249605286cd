/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_admin.h"

#include "runner.h"

#define BATCH 2000 /* rows that one statement looks at: some tens of milliseconds */

static int read_entry(void *member, const oas_rows_t *rows, int i, apr_pool_t *pool)
{
    oas_grant_entry_t *entry = member;

    entry->id = oas_cell_id(rows, i, 0, pool);
    entry->client_id = oas_cell(rows, i, 1);
    entry->sub = oas_cell(rows, i, 2);
    entry->scope = oas_cell(rows, i, 3);
    entry->resource = oas_cell(rows, i, 4);
    entry->sid = oas_cell_id(rows, i, 5, pool);
    entry->created = oas_cell_int(rows, i, 6);
    entry->activated = oas_cell_int(rows, i, 7);
    entry->last_used = oas_cell_int(rows, i, 8);
    entry->expires = oas_cell_int(rows, i, 9);
    entry->generation = (int)oas_cell_int(rows, i, 10);
    entry->state = oas_cell(rows, i, 11);
    entry->reason = oas_cell(rows, i, 12);
    entry->revoked = oas_cell_int(rows, i, 13);
    return 1;
}

apr_status_t oas_store_grants_list(oas_db_t *db, const oas_grant_filter_t *filter,
                                   apr_array_header_t **out, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(filter->grant_id, pool), filter->sub,
                                  filter->client_id, filter->all ? "t" : "f",
                                  oas_sql_int(filter->limit, pool)};

    return oas_db_run_list(db, OAS_STMT_GRANTS_LIST, params, out, sizeof(oas_grant_entry_t),
                           read_entry, pool);
}

static int read_token(void *member, const oas_rows_t *rows, int i, apr_pool_t *pool)
{
    oas_lineage_t *token = member;

    token->generation = (int)oas_cell_int(rows, i, 0);
    token->parent = (int)oas_cell_int(rows, i, 1);
    token->created = oas_cell_int(rows, i, 2);
    return 1;
}

apr_status_t oas_store_lineage(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN], int limit,
                               apr_array_header_t **out, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(grant_id, pool), oas_sql_int(limit, pool)};

    return oas_db_run_list(db, OAS_STMT_GRANT_TOKENS, params, out, sizeof(oas_lineage_t),
                           read_token, pool);
}

apr_status_t oas_store_grant_end(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                 const char *reason, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(grant_id, pool), reason};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_GRANTS_REVOKE, params, &rows, pool);

    return rv == APR_SUCCESS && !oas_cell_int(rows, 0, 0) ? APR_ENOENT : rv;
}

/* Runs a statement again and again from where it has come to. Its answer: how many it ended, and
 * its new values of the last `cursors` parameters; the first one NULL: there is no more. */
static apr_status_t end_all(oas_db_t *db, oas_stmt_id_t id, const char **params, int cursors,
                            apr_int64_t *ended, apr_pool_t *pool)
{
    const char **cursor = params + oas_statements[id].params - cursors;
    oas_rows_t *rows;
    int i;

    *ended = 0;
    do {
        apr_status_t rv;

        oas_db_renew(db);
        rv = oas_db_run_row(db, id, params, &rows, pool);
        if (rv != APR_SUCCESS)
            return rv;
        *ended += oas_cell_int(rows, 0, 0);
        for (i = 0; i < cursors; i++)
            cursor[i] = oas_cell(rows, 0, 1 + i);
    } while (cursor[0]);
    return APR_SUCCESS;
}

apr_status_t oas_store_grants_end(oas_db_t *db, const char *sub, const char *client_id,
                                  const char *reason, apr_int64_t *ended, apr_pool_t *pool)
{
    const char *params[] = {sub, client_id, reason, oas_sql_int(BATCH, pool), NULL, NULL};

    return end_all(db, OAS_STMT_GRANTS_END, params, 2, ended, pool);
}

static apr_status_t end_before(oas_db_t *db, oas_stmt_id_t id, apr_int64_t time, const char *reason,
                               apr_int64_t *ended, apr_pool_t *pool)
{
    const char *params[] = {oas_sql_int(time, pool), reason, oas_sql_int(BATCH, pool), NULL};

    return end_all(db, id, params, 1, ended, pool);
}

apr_status_t oas_store_grants_end_before(oas_db_t *db, apr_int64_t time, const char *reason,
                                         apr_int64_t *ended, apr_pool_t *pool)
{
    return end_before(db, OAS_STMT_GRANTS_END_BEFORE, time, reason, ended, pool);
}

apr_status_t oas_store_sessions_end_before(oas_db_t *db, apr_int64_t time, const char *reason,
                                           apr_int64_t *ended, apr_pool_t *pool)
{
    return end_before(db, OAS_STMT_SESSIONS_END_BEFORE, time, reason, ended, pool);
}
