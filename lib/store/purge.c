/* SPDX-License-Identifier: Apache-2.0 */
#include "purge.h"

#include "runner.h"

#define LIMIT_BATCH  1000 /* new families that one statement looks at, and old ones that it ends */
#define LIMIT_ROUNDS 100  /* statements of one call, so that a backlog keeps nobody for long */

/* Runs a statement that answers with a count and whether there is more; count -1: not alone. */
static apr_status_t run_batch(oas_db_t *db, oas_stmt_id_t id, const char *const *params, int *count,
                              int *more, apr_pool_t *pool)
{
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, id, params, &rows, pool);

    if (rv != APR_SUCCESS)
        return rv;
    *count = oas_cell(rows, 0, 0) ? (int)oas_cell_int(rows, 0, 0) : -1;
    *more = oas_cell_true(rows, 0, 1);
    return APR_SUCCESS;
}

apr_status_t oas_store_purge(oas_db_t *db, int batch, int *deleted, int *more, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_int(batch, pool)};

    return run_batch(db, OAS_STMT_PURGE, params, deleted, more, pool);
}

apr_status_t oas_store_limit_families(oas_db_t *db, int limit, int *ended, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_int(limit, pool), oas_sql_int(LIMIT_BATCH, pool)};
    int i, count, more = 1;

    *ended = 0;
    for (i = 0; more && i < LIMIT_ROUNDS; i++) {
        apr_status_t rv = run_batch(db, OAS_STMT_LIMIT_FAMILIES, params, &count, &more, pool);

        if (rv != APR_SUCCESS)
            return rv;
        if (count < 0 && i == 0)
            *ended = -1;
        else if (count > 0)
            *ended += count;
        oas_db_release(db); /* somebody may wait for it */
    }
    return APR_SUCCESS;
}

static int read_table(void *member, const oas_rows_t *rows, int i, apr_pool_t *pool)
{
    oas_purge_row_t *row = member;

    row->table = oas_cell(rows, i, 0);
    row->due = oas_cell_int(rows, i, 1);
    row->oldest = oas_cell_int(rows, i, 2);
    return 1;
}

apr_status_t oas_store_purge_status(oas_db_t *db, int max, apr_array_header_t **out,
                                    apr_int64_t *done, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_int(max, pool)};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run(db, OAS_STMT_PURGE_STATUS, params, &rows, pool);

    if (rv != APR_SUCCESS)
        return rv;
    *done = oas_cell_int(rows, 0, 3);
    oas_rows_list(out, rows, 0, sizeof(oas_purge_row_t), read_table, pool);
    return APR_SUCCESS;
}
