/* SPDX-License-Identifier: Apache-2.0 */
#include "park.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_thread_mutex.h>

typedef struct {
    ap_dbd_t *rec;
    apr_time_t since; /* 0: dead */
} slot_t;

struct oas_park {
    dbd_cfg_t *cfg;
    apr_thread_mutex_t *mutex;
    slot_t *slots; /* the last one is the next one to be taken */
    int count, max;
};

oas_park_t *oas_park_create(dbd_cfg_t *cfg, apr_pool_t *pool)
{
    int max = cfg->nkeep < cfg->nmax ? cfg->nkeep : cfg->nmax - 1;
    oas_park_t *park;

    if (!cfg->persist || max < 1 || apr_hash_count(cfg->queries) > 0) {
        return NULL;
    }
    park = apr_pcalloc(pool, sizeof(*park));
    park->cfg = cfg;
    park->max = max;
    park->slots = apr_pcalloc(pool, max * sizeof(*park->slots));
    return apr_thread_mutex_create(&park->mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS
               ? park
               : NULL;
}

static int is_stale(const oas_park_t *park, const slot_t *slot)
{
    return slot->since == 0 ||
           (park->cfg->exptime > 0 &&
            apr_time_now() - slot->since > apr_time_from_sec(park->cfg->exptime));
}

ap_dbd_t *oas_park_take(oas_park_t *park, int *stale)
{
    slot_t slot = {NULL, 0};

    apr_thread_mutex_lock(park->mutex);
    if (park->count > 0) {
        slot = park->slots[--park->count];
    }
    apr_thread_mutex_unlock(park->mutex);
    *stale = slot.rec != NULL && is_stale(park, &slot);
    return slot.rec;
}

/** Takes the first one out when it is stale and there is no room. Mutex held. */
static ap_dbd_t *make_room(oas_park_t *park)
{
    ap_dbd_t *rec = NULL;

    if (park->count > 0 && park->count == park->max && is_stale(park, &park->slots[0])) {
        rec = park->slots[0].rec;
        park->count--;
        memmove(park->slots, park->slots + 1, park->count * sizeof(*park->slots));
    }
    return rec;
}

ap_dbd_t *oas_park_put(oas_park_t *park, ap_dbd_t *rec, int stale)
{
    slot_t slot = {rec, stale ? 0 : apr_time_now()};
    ap_dbd_t *out;

    apr_thread_mutex_lock(park->mutex);
    out = stale ? NULL : make_room(park);
    if (park->count >= park->max) {
        out = rec;
    } else if (stale) {
        memmove(park->slots + 1, park->slots, park->count * sizeof(slot));
        park->slots[0] = slot;
        park->count++;
    } else {
        park->slots[park->count++] = slot;
    }
    apr_thread_mutex_unlock(park->mutex);
    return out;
}

void oas_park_close(oas_park_t *park)
{
    apr_thread_mutex_lock(park->mutex);
    park->max = 0;
    apr_thread_mutex_unlock(park->mutex);
}

server_rec *oas_park_server(const oas_park_t *park)
{
    return park->cfg->server;
}
