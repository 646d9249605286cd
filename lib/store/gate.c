/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <apr_atomic.h>
#include "../base/clock.h"
#include "../base/metrics.h"
#include "../base/tx.h"
#include "unsettled.h"

#define LOSS_MEMORY apr_time_from_sec(30)
/* Nodes come back one after the other: where a silent host comes first each takes connect_timeout
 * to pass it, and may have begun before the other host was there. */
#define RETURN_MEMORY apr_time_from_sec(10)
#define AWAY_MIN      apr_time_from_sec(1) /* so long the others are waited for anyway */

#define PROBE_EVERY    apr_time_from_sec(1)    /* where no request does it */
#define PROBE_SPACING  apr_time_from_msec(100) /* MPM prefork can have hundreds of processes */
#define PROBE_PATIENCE apr_time_from_msec(250) /* see await_probe */

/* One who waits; lives on that thread's stack. */
typedef struct waiter {
    struct waiter *next;
    pthread_cond_t wake; /* its own: to wake all for the sake of one costs more than a statement */
    int served;          /* has been given what he waits for and is off the list */
    oas_gate_place_t *place; /* of one who waits for a connection */
} waiter_t;

struct oas_gate {
    pthread_mutex_t mutex;
    pthread_condattr_t monotonic; /* a clock that is set does not change how long one waits */
    int max;
    int in_flight; /* places taken, those given to a waiter that has not woken up yet included */
    int waiting;
    int paused;
    waiter_t *first;
    int probing;
    apr_time_t looked;      /* when the last probe began, or has ended; by oas_clock */
    waiter_t *first_behind; /* those who wait for its outcome */
    int behind;
    int made, used; /* connections that are known to be alive, and those of them that are lent */
    int making;     /* one is being made, or a dead one made anew */
    waiter_t *first_lend;        /* those who have a place and wait for a connection */
    apr_interval_time_t opening; /* see oas_gate_open */
    volatile apr_time_t opened;  /* 0: nobody has come yet */
    apr_time_t reached;          /* when somebody reached the database last, by oas_clock */
    volatile apr_uint32_t away;  /* written under the mutex, read without it */
    apr_time_t shut, missed;     /* when it was found away, first and last */
    apr_uint64_t refused;
    oas_unsettled_t *unsettled;
    int joined; /* another gate stands before the pool, and tells whether it can be reached */
};

static apr_status_t gate_cleanup(void *data)
{
    oas_gate_t *gate = data;

    pthread_condattr_destroy(&gate->monotonic);
    pthread_mutex_destroy(&gate->mutex);
    return APR_SUCCESS;
}

apr_status_t oas_gate_create(oas_gate_t **out, apr_pool_t *pool)
{
    oas_gate_t *gate = apr_pcalloc(pool, sizeof(*gate));

    gate->max = 1;
    *out = gate;
    if (pthread_mutex_init(&gate->mutex, NULL) || pthread_condattr_init(&gate->monotonic) ||
        pthread_condattr_setclock(&gate->monotonic, CLOCK_MONOTONIC)) {
        *out = NULL;
        return APR_EGENERAL;
    }
    apr_pool_cleanup_register(pool, gate, gate_cleanup, apr_pool_cleanup_null);
    return oas_unsettled_create(&gate->unsettled, pool);
}

void oas_gate_share(oas_gate_t *gate, struct oas_undo_area *area)
{
    oas_unsettled_share(gate->unsettled, area);
}

struct oas_unsettled *oas_gate_unsettled(oas_gate_t *gate)
{
    return gate->unsettled;
}

int oas_gate_is_unsettled(oas_gate_t *gate)
{
    return oas_unsettled_count(gate->unsettled) > 0;
}

int oas_gate_is_away(oas_gate_t *gate)
{
    return (int)__atomic_load_n(&gate->away, __ATOMIC_ACQUIRE);
}

