/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring_area.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/secret.h"

#define WRITER_DIED apr_time_from_sec(10) /* who is at it for so long does it no more */
#define READ_TRIES  5

apr_size_t oas_keyring_area_size(void)
{
    return sizeof(oas_keyring_area_t);
}

const oas_keyring_image_t *oas_keyring_read(const oas_keyring_area_t *area,
                                            apr_uint32_t *generation, apr_pool_t *pool)
{
    oas_keyring_image_t *copy = apr_palloc(pool, sizeof(*copy));
    int i;

    oas_wipe_with_pool(pool, copy, sizeof(*copy));
    for (i = 0; i < READ_TRIES; i++) {
        *generation = __atomic_load_n(&area->generation, __ATOMIC_ACQUIRE);
        if (*generation == 0) {
            return NULL;
        }
        memcpy(copy, &area->images[*generation & 1], sizeof(*copy));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&area->generation, __ATOMIC_RELAXED) == *generation) {
            copy->ring[OAS_RING_MAX] = '\0';
            return copy->count >= 0 && copy->count <= OAS_KEYS_MAX ? copy : NULL;
        }
    }
    return NULL;
}

/* One process writes at a time; another one's words are as good, so nobody waits. */
apr_uint32_t oas_keyring_write(oas_keyring_area_t *area, const char *version,
                               const apr_array_header_t *rows)
{
    apr_int64_t now = apr_time_now();
    apr_int64_t since = __atomic_load_n(&area->writing, __ATOMIC_ACQUIRE);
    apr_uint32_t next;
    oas_keyring_image_t *image;

    if ((since != 0 && now - since < WRITER_DIED && since <= now) ||
        !__atomic_compare_exchange_n(&area->writing, &since, now, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        return 0;
    }
    next = __atomic_load_n(&area->generation, __ATOMIC_ACQUIRE) + 1;
    next += next == 0 ? 2 : 0;
    image = &area->images[next & 1];
    apr_cpystrn(image->ring, version, sizeof(image->ring));
    image->count = rows->nelts;
    memcpy(image->rows, rows->elts, (apr_size_t)rows->nelts * sizeof(oas_key_row_t));
    if (__atomic_load_n(&area->writing, __ATOMIC_ACQUIRE) != now) {
        return 0; /* stopped for so long that somebody else is at it */
    }
    __atomic_store_n(&area->generation, next, __ATOMIC_RELEASE);
    __atomic_compare_exchange_n(&area->writing, &now, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    return next;
}
