/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file hash.h
 * Password hashes of the built-in users: yescrypt through libxcrypt (crypt(5)). These functions
 * compute in the calling thread; in a server they are called by way of hasher.h.
 *
 * A cost is the count of OAuth2ASPasswordCost, OAS_COST_MIN to OAS_COST_MAX, or 0 for libxcrypt's
 * default. Each step takes twice the memory, and about twice the time, of the one before.
 */
#ifndef OAS_LOGIN_HASH_H
#define OAS_LOGIN_HASH_H

#include <apr_errno.h>
#include <apr_pools.h>

#define OAS_COST_MIN 1
#define OAS_COST_MAX 11 /**< 1 GiB of memory for each hash */

/**
 * A new yescrypt hash ("$y$...") with a random salt, in `pool`.
 * APR_EGENERAL when libxcrypt cannot make one.
 */
apr_status_t oas_password_hash(const char **out, const char *password, int cost, apr_pool_t *pool);

/**
 * 1 when the password is the one of `hash` (any crypt(5) form), compared in constant time. With a
 * NULL hash the work of a hash of that cost is done, and 0 is returned. Thread-safe.
 */
int oas_password_matches(const char *password, const char *hash, int cost);

/** 1 when `hash` is weaker than a new one of this cost: another method, or a yescrypt of less
 * memory. */
int oas_password_outdated(const char *hash, int cost);

/** What a hash is known by without being shown (oas_identity_t.proof): its SHA-256 in hex, as the
 * store compares it. */
const char *oas_password_proof(const char *hash, apr_pool_t *pool);

#endif
