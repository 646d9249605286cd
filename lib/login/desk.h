/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file desk.h
 * How much of one child process sign-ins by password may take at once, so that a flood of them, or
 * a directory that does not answer, leaves the other endpoints their worker threads and database
 * connections. Hashing itself is bounded by hasher.h.
 */
#ifndef OAS_LOGIN_DESK_H
#define OAS_LOGIN_DESK_H

#include "../store/gate.h"

typedef struct oas_desk {
    oas_gate_t *sign_ins;   /**< under way: three quarters of the worker threads */
    oas_gate_t *statements; /**< counting an attempt: they wait for each other in the database */
    oas_gate_t *providers;  /**< asking what is not ours: half of the sign-ins */
} oas_desk_t;

/** For one child process with so many worker threads. */
apr_status_t oas_desk_create(oas_desk_t **out, int threads, apr_pool_t *pool);

/** How long a place may be waited for before the answer is 503. A sign-in does not wait for its
 * own.
 */
#define OAS_DESK_PATIENCE apr_time_from_sec(2)

#endif
