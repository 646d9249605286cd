/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file hash.h
 * Password hashes of the built-in users: yescrypt through libxcrypt (crypt(5)).
 */
#ifndef OAS_LOGIN_HASH_H
#define OAS_LOGIN_HASH_H

#include <apr_errno.h>
#include <apr_pools.h>

/**
 * A new yescrypt hash ("$y$...") at libxcrypt's default cost, with a random salt, in `pool`.
 * APR_EGENERAL when libxcrypt cannot make one.
 */
apr_status_t oas_password_hash(const char **out, const char *password, apr_pool_t *pool);

/**
 * 1 when the password is the one of `hash` (any crypt(5) form), compared in constant time. With a
 * NULL hash the same work is done against a hash nobody has the password of, and 0 is returned.
 * Thread-safe.
 */
int oas_password_matches(const char *password, const char *hash);

#endif
