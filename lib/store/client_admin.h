/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client_admin.h
 * The clients table as an administrator lists and changes it. Of clients of a configuration, which
 * are what that says, only whether nodes without it know them is changed here.
 */
#ifndef OAS_STORE_CLIENT_ADMIN_H
#define OAS_STORE_CLIENT_ADMIN_H

#include "client.h"

typedef struct {
    const char *client_id, *name, *type;
    int configured; /**< 1: from a configuration */
    int served;     /**< 0: disabled, or no node has had it in its configuration for 3 minutes */
    int disabled;
    int secrets; /**< how many it has */
    apr_int64_t created, updated,
        seen;             /**< seconds since 1970; seen: by a node that configures it */
    const char *metadata; /**< JSON, of oas_store_client_show() only */
} oas_client_entry_t;

/**
 * By client_id, at most `limit`; array of oas_client_entry_t.
 * @param after the client_id behind which it begins, "" for all
 */
apr_status_t oas_store_clients_list(oas_db_t *db, const char *after, int limit,
                                    apr_array_header_t **out, apr_pool_t *pool);

/** APR_ENOENT: there is none. */
apr_status_t oas_store_client_show(oas_db_t *db, const char *client_id, oas_client_entry_t *out,
                                   apr_pool_t *pool);

/**
 * Adds a client of the database. One that a configuration had, and none has any more, is replaced.
 * @param metadata as oas_client_to_json() makes it
 * @return APR_EEXIST: there is one already
 */
apr_status_t oas_store_client_add(oas_db_t *db, const char *client_id, const char *metadata,
                                  apr_pool_t *pool);

/**
 * Changes the metadata of a client of the database.
 * @param before what they were when it was decided: another change since then wins
 * @return APR_ENOENT: it was changed meanwhile, is none of the database, or is gone
 */
apr_status_t oas_store_client_change(oas_db_t *db, const char *client_id, const char *metadata,
                                     const char *before, apr_pool_t *pool);

/**
 * Disables a client, or enables it again. One of a configuration stays as it is at nodes that have
 * it there, and disabled in the table however often these write it.
 * @return APR_ENOENT: there is none
 */
apr_status_t oas_store_client_disable(oas_db_t *db, const char *client_id, int disabled,
                                      apr_pool_t *pool);

#endif
