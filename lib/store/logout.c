/* SPDX-License-Identifier: Apache-2.0 */
#include "logout.h"

#include <apr_strings.h>
#include "../base/bytes.h"
#include "runner.h"

/* There is a row for the session though no client took part. */
static int read_client(void *member, const oas_rows_t *rows, int i, apr_pool_t *pool)
{
    const char **client_id = member;

    *client_id = oas_cell(rows, i, 1);
    return *client_id != NULL;
}

apr_status_t oas_store_session_logout(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                      const unsigned char secret_hash[OAS_SHA256_LEN],
                                      apr_array_header_t **client_ids, apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(id, pool),
        oas_sql_bytes(secret_hash, OAS_SHA256_LEN, pool),
    };
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run(db, OAS_STMT_SESSION_LOGOUT, params, &rows, pool);

    if (rv != APR_SUCCESS)
        return rv;
    oas_rows_list(client_ids, rows, 0, sizeof(const char *), read_client, pool);
    return oas_cell_true(rows, 0, 0) ? APR_SUCCESS : APR_ENOENT;
}

static int read_logout(void *member, const oas_rows_t *rows, int i, apr_pool_t *pool)
{
    oas_logout_t *logout = member;

    logout->client_id = oas_cell(rows, i, 1);
    logout->sid = oas_cell_id(rows, i, 2, pool);
    logout->sub = oas_cell(rows, i, 3);
    logout->attempts = (int)oas_cell_int(rows, i, 4);
    logout->now = oas_cell_int(rows, i, 5);
    logout->expires = oas_cell_int(rows, i, 6);
    logout->extra = oas_cell_true(rows, i, 7);
    return oas_cell_uuid(rows, i, 0, logout->id);
}

apr_status_t oas_store_logouts_claim(oas_db_t *db, const oas_logouts_claim_t *want,
                                     apr_array_header_t **out, apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_int(want->max, pool),
        oas_sql_int(want->extra, pool),
        oas_sql_int(want->per_client, pool),
        oas_sql_seconds(want->lease, pool),
    };

    return oas_db_run_list(db, OAS_STMT_LOGOUTS_CLAIM, params, out, sizeof(oas_logout_t),
                           read_logout, pool);
}

apr_status_t oas_store_logout_done(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                   apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(id, pool)};

    return oas_db_run_row(db, OAS_STMT_LOGOUT_DONE, params, NULL, pool);
}

apr_status_t oas_store_logout_later(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                    apr_interval_time_t delay, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(id, pool), oas_sql_seconds(delay, pool)};

    return oas_db_run_row(db, OAS_STMT_LOGOUT_LATER, params, NULL, pool);
}
