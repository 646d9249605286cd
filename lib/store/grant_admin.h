/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file grant_admin.h
 * Grants as an administrator lists and ends them. Times are seconds since 1970 by the database's
 * clock, 0 where there is none; ids are base64url, as tokens and the audit log have them.
 */
#ifndef OAS_STORE_GRANT_ADMIN_H
#define OAS_STORE_GRANT_ADMIN_H

#include "db.h"

typedef struct {
    const char *id, *client_id, *sub, *scope;
    const char *resource, *sid; /**< or NULL */
    apr_int64_t created, activated, last_used, expires, revoked;
    int generation; /**< of the refresh token that is valid now; 0: there is none */
    const char
        *state; /**< "live", "pending" (its code was not redeemed yet), "expired", "revoked" */
    const char *reason; /**< why it was revoked, or NULL */
} oas_grant_entry_t;

/** Which grants; sub, client_id or both, or one id. */
typedef struct {
    const unsigned char *grant_id; /**< OAS_ID_LEN bytes, or NULL */
    const char *sub, *client_id;   /**< or NULL */
    int all;                       /**< 1: those that have ended too, as long as they are kept */
    int limit;
} oas_grant_filter_t;

/** The newest first; array of oas_grant_entry_t. */
apr_status_t oas_store_grants_list(oas_db_t *db, const oas_grant_filter_t *filter,
                                   apr_array_header_t **out, apr_pool_t *pool);

/** A token of a family's lineage. */
typedef struct {
    int generation; /**< from 1 */
    int parent;     /**< the one it replaced; 0: none */
    apr_int64_t created;
} oas_lineage_t;

/** The newest `limit` tokens of a grant's family, the newest first; array of oas_lineage_t. */
apr_status_t oas_store_lineage(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN], int limit,
                               apr_array_header_t **out, apr_pool_t *pool);

/**
 * Revokes one grant.
 * @return APR_ENOENT: there is none, or it was revoked before
 */
apr_status_t oas_store_grant_end(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                 const char *reason, apr_pool_t *pool);

/**
 * Revokes all grants of a subject, of a client, or of both, in statements of some thousand rows, so
 * that nobody waits for long. Grants that are made meanwhile are among them, or not.
 * @param ended how many; also when the rest failed
 */
apr_status_t oas_store_grants_end(oas_db_t *db, const char *sub, const char *client_id,
                                  const char *reason, apr_int64_t *ended, apr_pool_t *pool);

/** Revokes every grant made up to `time`; otherwise as above. */
apr_status_t oas_store_grants_end_before(oas_db_t *db, apr_int64_t time, const char *reason,
                                         apr_int64_t *ended, apr_pool_t *pool);

/** The same for sessions; what has no refresh token ends with its session. */
apr_status_t oas_store_sessions_end_before(oas_db_t *db, apr_int64_t time, const char *reason,
                                           apr_int64_t *ended, apr_pool_t *pool);

#endif
