/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file shift.h
 * When the watchdogs of a child process may work. A thread of mod_watchdog may begin before mod_dbd
 * has its pool, and outlives the child's pools; mod_dbd's aborts the process when a run has a
 * connection of it then.
 */
#ifndef OAS_HTTPD_SHIFT_H
#define OAS_HTTPD_SHIFT_H

#include <apr_pools.h>
#include <mod_watchdog.h>

typedef struct oas_shift oas_shift_t;

/** One for each watchdog, of pconf: its thread may still look at it. */
apr_status_t oas_shift_create(oas_shift_t **out, apr_pool_t *pconf);

/** Lets runs begin, and end before the pools of this child do. NULL: there is none. */
void oas_shift_begin(oas_shift_t *shift, apr_pool_t *pchild);

/** 0: no new run begins, and one that is under way ends with its present statement. */
int oas_shift_is_open(const oas_shift_t *shift);

/** Begins a run; 0: not now. Otherwise oas_shift_leave follows. */
int oas_shift_enter(oas_shift_t *shift);
void oas_shift_leave(oas_shift_t *shift);

/** The functions of mod_watchdog; all NULL where it is not loaded. */
typedef struct {
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) * get_instance;
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) * add_callback;
    APR_OPTIONAL_FN_TYPE(ap_watchdog_set_callback_interval) * set_interval;
} oas_watchdog_fns_t;

/** @return APR_ENOTIMPL where one is missing */
apr_status_t oas_watchdog_find(oas_watchdog_fns_t *out);

#endif
