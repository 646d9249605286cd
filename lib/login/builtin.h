/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file builtin.h
 * The built-in users (provider `oauth2as`).
 */
#ifndef OAS_LOGIN_BUILTIN_H
#define OAS_LOGIN_BUILTIN_H

#include "../base/tx.h"

typedef struct {
    const char *name; /**< in the table */
    const json_t *claims;
    const char *proof; /**< oas_identity_t */
} oas_builtin_user_t;

/** What hashing needs. */
typedef struct {
    struct oas_hasher *hasher;   /**< tx->hasher */
    int cost;                    /**< issuer.password_cost */
    apr_interval_time_t *waited; /**< what waiting for a thread took is added to it */
} oas_builtin_t;

/**
 * Checks a built-in user. An unknown user, a locked one and a wrong password cost the same work.
 * Whose hash is weaker than new ones (oas_password_outdated) gets a new one of the same password.
 * @param out filled when granted, out of `pool`
 * @return OAS_PASSWORD_UNKNOWN for no such user, OAS_PASSWORD_DENIED for a wrong password or a
 * locked user, OAS_PASSWORD_UNAVAILABLE when the database cannot be asked, OAS_PASSWORD_BUSY when
 * too many are being checked
 */
oas_password_result_t oas_builtin_check(struct oas_db *db, const oas_builtin_t *how,
                                        const char *user, const char *password,
                                        oas_builtin_user_t *out, apr_pool_t *pool);

#endif
