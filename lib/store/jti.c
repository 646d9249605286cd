/* SPDX-License-Identifier: Apache-2.0 */
#include "jti.h"

#include "runner.h"

apr_status_t oas_store_jti_use(oas_db_t *db, const unsigned char key[OAS_SHA256_LEN],
                               apr_int64_t expires, const unsigned char attempt[OAS_ID_LEN],
                               apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_bytes(key, OAS_SHA256_LEN, pool),
        oas_sql_id(attempt, pool),
        oas_sql_int(expires, pool),
    };
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_JTI_USE, params, NULL, pool);

    return rv == APR_ENOENT ? APR_EEXIST : rv;
}

apr_status_t oas_store_jti_revoke(oas_db_t *db, const char *jti, apr_int64_t expires,
                                  apr_pool_t *pool)
{
    const char *const params[] = {jti, oas_sql_int(expires, pool)};
    oas_rows_t *rows;

    return oas_db_run(db, OAS_STMT_JTI_REVOKE, params, &rows, pool);
}

apr_status_t oas_store_jti_load(oas_db_t *db, const char *jti, int *revoked, apr_int64_t *now,
                                apr_pool_t *pool)
{
    const char *const params[] = {jti};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_JTI_LOAD, params, &rows, pool);

    if (rv != APR_SUCCESS)
        return rv;
    *revoked = oas_cell_true(rows, 0, 0);
    *now = oas_cell_int(rows, 0, 1);
    return APR_SUCCESS;
}
