/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file user.h
 * The users of the built-in provider `oauth2as`. Names are folded to lower case (ASCII) by the
 * caller.
 */
#ifndef OAS_STORE_USER_H
#define OAS_STORE_USER_H

#include "db.h"

typedef struct {
    const char *name;
    const char *password_hash; /**< crypt(3) form, $y$... */
    int locked;
    const char *claims;                     /**< JSON object of standard claims */
    const char *created, *password_changed; /**< ISO 8601 UTC text */
} oas_user_t;

/** APR_ENOENT: no such user. */
apr_status_t oas_store_user_load(oas_db_t *db, const char *name, oas_user_t *out, apr_pool_t *pool);
/** APR_EEXIST: there is one already. */
apr_status_t oas_store_user_add(oas_db_t *db, const char *name, const char *password_hash,
                                const char *claims, apr_pool_t *pool);
/** Changes the password; ends the user's sessions and grants. APR_ENOENT as above. */
apr_status_t oas_store_user_passwd(oas_db_t *db, const char *name, const char *password_hash,
                                   apr_pool_t *pool);
/**
 * A user's own change of the password: ends the user's other sessions and all grants. Safe to
 * repeat.
 * @param proof of the password that was given as the present one, as oas_identity_t has it
 * @param keep_session_id the session that goes on, OAS_ID_LEN bytes, or NULL
 * @return APR_ENOENT: no such user, locked, or the password has been changed since `proof` was made
 */
apr_status_t oas_store_user_change(oas_db_t *db, const char *name, const char *proof,
                                   const char *new_hash, const unsigned char *keep_session_id,
                                   apr_pool_t *pool);
/**
 * The same password at a higher cost: ends nothing, and logins under way that were checked against
 * the hash before still succeed. APR_ENOENT: `proof` is not that of the hash that is there now.
 */
apr_status_t oas_store_user_rehash(oas_db_t *db, const char *name, const char *proof,
                                   const char *new_hash, apr_pool_t *pool);
/** Locks or unlocks; locking ends the user's sessions and grants. APR_ENOENT as above. */
apr_status_t oas_store_user_lock(oas_db_t *db, const char *name, int locked, apr_pool_t *pool);
/** All users by name; array of oas_user_t without password_hash. */
apr_status_t oas_store_user_list(oas_db_t *db, apr_array_header_t **out, apr_pool_t *pool);

#endif
