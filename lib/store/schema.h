/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file schema.h
 * The schema's version and the issuer it belongs to (law 11). For tools: the verbs wait as long as
 * it takes, and need the owner of the schema.
 */
#ifndef OAS_STORE_SCHEMA_H
#define OAS_STORE_SCHEMA_H

#include "db.h"

#define OAS_SCHEMA_VERSION 4 /**< number of the newest files in schema/ */

/**
 * Applies the files NNN-*.sql of `dir` that are newer than the database, and records the issuer at
 * the first one. Files with the same number are one version: they are applied by name in one
 * transaction, under an advisory lock, which has all tables of the schema for itself. While others
 * hold them it tries again for half a minute.
 * @param from version found (0: none); @param to version reached, also when a later file failed
 * @return APR_EEXIST: the schema belongs to another issuer; APR_EINVAL: a file failed, a number is
 *         missing or the database is newer than the files (*why, in pool); APR_ENOENT: no such file
 */
apr_status_t oas_schema_apply(oas_db_t *db, const char *dir, const char *issuer, int *from, int *to,
                              const char **why, apr_pool_t *pool);

/** Version 0: no schema. */
apr_status_t oas_schema_status(oas_db_t *db, int *version, const char **issuer, apr_pool_t *pool);

/** How many partitions the tables that are keyed by the grant are in; 1: they are whole. */
apr_status_t oas_schema_partitions(oas_db_t *db, int *count, apr_pool_t *pool);

/**
 * Puts these tables into 1 to 256 partitions by the hash of grant_id, rows and all, while nobody
 * else reads or writes them. Nothing happens when they are as they should be.
 * @return APR_EINVAL: it cannot be done, nothing has changed (*why, in pool)
 */
apr_status_t oas_schema_partition(oas_db_t *db, int count, const char **why, apr_pool_t *pool);

/** 1 when this program can work with that version: its own, or the next one, on which nothing that
 * this one sends stops working. */
int oas_schema_usable(int version);

/**
 * Gives a role what httpd needs and nothing more (the table oas_rights).
 * APR_EINVAL: no such role, or the caller does not own the schema (*why, in pool).
 */
apr_status_t oas_schema_grant(oas_db_t *db, const char *role, const char **why, apr_pool_t *pool);

#endif
