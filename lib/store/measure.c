/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include "purge.h"
#include "runner.h"

apr_status_t oas_store_measure(oas_db_t *db, oas_measured_t *out, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_int(OAS_MEASURE_MAX, pool)};
    apr_array_header_t *tables;
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_LOGOUTS_COUNT, params, &rows, pool);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    out->logouts = oas_cell_int(rows, 0, 0);
    out->schema_version = (int)oas_cell_int(rows, 0, 1);
    oas_db_release(db);
    rv = oas_store_purge_status(db, OAS_MEASURE_MAX, &tables, &out->purged, pool);
    out->due = 0;
    for (i = 0; rv == APR_SUCCESS && i < tables->nelts; i++)
        out->due += APR_ARRAY_IDX(tables, i, oas_purge_row_t).due;
    return rv;
}
