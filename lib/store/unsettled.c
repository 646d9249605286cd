/* SPDX-License-Identifier: Apache-2.0 */
#include "unsettled.h"

#include <string.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#define LIST_MAX 256 /* more than a process has threads */

struct oas_unsettled {
    apr_thread_mutex_t *mutex;
    volatile apr_uint32_t count; /* written under the mutex, read without it */
    int first;
    oas_undo_t undos[LIST_MAX];
};

apr_status_t oas_unsettled_create(oas_unsettled_t **out, apr_pool_t *pool)
{
    *out = apr_pcalloc(pool, sizeof(**out));
    return apr_thread_mutex_create(&(*out)->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
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

apr_status_t oas_unsettled_put(oas_unsettled_t *list, const oas_undo_t *undo)
{
    apr_status_t rv = APR_ENOSPC;

    apr_thread_mutex_lock(list->mutex);
    if (list->count < LIST_MAX) {
        list->undos[(list->first + list->count) % LIST_MAX] = *undo;
        apr_atomic_inc32(&list->count);
        rv = APR_SUCCESS;
    }
    apr_thread_mutex_unlock(list->mutex);
    return rv;
}

int oas_unsettled_take(oas_unsettled_t *list, oas_undo_t *undo)
{
    int found;

    apr_thread_mutex_lock(list->mutex);
    found = list->count > 0;
    if (found) {
        *undo = list->undos[list->first];
        list->first = (list->first + 1) % LIST_MAX;
        apr_atomic_dec32(&list->count);
    }
    apr_thread_mutex_unlock(list->mutex);
    return found;
}

int oas_unsettled_count(oas_unsettled_t *list)
{
    return (int)apr_atomic_read32(&list->count);
}
