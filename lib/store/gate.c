/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <string.h>
#include <apr_atomic.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include "../base/tx.h"

struct oas_gate {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *cond;
    int max;
    int in_flight; /* places taken, those handed over included */
    int waiting;
    int handed; /* places kept for waiters that have not woken up yet; never above `waiting` */
    int probing;
    volatile apr_uint32_t away; /* written under the mutex, read without it */
    apr_uint64_t refused;
};

apr_status_t oas_gate_create(oas_gate_t **out, apr_pool_t *pool)
{
    oas_gate_t *gate = apr_pcalloc(pool, sizeof(*gate));
    apr_status_t rv = apr_thread_mutex_create(&gate->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (rv == APR_SUCCESS)
        rv = apr_thread_cond_create(&gate->cond, pool);
    gate->max = 1;
    *out = rv == APR_SUCCESS ? gate : NULL;
    return rv;
}

/* Gives free places to waiters, so that whoever comes later cannot overtake them. */
static void hand_over(oas_gate_t *gate)
{
    while (gate->handed < gate->waiting && gate->in_flight < gate->max) {
        gate->handed++;
        gate->in_flight++;
        apr_thread_cond_signal(gate->cond);
    }
}

void oas_gate_size(oas_gate_t *gate, int max)
{
    apr_thread_mutex_lock(gate->mutex);
    if (max > 0 && max != gate->max) {
        gate->max = max;
        hand_over(gate);
    }
    apr_thread_mutex_unlock(gate->mutex);
}

/* While the database is away: one probe, if there is a place for it. Mutex held. */
static apr_status_t enter_away(oas_gate_t *gate, oas_gate_place_t *place)
{
    if (gate->probing || gate->in_flight >= gate->max)
        return OAS_DB_UNAVAILABLE;
    gate->probing = 1;
    gate->in_flight++;
    place->probe = 1;
    return APR_SUCCESS;
}

/* Mutex held. */
static apr_status_t enter_waiting(oas_gate_t *gate, apr_interval_time_t wait,
                                  oas_gate_place_t *place)
{
    apr_time_t deadline = apr_time_now() + wait;
    apr_interval_time_t left = wait;

    gate->waiting++;
    while (!gate->handed && !gate->away && left > 0) {
        /* a clock set back must not make the wait longer than it was meant to be */
        apr_thread_cond_timedwait(gate->cond, gate->mutex, left < wait ? left : wait);
        left = deadline - apr_time_now();
    }
    gate->waiting--;
    if (!gate->away) {
        if (!gate->handed)
            return OAS_DB_UNAVAILABLE;
        gate->handed--;
        return APR_SUCCESS;
    }
    if (gate->handed > gate->waiting) {
        gate->handed--;
        gate->in_flight--;
    }
    return enter_away(gate, place);
}

apr_status_t oas_gate_enter(oas_gate_t *gate, apr_interval_time_t wait, oas_gate_place_t *place)
{
    apr_status_t rv = APR_SUCCESS;

    memset(place, 0, sizeof(*place));
    apr_thread_mutex_lock(gate->mutex);
    if (gate->away)
        rv = enter_away(gate, place);
    else if (gate->in_flight < gate->max)
        gate->in_flight++;
    else
        rv = enter_waiting(gate, wait, place);
    if (rv == APR_SUCCESS)
        place->gate = gate;
    else
        gate->refused++;
    apr_thread_mutex_unlock(gate->mutex);
    return rv;
}

void oas_gate_leave(oas_gate_place_t *place)
{
    oas_gate_t *gate = place->gate;

    if (!gate)
        return;
    apr_thread_mutex_lock(gate->mutex);
    gate->in_flight--;
    if (place->probe)
        gate->probing = 0;
    if (!gate->away)
        hand_over(gate);
    apr_thread_mutex_unlock(gate->mutex);
    memset(place, 0, sizeof(*place));
}

void oas_gate_report(oas_gate_place_t *place, int reached)
{
    oas_gate_t *gate = place->gate;

    if (!gate || (reached && !apr_atomic_read32(&gate->away)))
        return;
    apr_thread_mutex_lock(gate->mutex);
    apr_atomic_set32(&gate->away, !reached);
    if (place->probe)
        gate->probing = 0;
    place->probe = 0;
    apr_thread_cond_broadcast(gate->cond);
    apr_thread_mutex_unlock(gate->mutex);
}

void oas_gate_stats(oas_gate_t *gate, oas_gate_stats_t *out)
{
    apr_thread_mutex_lock(gate->mutex);
    out->max = gate->max;
    out->in_flight = gate->in_flight;
    out->waiting = gate->waiting;
    out->away = (int)gate->away;
    out->refused = gate->refused;
    apr_thread_mutex_unlock(gate->mutex);
}
