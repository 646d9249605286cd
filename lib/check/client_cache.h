/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client_cache.h
 * Clients of the clients table, remembered by each process for some seconds, so that a busy one
 * costs no statement for each request. A client that is disabled, or whose secret is changed, is so
 * everywhere after OAS_CLIENT_CACHE_TIME. That there is no such client is not remembered.
 */
#ifndef OAS_CHECK_CLIENT_CACHE_H
#define OAS_CHECK_CLIENT_CACHE_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

#define OAS_CLIENT_CACHE_TIME apr_time_from_sec(5)
#define OAS_CLIENT_CACHE_MAX  512   /**< clients; one more takes the place of another */
#define OAS_CLIENT_CACHE_TEXT 32768 /**< bytes of metadata; larger ones are not remembered */

typedef struct oas_client_cache oas_client_cache_t;

/** A cache for one issuer, usable from many threads. */
apr_status_t oas_client_cache_create(oas_client_cache_t **out, apr_pool_t *pool);

/** The metadata of a client in `pool`, or NULL. `cache` may be NULL, as below. */
const char *oas_client_cache_get(oas_client_cache_t *cache, const char *client_id,
                                 apr_pool_t *pool);

/**
 * Remembers a copy of metadata.
 * @param asked when they were asked for: what changed afterwards may be missing in them
 */
void oas_client_cache_put(oas_client_cache_t *cache, const char *client_id, const char *metadata,
                          apr_time_t asked);

#endif