void oas_gate_join(oas_gate_t *gate, oas_gate_t *into)
{
    oas_unsettled_join(gate->unsettled, into->unsettled);
    pthread_mutex_lock(&gate->mutex);
    oas_gauge_add(OAS_M_POOLS_AWAY, -(int)gate->away);
    gate->joined = 1;
    pthread_mutex_unlock(&gate->mutex);
}

/* Gives free places to those who wait, the first one first. Mutex held. */
static void serve(oas_gate_t *gate)
{
    while (!gate->away && gate->first && gate->in_flight < gate->max) {
        gate->first->served = 1;
        pthread_cond_signal(&gate->first->wake);
        gate->first = gate->first->next;
        gate->in_flight++;
    }
}

/* Has those who wait look whether waiting still makes sense. Mutex held. */
static void wake_all(oas_gate_t *gate)
{
    waiter_t *waiter;

    for (waiter = gate->first_lend; waiter; waiter = waiter->next)
        pthread_cond_signal(&waiter->wake);
    for (waiter = gate->first_behind; waiter; waiter = waiter->next)
        pthread_cond_signal(&waiter->wake);
    for (waiter = gate->first; waiter; waiter = waiter->next)
        pthread_cond_signal(&waiter->wake);
}

void oas_gate_size(oas_gate_t *gate, int max)
{
    pthread_mutex_lock(&gate->mutex);
    if (max > 0 && max != gate->max) {
        gate->max = max;
        serve(gate);
    }
    pthread_mutex_unlock(&gate->mutex);
}

void oas_gate_open(oas_gate_t *gate, apr_interval_time_t opening)
{
    gate->opening = opening;
}

apr_interval_time_t oas_gate_patience(oas_gate_t *gate, apr_interval_time_t wait)
{
    apr_interval_time_t opening = __atomic_load_n(&gate->opening, __ATOMIC_RELAXED);
    apr_time_t opened = __atomic_load_n(&gate->opened, __ATOMIC_RELAXED);
    apr_time_t now;

    if (!opening)
        return wait;
    now = oas_clock();
    if (!opened)
        __atomic_store_n(&gate->opened, opened = now, __ATOMIC_RELAXED);
    opening -= now - opened;
    return opening > wait ? opening : wait;
}

/* While the database is away: one probe, if there is a place for it. Mutex held. */
static apr_status_t enter_as_probe(oas_gate_t *gate, oas_gate_place_t *place)
{
    if (gate->probing || gate->in_flight >= gate->max)
        return OAS_DB_UNAVAILABLE;
    gate->probing = 1;
    gate->looked = oas_clock();
    gate->in_flight++;
    place->probe = 1;
    return APR_SUCCESS;
}

static void append(waiter_t **end, waiter_t *waiter)
{
    while (*end)
        end = &(*end)->next;
    *end = waiter;
}

static void take_off(waiter_t **at, const waiter_t *waiter)
{
    while (*at && *at != waiter)
        at = &(*at)->next;
    if (*at)
        *at = waiter->next;
}

static struct timespec time_after(apr_interval_time_t wait)
{
    apr_time_t then = oas_clock() + wait;

    return (struct timespec){.tv_sec = apr_time_sec(then),
                             .tv_nsec = (long)apr_time_usec(then) * 1000};
}

/* Waits at the end of a list until he is served, the time is up or it is no longer so that the
 * database is away (1) or is not (0). Mutex held.
 */
static int wait_in(waiter_t **list, oas_gate_t *gate, oas_gate_place_t *place,
                   apr_interval_time_t wait, apr_uint32_t away)
{
    struct timespec until = time_after(wait);
    waiter_t waiter = {.place = place};
    int rv = pthread_cond_init(&waiter.wake, &gate->monotonic);

    append(list, &waiter);
    while (!waiter.served && gate->away == away && !rv)
        rv = pthread_cond_timedwait(&waiter.wake, &gate->mutex, &until);
    pthread_cond_destroy(&waiter.wake);
    if (!waiter.served)
        take_off(list, &waiter);
    return waiter.served;
}

