/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <string.h>
#include "runner.h"

apr_status_t oas_store_client_sync(oas_db_t *db, const oas_client_t *client, apr_pool_t *pool)
{
    const char *const params[] = {client->client_id, client->config_hash, client->config_json};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run(db, OAS_STMT_CLIENT_SYNC, params, &rows, pool);
    const char *source;

    if (rv != APR_SUCCESS)
        return rv;
    /* what was there before this statement; nothing when it is new */
    source = oas_cell(rows, 0, 0);
    return source && strcmp(source, "configuration") ? APR_EEXIST : APR_SUCCESS;
}

apr_status_t oas_store_client_load(oas_db_t *db, const char *client_id, oas_client_t **out,
                                   apr_pool_t *pool)
{
    const char *const params[] = {client_id};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_CLIENT_LOAD, params, &rows, pool);

    *out = NULL;
    if (rv != APR_SUCCESS)
        return rv;
    rv = oas_client_from_json(out, oas_cell(rows, 0, 0), pool);
    if (rv == OAS_CLIENT_UNSOUND)
        return rv;
    if (rv == APR_SUCCESS)
        (*out)->config_json = oas_cell(rows, 0, 0);
    /* the row is not what the key says: ours, not the caller's fault */
    return rv == APR_SUCCESS && !strcmp((*out)->client_id, client_id)
               ? APR_SUCCESS
               : oas_db_unreadable(db, OAS_STMT_CLIENT_LOAD);
}
