/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <string.h>
#include "../base/bytes.h"
#include "runner.h"

apr_status_t oas_store_session_open(oas_db_t *db, const oas_session_new_t *in, oas_session_t *out,
                                    apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(in->session_id, pool),
        oas_sql_bytes(in->secret_hash, OAS_SHA256_LEN, pool),
        in->sub,
        in->provider,
        in->name,
        in->claims,
        in->amr ? in->amr : "",
        in->acr,
        oas_sql_int(in->auth_time, pool),
        in->option,
        in->persistent ? "t" : "f",
        oas_sql_seconds(in->lifetime, pool),
        oas_sql_seconds(in->idle, pool),
        in->address,
        in->user_agent,
        oas_sql_id(in->old_session_id, pool),
        oas_sql_bytes(in->old_secret_hash, OAS_SHA256_LEN, pool),
        oas_throttle_forgotten(in->attempt, pool),
        oas_throttle_forgiven(in->attempt, pool),
        in->proof,
        in->once ? "t" : "f",
    };
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_SESSION_OPEN, params, &rows, pool);

    if (rv != APR_SUCCESS)
        return rv;
    memset(out, 0, sizeof(*out));
    out->id = oas_cell_id(rows, 0, 0, pool);
    out->sub = in->sub;
    out->provider = in->provider;
    out->name = in->name;
    out->option = in->option;
    out->persistent = in->persistent;
    out->login = in->name;
    out->builtin = strcmp(in->provider, OAS_BUILTIN_PROVIDER) == 0 ? in->name : NULL;
    out->auth_time = oas_cell_int(rows, 0, 1);
    out->now = oas_cell_int(rows, 0, 2);
    out->amr = oas_cell(rows, 0, 3);
    out->acr = oas_cell(rows, 0, 4);
    return APR_SUCCESS;
}

apr_status_t oas_store_session_load(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                    const unsigned char secret_hash[OAS_SHA256_LEN],
                                    const char *client_id, const char *resource,
                                    apr_interval_time_t idle, oas_session_t *out, apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(id, pool),
        oas_sql_bytes(secret_hash, OAS_SHA256_LEN, pool),
        client_id,
        resource ? resource : "",
        oas_sql_seconds(idle, pool),
    };
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_SESSION_LOAD, params, &rows, pool);

    if (rv != APR_SUCCESS)
        return rv;
    memset(out, 0, sizeof(*out));
    out->id = oas_cell_id(rows, 0, 0, pool);
    out->sub = oas_cell(rows, 0, 1);
    out->name = oas_cell(rows, 0, 2);
    out->auth_time = oas_cell_int(rows, 0, 3);
    out->now = oas_cell_int(rows, 0, 4);
    out->amr = oas_cell(rows, 0, 5);
    out->acr = oas_cell(rows, 0, 6);
    out->provider = oas_cell(rows, 0, 7);
    out->option = oas_cell(rows, 0, 8);
    out->persistent = oas_cell_true(rows, 0, 9);
    out->login = oas_cell(rows, 0, 12);
    out->expires = oas_cell_int(rows, 0, 13);
    out->builtin = oas_cell(rows, 0, 14);
    if (oas_cell_true(rows, 0, 10) &&
        oas_words_parse_own(&out->consented, oas_cell(rows, 0, 11), pool) != APR_SUCCESS)
        return oas_db_unreadable(db, OAS_STMT_SESSION_LOAD);
    return APR_SUCCESS;
}

apr_status_t oas_store_session_end(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                   const unsigned char secret_hash[OAS_SHA256_LEN],
                                   apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(id, pool),
        oas_sql_bytes(secret_hash, OAS_SHA256_LEN, pool),
    };

    return oas_db_run_true(db, OAS_STMT_SESSION_END, params, pool);
}