/* Mutex held. */
static apr_status_t enter_waiting(oas_gate_t *gate, apr_interval_time_t wait,
                                  oas_gate_place_t *place)
{
    int served;

    gate->waiting++;
    served = wait_in(&gate->first, gate, NULL, wait, 0);
    gate->waiting--;
    if (served)
        return APR_SUCCESS;
    return gate->away ? enter_as_probe(gate, place) : OAS_DB_UNAVAILABLE;
}

/* Mutex held. */
static apr_status_t enter_open(oas_gate_t *gate, apr_interval_time_t wait, oas_gate_place_t *place)
{
    if (gate->in_flight >= gate->max)
        return enter_waiting(gate, wait, place);
    gate->in_flight++; /* nobody waits, see serve */
    return APR_SUCCESS;
}

/* As many as half of the places, and one where there is one only. */
static int half(const oas_gate_t *gate)
{
    return (gate->max + 1) / 2;
}

/* Where the database is back a probe takes milliseconds, so whoever comes meanwhile is better off
 * waiting than sent away. Where it is silent a probe takes seconds: then nobody may wait for it
 * whose thread others need, so one is waited for only while it is young, and by few. Mutex held. */
static void await_probe(oas_gate_t *gate, apr_interval_time_t wait)
{
    apr_interval_time_t left = gate->looked + PROBE_PATIENCE - oas_clock();

    if (left > wait)
        left = wait;
    if (left <= 0 || gate->behind >= half(gate))
        return;
    gate->behind++;
    wait_in(&gate->first_behind, gate, NULL, left, 1);
    gate->behind--;
}

/* Who has waited for a probe in vain does not probe himself. Mutex held. */
static apr_status_t enter_away(oas_gate_t *gate, apr_interval_time_t wait, oas_gate_place_t *place)
{
    apr_time_t until = oas_clock() + wait;

    if (!gate->probing)
        return enter_as_probe(gate, place);
    await_probe(gate, wait);
    return gate->away ? OAS_DB_UNAVAILABLE : enter_open(gate, until - oas_clock(), place);
}

enum { NOT_LENT, LENT, MAKING };

/* Mutex held. */
static int lend(oas_gate_t *gate, oas_gate_place_t *place)
{
    if (gate->used < gate->made) {
        gate->used++;
        place->lent = LENT;
    } else if (!gate->making) {
        gate->making = 1;
        place->lent = MAKING;
    }
    return place->lent != NOT_LENT;
}

apr_status_t oas_gate_enter(oas_gate_t *gate, apr_interval_time_t wait, oas_gate_place_t *place)
{
    apr_status_t rv;

    memset(place, 0, sizeof(*place));
    pthread_mutex_lock(&gate->mutex);
    rv = gate->away ? enter_away(gate, wait, place) : enter_open(gate, wait, place);
    if (rv == APR_SUCCESS) {
        place->gate = gate;
        if (!gate->first_lend)
            lend(gate, place); /* nearly always; see oas_gate_lend for when not */
    } else {
        gate->refused++;
    }
    pthread_mutex_unlock(&gate->mutex);
    return rv;
}

/* Lends to those who wait for it, the first one first. Mutex held. */
static void serve_lend(oas_gate_t *gate)
{
    while (gate->first_lend && lend(gate, gate->first_lend->place)) {
        gate->first_lend->served = 1;
        pthread_cond_signal(&gate->first_lend->wake);
        gate->first_lend = gate->first_lend->next;
    }
}

/* Mutex held. */
static void take_back(oas_gate_t *gate, oas_gate_place_t *place)
{
    if (place->lent == LENT)
        gate->used--;
    else if (place->lent == MAKING)
        gate->making = 0;
    place->lent = NOT_LENT;
    serve_lend(gate);
}

