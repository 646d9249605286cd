/* SPDX-License-Identifier: Apache-2.0 */
#include "unsettled.h"

#include <stdlib.h>
#include <string.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include "../base/clock.h"

#define LIST_MAX 1024 /* more than a process has threads */

typedef struct item {
    struct item *next;
    oas_undo_t undo;
} item_t;

struct oas_unsettled {
    apr_thread_mutex_t *mutex;
    volatile apr_uint32_t count; /* written under the mutex, read without it; so are the next */
    apr_time_t moments[OAS_MOMENT_COUNT]; /* by oas_clock; 0: never */
    oas_unsettled_t *into;                /* it has become part of that one; NULL: of none */
    oas_undo_area_t *area; /* where new ones go as long as it can be used; NULL: none */
    item_t *first, **end;
};

static apr_status_t free_items(void *data)
{
    oas_unsettled_t *list = data;

    while (list->first) {
        item_t *item = list->first;

        list->first = item->next;
        free(item);
    }
    return APR_SUCCESS;
}

apr_status_t oas_unsettled_create(oas_unsettled_t **out, apr_pool_t *pool)
{
    oas_unsettled_t *list = apr_pcalloc(pool, sizeof(*list));

    list->end = &list->first;
    *out = list;
    apr_pool_cleanup_register(pool, list, free_items, apr_pool_cleanup_null);
    return apr_thread_mutex_create(&list->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

void oas_unsettled_share(oas_unsettled_t *list, oas_undo_area_t *area)
{
    list->area = area;
}

/* The list that this one is part of, locked. */
static oas_unsettled_t *lock(oas_unsettled_t *list)
{
    apr_thread_mutex_lock(list->mutex);
    while (list->into) {
        oas_unsettled_t *into = list->into;

        apr_thread_mutex_unlock(list->mutex);
        apr_thread_mutex_lock(into->mutex);
        list = into;
    }
    return list;
}

static void unlock(oas_unsettled_t *list)
{
    apr_thread_mutex_unlock(list->mutex);
}

/* The list that this one is part of, to have a look at. */
static oas_unsettled_t *whole(oas_unsettled_t *list)
{
    oas_unsettled_t *into;

    while ((into = __atomic_load_n(&list->into, __ATOMIC_ACQUIRE)))
        list = into;
    return list;
}

void oas_unsettled_join(oas_unsettled_t *list, oas_unsettled_t *into)
{
    int i;

    apr_thread_mutex_lock(list->mutex);
    apr_thread_mutex_lock(into->mutex);
    if (list->first) {
        *into->end = list->first;
        into->end = list->end;
        list->first = NULL;
    }
    if (!into->area)
        __atomic_store_n(&into->area, list->area, __ATOMIC_RELEASE);
    for (i = 0; i < OAS_MOMENT_COUNT; i++) {
        if (list->moments[i] > into->moments[i])
            __atomic_store_n(&into->moments[i], list->moments[i], __ATOMIC_RELAXED);
    }
    apr_atomic_add32(&into->count, list->count);
    __atomic_store_n(&list->into, into, __ATOMIC_RELEASE);
    apr_thread_mutex_unlock(into->mutex);
    apr_thread_mutex_unlock(list->mutex);
}

apr_status_t oas_undo_of(oas_undo_t *undo, const oas_stmt_t *stmt, const char *const *params)
{
    int i;

    memset(undo, 0, sizeof(*undo));
    undo->statement = stmt->undo;
    for (i = 0; i < OAS_UNDO_PARAMS; i++) {
        const char *param = stmt->undo_params[i] ? params[stmt->undo_params[i] - 1] : NULL;

        if (param && strlen(param) >= OAS_UNDO_PARAM_MAX)
            return APR_EINVAL;
        undo->given[i] = param != NULL;
        if (param)
            apr_cpystrn(undo->params[i], param, OAS_UNDO_PARAM_MAX);
    }
    return APR_SUCCESS;
}

/* NULL: there is none. */
static oas_undo_area_t *area_of(oas_unsettled_t *list)
{
    return __atomic_load_n(&whole(list)->area, __ATOMIC_ACQUIRE);
}

/* Of this process alone. */
static apr_status_t put_own(oas_unsettled_t *list, const oas_undo_t *undo)
{
    item_t *item;

    list = lock(list);
    item = list->count < LIST_MAX ? malloc(sizeof(*item)) : NULL;
    if (item) {
        item->undo = *undo;
        item->next = NULL;
        *list->end = item;
        list->end = &item->next;
        apr_atomic_inc32(&list->count);
    }
    unlock(list);
    return item ? APR_SUCCESS : APR_ENOSPC;
}

apr_status_t oas_unsettled_put(oas_unsettled_t *list, const oas_undo_t *undo)
{
    oas_undo_area_t *area = area_of(list);
    apr_status_t rv = APR_EBUSY;

    if (undo->area) {
        oas_undo_area_back(undo);
        return APR_SUCCESS;
    }
    if (area)
        rv = oas_undo_area_put(area, undo);
    return rv == APR_EBUSY ? put_own(list, undo) : rv;
}

int oas_undo_fits(const oas_undo_t *undo, const char *first_param)
{
    return !first_param || (undo->given[0] && !strcmp(undo->params[0], first_param));
}

static int take_own(oas_unsettled_t *list, const char *first_param, oas_undo_t *undo)
{
    item_t **at, *item;

    list = lock(list);
    for (at = &list->first; *at && !oas_undo_fits(&(*at)->undo, first_param);)
        at = &(*at)->next;
    item = *at;
    if (item) {
        *at = item->next;
        if (!item->next)
            list->end = at;
        apr_atomic_dec32(&list->count);
    }
    unlock(list);
    if (!item)
        return 0;
    *undo = item->undo;
    free(item);
    return 1;
}

int oas_unsettled_take_of(oas_unsettled_t *list, const char *first_param, oas_undo_t *undo)
{
    oas_undo_area_t *area = area_of(list);

    return take_own(list, first_param, undo) ||
           (area && oas_undo_area_take(area, first_param, undo));
}

int oas_unsettled_take(oas_unsettled_t *list, oas_undo_t *undo)
{
    return oas_unsettled_take_of(list, NULL, undo);
}

void oas_unsettled_done(const oas_undo_t *undo)
{
    if (undo->area)
        oas_undo_area_done(undo);
}

int oas_unsettled_count(oas_unsettled_t *list)
{
    oas_undo_area_t *area = area_of(list);

    return (int)apr_atomic_read32(&whole(list)->count) + (area ? oas_undo_area_count(area) : 0);
}

void oas_unsettled_note(oas_unsettled_t *list, oas_moment_t moment)
{
    apr_time_t now = oas_clock();
    oas_undo_area_t *area = area_of(list);

    if (area)
        oas_undo_area_note(area, moment, now);
    list = lock(list);
    __atomic_store_n(&list->moments[moment], now, __ATOMIC_RELAXED);
    unlock(list);
}

int oas_unsettled_within(oas_unsettled_t *list, oas_moment_t moment, apr_interval_time_t time)
{
    oas_undo_area_t *area = area_of(list);
    apr_time_t ours = __atomic_load_n(&whole(list)->moments[moment], __ATOMIC_RELAXED);
    apr_time_t others = area ? oas_undo_area_noted(area, moment) : 0;
    apr_time_t last = others > ours ? others : ours;

    return last && oas_clock() - last < time;
}
