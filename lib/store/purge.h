/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file purge.h
 * The end of rows: work for the watchdog. One node at a time does it (advisory lock of the schema),
 * in batches, each a statement of its own that skips what others hold.
 */
#ifndef OAS_STORE_PURGE_H
#define OAS_STORE_PURGE_H

#include "db.h"

#define OAS_PURGE_BATCH 1000 /* rows of each table in one statement */

/**
 * Deletes up to `batch` rows of each table whose purge_after has passed.
 * @param deleted how many; -1: another node is at it
 * @param more 1: some table had a full batch, so there may be more
 */
apr_status_t oas_store_purge(oas_db_t *db, int batch, int *deleted, int *more, apr_pool_t *pool);

/** What of one table is due to be deleted. */
typedef struct {
    const char *table;
    apr_int64_t due;    /**< rows; as many as were asked for at most */
    apr_int64_t oldest; /**< since when the first of them is due, seconds since 1970; 0: none is */
} oas_purge_row_t;

/**
 * @param max  rows of a table that are counted: the cost is theirs, not that of all rows
 * @param out  array of oas_purge_row_t, by name
 * @param done when all was deleted that was due, last time, seconds since 1970; 0: not yet
 */
apr_status_t oas_store_purge_status(oas_db_t *db, int max, apr_array_header_t **out,
                                    apr_int64_t *done, apr_pool_t *pool);

/**
 * Ends the oldest families of those users and clients that have more than `limit` live ones
 * (reason "limit"). Looks at owners that got a new family since the last call.
 * @param ended how many; -1: another node is at it
 */
apr_status_t oas_store_limit_families(oas_db_t *db, int limit, int *ended, apr_pool_t *pool);

#endif
