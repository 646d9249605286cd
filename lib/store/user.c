/* SPDX-License-Identifier: Apache-2.0 */
#include "user.h"

#include "runner.h"

static int read_user(void *member, const oas_rows_t *rows, int row, apr_pool_t *pool)
{
    oas_user_t *user = member;

    user->name = oas_cell(rows, row, 0);
    user->password_hash = oas_cell(rows, row, 1);
    user->locked = oas_cell_true(rows, row, 2);
    user->claims = oas_cell(rows, row, 3);
    user->created = oas_cell(rows, row, 4);
    user->password_changed = oas_cell(rows, row, 5);
    return 1;
}

apr_status_t oas_store_user_load(oas_db_t *db, const char *name, oas_user_t *out, apr_pool_t *pool)
{
    const char *const params[] = {name};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_USER_LOAD, params, &rows, pool);

    if (rv == APR_SUCCESS)
        read_user(out, rows, 0, pool);
    return rv;
}

apr_status_t oas_store_user_add(oas_db_t *db, const char *name, const char *password_hash,
                                const char *claims, apr_pool_t *pool)
{
    const char *const params[] = {name, password_hash, claims};
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_USER_ADD, params, NULL, pool);

    return rv == APR_ENOENT ? APR_EEXIST : rv;
}

apr_status_t oas_store_user_passwd(oas_db_t *db, const char *name, const char *password_hash,
                                   apr_pool_t *pool)
{
    const char *const params[] = {name, password_hash};

    return oas_db_run_true(db, OAS_STMT_USER_PASSWD, params, pool);
}

apr_status_t oas_store_user_change(oas_db_t *db, const char *name, const char *proof,
                                   const char *new_hash, const unsigned char *keep_session_id,
                                   apr_pool_t *pool)
{
    const char *const params[] = {name, proof, new_hash, oas_sql_id(keep_session_id, pool)};

    return oas_db_run_true(db, OAS_STMT_USER_CHANGE, params, pool);
}

apr_status_t oas_store_user_rehash(oas_db_t *db, const char *name, const char *proof,
                                   const char *new_hash, apr_pool_t *pool)
{
    const char *const params[] = {name, proof, new_hash};

    return oas_db_run_true(db, OAS_STMT_USER_REHASH, params, pool);
}

apr_status_t oas_store_user_lock(oas_db_t *db, const char *name, int locked, apr_pool_t *pool)
{
    const char *const params[] = {name, locked ? "t" : "f"};

    return oas_db_run_true(db, OAS_STMT_USER_LOCK, params, pool);
}

apr_status_t oas_store_user_list(oas_db_t *db, apr_array_header_t **out, apr_pool_t *pool)
{
    return oas_db_run_list(db, OAS_STMT_USER_LIST, NULL, out, sizeof(oas_user_t), read_user, pool);
}
