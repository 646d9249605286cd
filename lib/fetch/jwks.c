/* SPDX-License-Identifier: Apache-2.0 */
#include "jwks.h"

#include <stdlib.h>
#include <string.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include "fetch.h"

#define WAIT_FOR_OTHERS (OAS_FETCH_TIME + apr_time_from_msec(500))

/** One fetched set, with a pool of its own: requests may hold it when its place in the cache is
 * another's, and at the end of a process when there is no cache any more. */
typedef struct {
    apr_pool_t *pool;
    oas_jwks_t *jwks;
    apr_uint32_t uses; /* atomic: the entry and each request that has it */
} keys_t;

/** What is known of one URI. */
typedef struct {
    char *uri;    /* NULL: a free place */
    keys_t *keys; /* NULL: never fetched with success */
    int busy;     /* threads that fetch it, or wait for that one */
    int fetching;
    int waiting; /* threads that wait for it */
    apr_time_t used, fetched, forced, failed;
    apr_status_t failure; /* of the last fetch */
    char why[96];
} entry_t;

struct oas_jwks_cache {
    const oas_issuer_t *issuer;
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *done;
    entry_t entries[OAS_JWKS_URIS_MAX];
};

/** One call of oas_jwks_cache_get. */
typedef struct {
    oas_jwks_cache_t *cache;
    entry_t *entry;
    const oas_jwks_t *lacking;
    const oas_log_t *log;
    apr_pool_t *pool;
} call_t;

/* Threads of this process that wait for somebody else's fetch; atomic, as each issuer has a cache
 * and a mutex of its own. */
static apr_uint32_t waiting_everywhere;

static void drop_keys(keys_t *keys)
{
    if (keys != NULL && apr_atomic_dec32(&keys->uses) == 0) {
        apr_pool_destroy(keys->pool);
    }
}

static apr_status_t keys_cleanup(void *baton)
{
    drop_keys(baton);
    return APR_SUCCESS;
}

static void clear_entry(entry_t *entry)
{
    drop_keys(entry->keys);
    free(entry->uri);
    memset(entry, 0, sizeof(*entry));
}

static apr_status_t cache_cleanup(void *baton)
{
    oas_jwks_cache_t *cache = baton;
    int i;

    for (i = 0; i < OAS_JWKS_URIS_MAX; i++) {
        clear_entry(&cache->entries[i]);
    }
    return APR_SUCCESS;
}

apr_status_t oas_jwks_cache_create(oas_jwks_cache_t **out, const oas_issuer_t *issuer,
                                   apr_pool_t *pool)
{
    oas_jwks_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));
    apr_status_t rv = apr_thread_mutex_create(&cache->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&cache->done, pool);
    }
    cache->issuer = issuer;
    apr_pool_cleanup_register(pool, cache, cache_cleanup, apr_pool_cleanup_null);
    *out = cache;
    return rv;
}

/* The entry of a URI, made when there is none: in a free place, else in that of the one used
 * longest ago. NULL: all of them are being fetched. */
static entry_t *find_entry(oas_jwks_cache_t *cache, const char *uri)
{
    entry_t *oldest = NULL;
    int i;

    for (i = 0; i < OAS_JWKS_URIS_MAX; i++) {
        entry_t *entry = &cache->entries[i];
        if (entry->uri != NULL && strcmp(entry->uri, uri) == 0) {
            return entry;
        }
        if (!entry->busy && (oldest == NULL || entry->used < oldest->used)) {
            oldest = entry;
        }
    }
    if (oldest != NULL) {
        clear_entry(oldest);
        oldest->uri = strdup(uri);
    }
    return oldest != NULL && oldest->uri != NULL ? oldest : NULL;
}

/* Makes `keys` from what is there now, outside the mutex. */
static apr_status_t fetch_keys(const call_t *call, const char *uri, keys_t **out, const char **why)
{
    keys_t *keys;
    apr_pool_t *pool;
    json_t *json;
    apr_status_t rv = oas_fetch_json(&json, uri, call->cache->issuer, why, call->pool);

    *out = NULL;
    if (rv == APR_SUCCESS) {
        rv = apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    keys = apr_pcalloc(pool, sizeof(*keys));
    keys->pool = pool;
    keys->uses = 1;
    rv = oas_jwks_parse(&keys->jwks, json, why, pool);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return rv;
    }
    *out = keys;
    return APR_SUCCESS;
}

/* Fetches and keeps what came. The mutex is held before and after, not during. */
static void refresh(const call_t *call)
{
    oas_jwks_cache_t *cache = call->cache;
    entry_t *entry = call->entry;
    const char *why = "out of memory";
    keys_t *keys;
    apr_status_t rv;

    entry->fetching = 1;
    apr_thread_mutex_unlock(cache->mutex);
    rv = fetch_keys(call, entry->uri, &keys, &why);
    apr_thread_mutex_lock(cache->mutex);
    entry->fetching = 0;
    entry->failure = rv;
    if (rv == APR_SUCCESS) {
        drop_keys(entry->keys);
        entry->keys = keys;
        entry->fetched = apr_time_now();
    } else {
        entry->failed = apr_time_now();
        apr_cpystrn(entry->why, why, sizeof(entry->why));
        if (entry->keys != NULL) {
            oas_log(call->log, OAS_LOG_WARNING, OAS_TAG(00400), APR_SUCCESS,
                    "keys at %s cannot be fetched: %s; those fetched %" APR_TIME_T_FMT
                    " s ago are used for up to an hour",
                    entry->uri, why, apr_time_sec(entry->failed - entry->fetched));
        }
    }
    apr_thread_cond_broadcast(cache->done);
}

