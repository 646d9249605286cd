/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file hasher.h
 * Password hashing within bounds: a few threads of a child process, at a lower priority than those
 * that answer requests, and a short queue before them; and not more at once in all child processes
 * than half of the processors. So a flood of sign-ins takes neither the processors nor all worker
 * threads from the other endpoints.
 */
#ifndef OAS_LOGIN_HASHER_H
#define OAS_LOGIN_HASHER_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

#define OAS_HASHER_WAITING 64 /**< places in the queue of a child process */

typedef struct oas_hasher oas_hasher_t;
typedef struct oas_hasher_slots oas_hasher_slots_t;

/** Half of the processors that this process may use, at least 1: what oas_hasher_create is given.
 */
int oas_hasher_threads(void);

/**
 * What the child processes of a server share: all together compute no more than `count` hashes at
 * once. To be made before they are forked. The slot of a child that was killed comes back when
 * somebody has waited for it for seconds; so it does when a hash takes as long as that, and then
 * there may be one more at once for a while.
 */
apr_status_t oas_hasher_slots_create(oas_hasher_slots_t **out, int count, apr_pool_t *pool);

/**
 * Starts the threads; they end with the pool, once their present hash is done. For one child
 * process: threads do not survive a fork.
 * @param slots   shared with other processes, or NULL
 * @param threads how many hashes may be computed at once
 * @param waiting how many may wait for that
 */
apr_status_t oas_hasher_create(oas_hasher_t **out, oas_hasher_slots_t *slots, int threads,
                               int waiting, apr_pool_t *pool);

/**
 * Calls `work` on one of the threads and returns when it has ended: whatever belongs to the caller
 * is meanwhile that thread's.
 * @param hasher NULL: it is called in the calling thread (commands, unit tests)
 * @param waited how long it took until a thread was free is added to it; may be NULL
 * @return APR_EAGAIN, and `work` is not called: as many wait as may, or its turn did not come
 * within OAS_HASHER_PATIENCE. The request is then answered 503 with Retry-After.
 */
apr_status_t oas_hasher_run(oas_hasher_t *hasher, void (*work)(void *baton), void *baton,
                            apr_interval_time_t *waited);
#define OAS_HASHER_PATIENCE apr_time_from_sec(10)

/**
 * oas_password_matches, within bounds.
 * @param cost what is done for a NULL hash
 * @return APR_EAGAIN as oas_hasher_run; otherwise *matches is set
 */
apr_status_t oas_hasher_matches(oas_hasher_t *hasher, const char *password, const char *hash,
                                int cost, int *matches, apr_interval_time_t *waited);

/**
 * oas_password_hash, within bounds. No database connection may be held (oas_db_release).
 * @param hasher tx->hasher
 * @param cost   tx->issuer->password_cost
 * @return APR_EAGAIN as oas_hasher_run; APR_EGENERAL when libxcrypt cannot make a hash
 */
apr_status_t oas_hasher_hash(oas_hasher_t *hasher, const char **out, const char *password, int cost,
                             apr_pool_t *pool);

#endif
