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
/** Locks or unlocks; locking ends the user's sessions and grants. APR_ENOENT as above. */
apr_status_t oas_store_user_lock(oas_db_t *db, const char *name, int locked, apr_pool_t *pool);
/** All users by name; array of oas_user_t without password_hash. */
apr_status_t oas_store_user_list(oas_db_t *db, apr_array_header_t **out, apr_pool_t *pool);

#endif
