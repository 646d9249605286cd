/* SPDX-License-Identifier: Apache-2.0 */
#include "client_admin.h"

#include <string.h>
#include "../base/bytes.h"
#include "runner.h"

static int read_entry(void *member, const oas_rows_t *rows, int i, apr_pool_t *pool)
{
    oas_client_entry_t *entry = member;

    entry->client_id = oas_cell(rows, i, 0);
    entry->name = oas_cell(rows, i, 1);
    entry->type = oas_cell(rows, i, 2);
    entry->configured = oas_cell_true(rows, i, 3);
    entry->served = oas_cell_true(rows, i, 4);
    entry->disabled = oas_cell_true(rows, i, 5);
    entry->secrets = (int)oas_cell_int(rows, i, 6);
    entry->created = oas_cell_int(rows, i, 7);
    entry->updated = oas_cell_int(rows, i, 8);
    entry->seen = oas_cell_int(rows, i, 9);
    entry->metadata = oas_cell(rows, i, 10);
    return 1;
}

apr_status_t oas_store_clients_list(oas_db_t *db, const char *after, int limit,
                                    apr_array_header_t **out, apr_pool_t *pool)
{
    const char *const params[] = {after, oas_sql_int(limit, pool)};

    return oas_db_run_list(db, OAS_STMT_CLIENTS_LIST, params, out, sizeof(oas_client_entry_t),
                           read_entry, pool);
}

apr_status_t oas_store_client_show(oas_db_t *db, const char *client_id, oas_client_entry_t *out,
                                   apr_pool_t *pool)
{
    const char *const params[] = {client_id};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_CLIENT_SHOW, params, &rows, pool);

    if (rv == APR_SUCCESS)
        read_entry(out, rows, 0, pool);
    return rv;
}

static const char *hash_of(const char *metadata, apr_pool_t *pool)
{
    unsigned char hash[OAS_SHA256_LEN];

    oas_sha256(metadata, strlen(metadata), hash);
    return oas_hex_encode(pool, hash, sizeof(hash));
}

apr_status_t oas_store_client_add(oas_db_t *db, const char *client_id, const char *metadata,
                                  apr_pool_t *pool)
{
    const char *const params[] = {client_id, hash_of(metadata, pool), metadata};
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_CLIENT_ADD, params, NULL, pool);

    return rv == APR_ENOENT ? APR_EEXIST : rv;
}

apr_status_t oas_store_client_change(oas_db_t *db, const char *client_id, const char *metadata,
                                     const char *before, apr_pool_t *pool)
{
    const char *const params[] = {client_id, hash_of(metadata, pool), metadata, before};

    return oas_db_run_row(db, OAS_STMT_CLIENT_CHANGE, params, NULL, pool);
}

apr_status_t oas_store_client_disable(oas_db_t *db, const char *client_id, int disabled,
                                      apr_pool_t *pool)
{
    const char *const params[] = {client_id, disabled ? "t" : "f"};

    return oas_db_run_row(db, OAS_STMT_CLIENT_DISABLE, params, NULL, pool);
}
