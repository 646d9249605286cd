/* SPDX-License-Identifier: Apache-2.0 */
#include "account.h"

#include "runner.h"

static int read_session(void *member, const oas_rows_t *rows, int i, apr_pool_t *pool)
{
    oas_session_row_t *row = member;

    row->id = oas_cell_id(rows, i, 0, pool);
    row->created = oas_cell_int(rows, i, 1);
    row->last_used = oas_cell_int(rows, i, 2);
    row->auth_time = oas_cell_int(rows, i, 3);
    row->address = oas_cell(rows, i, 4);
    row->user_agent = oas_cell(rows, i, 5);
    row->option = oas_cell(rows, i, 6);
    row->persistent = oas_cell_true(rows, i, 7);
    return 1;
}

apr_status_t oas_store_sessions_list(oas_db_t *db, const char *sub, int skip,
                                     apr_array_header_t **out, int *more, apr_pool_t *pool)
{
    const char *const params[] = {sub, oas_sql_int(skip, pool), oas_sql_int(OAS_LIST_PART, pool)};
    apr_status_t rv = oas_db_run_list(db, OAS_STMT_SESSION_LIST, params, out,
                                      sizeof(oas_session_row_t), read_session, pool);

    *more = rv == APR_SUCCESS && (*out)->nelts > OAS_LIST_PART;
    if (*more)
        (*out)->nelts = OAS_LIST_PART;
    return rv;
}

apr_status_t oas_store_session_end_own(oas_db_t *db, const char *sub,
                                       const unsigned char session_id[OAS_ID_LEN], apr_pool_t *pool)
{
    const char *const params[] = {sub, oas_sql_id(session_id, pool)};

    return oas_db_run_true(db, OAS_STMT_SESSION_END_OWN, params, pool);
}

apr_status_t oas_store_sessions_end_others(oas_db_t *db, const char *sub,
                                           const unsigned char *keep_id, int *ended,
                                           apr_pool_t *pool)
{
    const char *const params[] = {sub, oas_sql_id(keep_id, pool)};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_SESSIONS_END_OTHERS, params, &rows, pool);

    *ended = rv == APR_SUCCESS ? (int)oas_cell_int(rows, 0, 0) : 0;
    return rv;
}

static int read_access(void *member, const oas_rows_t *rows, int i, apr_pool_t *pool)
{
    oas_access_row_t *row = member;

    row->client_id = oas_cell(rows, i, 0);
    row->resource = oas_cell(rows, i, 1);
    row->since = oas_cell_int(rows, i, 3);
    row->last_used = oas_cell_int(rows, i, 4);
    row->offline = oas_cell_true(rows, i, 5);
    row->more = oas_cell_true(rows, i, 6);
    return oas_words_parse_own(&row->scopes, oas_cell(rows, i, 2), pool) == APR_SUCCESS;
}

apr_status_t oas_store_access_list(oas_db_t *db, const char *sub, int skip,
                                   apr_array_header_t **out, int *more, apr_pool_t *pool)
{
    const char *const params[] = {sub, oas_sql_int(skip, pool), oas_sql_int(OAS_LIST_PART, pool)};
    apr_status_t rv = oas_db_run_list(db, OAS_STMT_ACCESS_LIST, params, out,
                                      sizeof(oas_access_row_t), read_access, pool);

    *more = rv == APR_SUCCESS && (*out)->nelts > 0 && APR_ARRAY_IDX(*out, 0, oas_access_row_t).more;
    return rv;
}

apr_status_t oas_store_access_withdraw(oas_db_t *db, const char *sub, const char *client_id,
                                       apr_pool_t *pool)
{
    const char *const params[] = {sub, client_id};

    return oas_db_run_true(db, OAS_STMT_ACCESS_WITHDRAW, params, pool);
}
