/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"

#include "runner.h"

apr_status_t oas_store_consent_withdraw(oas_db_t *db, const char *sub, const char *client_id,
                                        const char *resource, apr_pool_t *pool)
{
    const char *const params[] = {sub, client_id, resource ? resource : ""};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_CONSENT_WITHDRAW, params, &rows, pool);

    return rv == APR_SUCCESS && !oas_cell_true(rows, 0, 0) ? APR_ENOENT : rv;
}