static int within(apr_time_t since, apr_interval_time_t time, apr_time_t now)
{
    return since != 0 && now >= since && now - since < time;
}

/* What to do with an entry as it stands. */
typedef enum { USE, FETCH, WAIT, GIVE_UP } move_t;

static move_t next_move(const call_t *call, apr_time_t now)
{
    entry_t *entry = call->entry;
    int usable = entry->keys != NULL && within(entry->fetched, OAS_JWKS_STALE, now);
    int lacking = entry->keys != NULL && entry->keys->jwks == call->lacking;

    if (usable && !lacking && within(entry->fetched, OAS_JWKS_FRESH, now)) {
        return USE;
    }
    if (entry->fetching) {
        return usable && !lacking ? USE : WAIT;
    }
    if (within(entry->failed, OAS_JWKS_PAUSE, now)) {
        return usable && !lacking ? USE : GIVE_UP;
    }
    if (lacking) {
        if (within(entry->forced, OAS_JWKS_AGAIN, now)) {
            return GIVE_UP;
        }
        entry->forced = now;
    }
    return FETCH;
}

/* Waits until somebody's fetch has ended. Whoever sends an assertion, however bad, can come here:
 * without a bound a jwks_uri that hangs would take all threads of the process. */
static apr_status_t wait_bounded(const call_t *call, apr_interval_time_t time)
{
    entry_t *entry = call->entry;
    apr_status_t rv = APR_EBUSY;

    if (entry->waiting >=
        (entry->failed > entry->fetched ? OAS_JWKS_WAITERS_ILL : OAS_JWKS_WAITERS)) {
        return rv;
    }
    if (apr_atomic_inc32(&waiting_everywhere) < OAS_JWKS_WAITERS_ALL) {
        entry->waiting++;
        apr_thread_cond_timedwait(call->cache->done, call->cache->mutex, time);
        entry->waiting--;
        rv = APR_SUCCESS;
    }
    apr_atomic_dec32(&waiting_everywhere);
    return rv;
}

/* Brings the entry into a state that this call can end with. APR_SUCCESS: its keys can be used;
 * APR_EBUSY: too many wait for them; else there are none to be had now. */
static apr_status_t settle(const call_t *call)
{
    apr_time_t deadline = apr_time_now() + WAIT_FOR_OTHERS;

    for (;;) {
        apr_time_t now = apr_time_now();

        switch (next_move(call, now)) {
        case USE:
            return APR_SUCCESS;
        case FETCH:
            refresh(call);
            break;
        case WAIT:
            if (now >= deadline) {
                return APR_TIMEUP;
            }
            if (wait_bounded(call, deadline - now) != APR_SUCCESS) {
                return APR_EBUSY;
            }
            break;
        case GIVE_UP:
            return APR_ENOENT;
        }
    }
}

static apr_status_t get_locked(call_t *call, const char *uri, keys_t **out, const char **why)
{
    entry_t *entry = find_entry(call->cache, uri);
    apr_status_t rv;

    if (entry == NULL) {
        *why = "too many fetches at once";
        return APR_EGENERAL;
    }
    call->entry = entry;
    entry->used = apr_time_now();
    entry->busy++;
    rv = settle(call);
    entry->busy--;
    if (rv == APR_SUCCESS) {
        *out = entry->keys;
        apr_atomic_inc32(&(*out)->uses);
        return APR_SUCCESS;
    }
    if (rv == APR_EBUSY) {
        *why = "too many requests wait for them already";
        return rv;
    }
    if (entry->failure != APR_SUCCESS) {
        *why = apr_pstrdup(call->pool, entry->why);
        return entry->failure;
    }
    if (entry->keys != NULL && entry->keys->jwks == call->lacking) {
        *why = "no newer keys";
        return APR_ENOENT;
    }
    *why = "no answer in time";
    return APR_TIMEUP;
}

apr_status_t oas_jwks_cache_get(oas_jwks_cache_t *cache, const char *uri, const oas_jwks_t *lacking,
                                const oas_jwks_t **out, const char **why, const oas_log_t *log,
                                apr_pool_t *pool)
{
    call_t call = {.cache = cache, .lacking = lacking, .log = log, .pool = pool};
    keys_t *keys = NULL;
    apr_status_t rv;

    *out = NULL;
    apr_thread_mutex_lock(cache->mutex);
    rv = get_locked(&call, uri, &keys, why);
    apr_thread_mutex_unlock(cache->mutex);
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pool, keys, keys_cleanup, apr_pool_cleanup_null);
        *out = keys->jwks;
    }
    return rv;
}
