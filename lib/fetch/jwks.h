/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jwks.h
 * The keys behind the clients' jwks_uri, remembered by each process.
 *
 * A set is used for OAS_JWKS_FRESH without being asked for again. Whoever finds it older fetches
 * it, alone for that URI; the others use the old one meanwhile, and wait only when there is none. A
 * key that is not in the set has it fetched again, at most once in OAS_JWKS_AGAIN. When a fetch
 * fails, the old set is used up to OAS_JWKS_STALE, and nothing is tried again for OAS_JWKS_PAUSE.
 *
 * At most OAS_JWKS_WAITERS requests wait for one URI, OAS_JWKS_WAITERS_ILL when its last fetch
 * failed, OAS_JWKS_WAITERS_ALL in the process: keys are looked for before anybody is authenticated,
 * and a jwks_uri that hangs must not take all threads. Whoever comes then is told so at once.
 */
#ifndef OAS_FETCH_JWKS_H
#define OAS_FETCH_JWKS_H

#include "../base/log.h"
#include "../base/model.h"
#include "../jose/jwks.h"

#define OAS_JWKS_URIS_MAX    256 /**< sets remembered; the one used longest ago makes room */
#define OAS_JWKS_WAITERS     32
#define OAS_JWKS_WAITERS_ILL 4
#define OAS_JWKS_WAITERS_ALL 48
#define OAS_JWKS_FRESH       apr_time_from_sec(300)
#define OAS_JWKS_AGAIN       apr_time_from_sec(60)
#define OAS_JWKS_STALE       apr_time_from_sec(3600)
#define OAS_JWKS_PAUSE       apr_time_from_sec(5)

typedef struct oas_jwks_cache oas_jwks_cache_t;

/** A cache for one issuer, usable from many threads. */
apr_status_t oas_jwks_cache_create(oas_jwks_cache_t **out, const oas_issuer_t *issuer,
                                   apr_pool_t *pool);

/**
 * The keys at `uri`, which stay valid as long as `pool`. May take as long as a fetch: no database
 * connection may be held.
 * @param lacking NULL, or a set that this function gave before and that had not the key looked for:
 *        another one is wanted
 * @param why in words, when there are none
 * @return APR_ENOENT: nothing newer than `lacking` may be had now; APR_EBUSY: too many wait; else
 * as oas_fetch_json
 */
apr_status_t oas_jwks_cache_get(oas_jwks_cache_t *cache, const char *uri, const oas_jwks_t *lacking,
                                const oas_jwks_t **out, const char **why, const oas_log_t *log,
                                apr_pool_t *pool);

#endif
