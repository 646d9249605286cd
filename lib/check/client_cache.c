/* SPDX-License-Identifier: Apache-2.0 */
#include "client_cache.h"

#include <stdlib.h>
#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

/** One place; a client has exactly one, by its id. */
typedef struct {
    char *client_id; /* NULL: free */
    char *metadata;
    apr_time_t asked;
} place_t;

struct oas_client_cache {
    apr_thread_mutex_t *mutex;
    place_t places[OAS_CLIENT_CACHE_MAX];
};

static void clear(place_t *place)
{
    free(place->client_id);
    free(place->metadata);
    memset(place, 0, sizeof(*place));
}

static apr_status_t cache_cleanup(void *baton)
{
    oas_client_cache_t *cache = baton;
    int i;

    for (i = 0; i < OAS_CLIENT_CACHE_MAX; i++) {
        clear(&cache->places[i]);
    }
    return APR_SUCCESS;
}

apr_status_t oas_client_cache_create(oas_client_cache_t **out, apr_pool_t *pool)
{
    oas_client_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));

    *out = cache;
    apr_pool_cleanup_register(pool, cache, cache_cleanup, apr_pool_cleanup_null);
    return apr_thread_mutex_create(&cache->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

static place_t *place_of(oas_client_cache_t *cache, const char *client_id)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;

    return &cache->places[apr_hashfunc_default(client_id, &len) % OAS_CLIENT_CACHE_MAX];
}

static int is_young(const place_t *place)
{
    apr_interval_time_t age = apr_time_now() - place->asked;

    return age >= 0 && age < OAS_CLIENT_CACHE_TIME;
}

const char *oas_client_cache_get(oas_client_cache_t *cache, const char *client_id, apr_pool_t *pool)
{
    const char *metadata = NULL;
    place_t *place;

    if (cache == NULL) {
        return NULL;
    }
    place = place_of(cache, client_id);
    apr_thread_mutex_lock(cache->mutex);
    if (place->client_id != NULL && strcmp(place->client_id, client_id) == 0 && is_young(place)) {
        metadata = apr_pstrdup(pool, place->metadata);
    }
    apr_thread_mutex_unlock(cache->mutex);
    return metadata;
}

void oas_client_cache_put(oas_client_cache_t *cache, const char *client_id, const char *metadata,
                          apr_time_t asked)
{
    place_t fresh = {NULL, NULL, asked};
    place_t old;
    place_t *place;

    if (cache == NULL || strlen(metadata) > OAS_CLIENT_CACHE_TEXT) {
        return;
    }
    fresh.client_id = strdup(client_id);
    fresh.metadata = strdup(metadata);
    if (fresh.client_id == NULL || fresh.metadata == NULL) {
        clear(&fresh);
        return;
    }
    place = place_of(cache, client_id);
    apr_thread_mutex_lock(cache->mutex);
    old = *place;
    *place = fresh;
    apr_thread_mutex_unlock(cache->mutex);
    clear(&old);
}