apr_status_t oas_gate_lend(oas_gate_place_t *place, apr_interval_time_t wait)
{
    oas_gate_t *gate = place->gate;

    if (place->lent != NOT_LENT)
        return APR_SUCCESS;
    pthread_mutex_lock(&gate->mutex);
    if (gate->first_lend || !lend(gate, place))
        wait_in(&gate->first_lend, gate, place, wait, 0);
    pthread_mutex_unlock(&gate->mutex);
    return place->lent != NOT_LENT ? APR_SUCCESS : OAS_DB_UNAVAILABLE;
}

void oas_gate_lent(oas_gate_place_t *place, int found)
{
    oas_gate_t *gate = place->gate;
    int made = place->lent == MAKING && found;

    if (place->lent == LENT && found)
        return;
    pthread_mutex_lock(&gate->mutex);
    if (place->lent == LENT)
        gate->made--; /* it was not there after all */
    take_back(gate, place);
    if (made) {
        gate->made++;
        gate->used++;
        place->lent = LENT;
        if (gate->made >= gate->max)
            __atomic_store_n(&gate->opening, 0, __ATOMIC_RELAXED); /* all are there */
    }
    pthread_mutex_unlock(&gate->mutex);
}

/* Mutex held. */
static void bury(oas_gate_t *gate, oas_gate_place_t *place)
{
    if (place->lent == LENT) {
        gate->made--;
        gate->used--;
        place->lent = NOT_LENT;
    }
}

void oas_gate_dead(oas_gate_place_t *place)
{
    oas_gate_t *gate = place->gate;

    if (!gate)
        return;
    pthread_mutex_lock(&gate->mutex);
    bury(gate, place);
    pthread_mutex_unlock(&gate->mutex);
}

int oas_gate_remake(oas_gate_place_t *place)
{
    oas_gate_t *gate = place->gate;

    if (!gate)
        return 1;
    pthread_mutex_lock(&gate->mutex);
    bury(gate, place);
    if (place->lent == NOT_LENT && !gate->making) {
        gate->making = 1;
        place->lent = MAKING;
    }
    pthread_mutex_unlock(&gate->mutex);
    return place->lent == MAKING;
}

/* Mutex held. */
static void end_probe(oas_gate_t *gate)
{
    gate->probing = 0;
    gate->looked = oas_clock();
    for (; gate->first_behind; gate->first_behind = gate->first_behind->next) {
        gate->first_behind->served = 1;
        pthread_cond_signal(&gate->first_behind->wake);
    }
}

void oas_gate_leave(oas_gate_place_t *place)
{
    oas_gate_t *gate = place->gate;

    if (!gate)
        return;
    pthread_mutex_lock(&gate->mutex);
    gate->in_flight--;
    take_back(gate, place);
    if (place->probe)
        end_probe(gate);
    serve(gate);
    pthread_mutex_unlock(&gate->mutex);
    memset(place, 0, sizeof(*place));
}

/* Whoever finds that out long after others has nothing new to say; nor was the database away when
 * it only took no further connection for a moment. Mutex held. */
static void note_return(oas_gate_t *gate)
{
    apr_time_t now = oas_clock();

    oas_unsettled_note(gate->unsettled, OAS_MOMENT_LOST);
    oas_unsettled_note(gate->unsettled, OAS_MOMENT_OPENED);
    if (now - gate->shut >= AWAY_MIN &&
        !oas_unsettled_within(gate->unsettled, OAS_MOMENT_BACK, now - gate->missed))
        oas_unsettled_note(gate->unsettled, OAS_MOMENT_BACK);
}

static void note_away(oas_gate_t *gate)
{
    gate->missed = oas_clock();
    if (!gate->away)
        gate->shut = gate->missed;
}

