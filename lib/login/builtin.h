/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file builtin.h
 * The built-in users (provider `oauth2as`).
 */
#ifndef OAS_LOGIN_BUILTIN_H
#define OAS_LOGIN_BUILTIN_H

#include "../base/tx.h"

/**
 * Checks a built-in user. An unknown user, a locked one and a wrong password cost the same work.
 * @param claims    when granted: the user's claims, owned by the pool
 * @param canonical when granted: the name in the table
 * @return OAS_PASSWORD_UNKNOWN for no such user, OAS_PASSWORD_DENIED for a wrong password or a
 * locked user, OAS_PASSWORD_UNAVAILABLE when the database cannot be asked
 */
oas_password_result_t oas_builtin_check(struct oas_db *db, const char *user, const char *password,
                                        const json_t **claims, const char **canonical,
                                        apr_pool_t *pool);

#endif
