/* SPDX-License-Identifier: Apache-2.0 */
#include "shift.h"

#include <apr_optional.h>
#include <apr_thread_mutex.h>

struct oas_shift {
    apr_thread_mutex_t *mutex; /* held by a run */
    int open;
};

apr_status_t oas_shift_create(oas_shift_t **out, apr_pool_t *pconf)
{
    *out = apr_pcalloc(pconf, sizeof(**out));
    return apr_thread_mutex_create(&(*out)->mutex, APR_THREAD_MUTEX_DEFAULT, pconf);
}

int oas_shift_is_open(const oas_shift_t *shift)
{
    return __atomic_load_n(&shift->open, __ATOMIC_ACQUIRE);
}

/** Before the pools below the child's are destroyed: lets a run end, and no other begin. */
static apr_status_t end_shift(void *data)
{
    oas_shift_t *shift = data;

    __atomic_store_n(&shift->open, 0, __ATOMIC_RELEASE);
    apr_thread_mutex_lock(shift->mutex);
    apr_thread_mutex_unlock(shift->mutex);
    return APR_SUCCESS;
}

void oas_shift_begin(oas_shift_t *shift, apr_pool_t *pchild)
{
    if (shift != NULL) {
        __atomic_store_n(&shift->open, 1, __ATOMIC_RELEASE);
        apr_pool_pre_cleanup_register(pchild, shift, end_shift);
    }
}

int oas_shift_enter(oas_shift_t *shift)
{
    apr_thread_mutex_lock(shift->mutex);
    if (!oas_shift_is_open(shift)) {
        apr_thread_mutex_unlock(shift->mutex);
        return 0;
    }
    return 1;
}

void oas_shift_leave(oas_shift_t *shift)
{
    apr_thread_mutex_unlock(shift->mutex);
}

apr_status_t oas_watchdog_find(oas_watchdog_fns_t *out)
{
    out->get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    out->add_callback = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    out->set_interval = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_set_callback_interval);
    return out->get_instance != NULL && out->add_callback != NULL && out->set_interval != NULL
               ? APR_SUCCESS
               : APR_ENOTIMPL;
}