void oas_gate_report(oas_gate_place_t *place, int reached)
{
    oas_gate_t *gate = place->gate;

    if (!gate)
        return;
    if (reached)
        __atomic_store_n(&gate->reached, oas_clock(), __ATOMIC_RELAXED);
    if (reached && !apr_atomic_read32(&gate->away))
        return;
    pthread_mutex_lock(&gate->mutex);
    if (!reached)
        note_away(gate);
    else if (gate->away)
        note_return(gate);
    if (!gate->joined)
        oas_gauge_add(OAS_M_POOLS_AWAY, !reached - (int)gate->away);
    __atomic_store_n(&gate->away, !reached, __ATOMIC_RELEASE); /* the moments are noted before */
    if (place->probe)
        end_probe(gate);
    place->probe = 0;
    serve(gate);
    wake_all(gate);
    pthread_mutex_unlock(&gate->mutex);
}

/* Whether another process of the node has found the database back since we have missed it. */
static int is_found_back(const oas_gate_t *gate)
{
    return oas_unsettled_within(gate->unsettled, OAS_MOMENT_OPENED, oas_clock() - gate->missed);
}

/* Whether none of this process has looked for long enough, and somebody could. Who has something to
 * undo does not wait, nor does anybody once it has been found back. */
static int is_time(oas_gate_t *gate)
{
    apr_interval_time_t every =
        oas_unsettled_count(gate->unsettled) || is_found_back(gate) ? 0 : PROBE_EVERY;

    return gate->away && !gate->probing && !gate->making && gate->in_flight < gate->max &&
           oas_clock() - gate->looked >= every;
}

/* Once it has been found back all look, otherwise one after the other. */
static int is_our_turn(const oas_gate_t *gate)
{
    return is_found_back(gate) ||
           !oas_unsettled_within(gate->unsettled, OAS_MOMENT_PROBED, PROBE_SPACING);
}

int oas_gate_turn(oas_gate_t *gate)
{
    int turn;

    if (!oas_gate_is_away(gate))
        return 0;
    pthread_mutex_lock(&gate->mutex);
    turn = is_time(gate) && is_our_turn(gate);
    if (turn)
        oas_unsettled_note(gate->unsettled, OAS_MOMENT_PROBED);
    pthread_mutex_unlock(&gate->mutex);
    return turn;
}

void oas_gate_report_silence(oas_gate_place_t *place, apr_time_t since)
{
    oas_gate_t *gate = place->gate;

    if (gate && __atomic_load_n(&gate->reached, __ATOMIC_RELAXED) <= since)
        oas_gate_report(place, 0);
}

void oas_gate_note_loss(oas_gate_place_t *place)
{
    if (place->gate)
        oas_unsettled_note(place->gate->unsettled, OAS_MOMENT_LOST);
}

oas_gate_faith_t oas_gate_faith(oas_gate_t *gate)
{
    oas_unsettled_t *list = gate->unsettled;

    if (oas_gate_is_away(gate) || oas_unsettled_within(list, OAS_MOMENT_BACK, RETURN_MEMORY))
        return OAS_GATE_RETURNED;
    return oas_unsettled_within(list, OAS_MOMENT_LOST, LOSS_MEMORY) || oas_unsettled_count(list)
               ? OAS_GATE_LOSES
               : OAS_GATE_SURE;
}

int oas_gate_pause(oas_gate_t *gate)
{
    int may;

    pthread_mutex_lock(&gate->mutex);
    may = gate->paused < half(gate);
    gate->paused += may;
    pthread_mutex_unlock(&gate->mutex);
    return may;
}

void oas_gate_resume(oas_gate_t *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->paused--;
    pthread_mutex_unlock(&gate->mutex);
}

void oas_gate_stats(oas_gate_t *gate, oas_gate_stats_t *out)
{
    pthread_mutex_lock(&gate->mutex);
    out->max = gate->max;
    out->in_flight = gate->in_flight;
    out->waiting = gate->waiting + gate->behind;
    out->away = (int)gate->away;
    out->refused = gate->refused;
    pthread_mutex_unlock(&gate->mutex);
}
