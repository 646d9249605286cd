/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gate.h
 * The door before mod_dbd's pool, which itself waits without limit: at most as many in flight as
 * the pool has connections, a bounded wait, and, while the database is away, one who probes while
 * all others are answered at once, or, a few, when the probe has been. One gate stands before one
 * pool.
 */
#ifndef OAS_STORE_GATE_H
#define OAS_STORE_GATE_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

typedef struct oas_gate oas_gate_t;
struct oas_unsettled;
struct oas_undo_area;

/** A gate for one process. Until oas_gate_size is told, one request at a time may pass. */
apr_status_t oas_gate_create(oas_gate_t **out, apr_pool_t *pool);

/** What could not be settled behind this gate is, from now on, kept in this area, for all processes
 * that share it. Before anybody passes. */
void oas_gate_share(oas_gate_t *gate, struct oas_undo_area *area);

/** What could not be settled with the database behind this gate, see unsettled.h. */
struct oas_unsettled *oas_gate_unsettled(oas_gate_t *gate);

/** Whether there is something. Cheap. */
int oas_gate_is_unsettled(oas_gate_t *gate);

/** Whether the database is away, as far as is known. Cheap. */
int oas_gate_is_away(oas_gate_t *gate);

/**
 * For a gate that was made before it was known that `into` stands before the same pool: what could
 * not be settled behind either, what was lost, and when it came back, is one from now on, also for
 * those who are still to pass `gate`. Once for each gate; `into` lives as long.
 */
void oas_gate_join(oas_gate_t *gate, oas_gate_t *into);

/** Tells the size of the pool behind (DBDMax), once it is known. */
void oas_gate_size(oas_gate_t *gate, int max);

/** For so long after the first one has come, or until all connections were made, nobody is sent
 * away because he has waited long enough: those of a new process are still to be made. */
void oas_gate_open(oas_gate_t *gate, apr_interval_time_t opening);

/** How long to wait now where one would wait so long otherwise. */
apr_interval_time_t oas_gate_patience(oas_gate_t *gate, apr_interval_time_t wait);

/** A place behind the gate; belongs to one request. All zero: none. */
typedef struct {
    oas_gate_t *gate;
    int probe; /**< this one finds out whether the database is back */
    int lent;  /**< see oas_gate_lend */
} oas_gate_place_t;

/**
 * Takes a place. Those who wait are served before those who come later.
 * @return APR_SUCCESS; OAS_DB_UNAVAILABLE when no place came free within `wait`. While the database
 * is away at once when all places are taken; and when somebody else is probing, unless he has just
 * begun and few wait for him: then when he was told no, or after a quarter of a second.
 */
apr_status_t oas_gate_enter(oas_gate_t *gate, apr_interval_time_t wait, oas_gate_place_t *place);

/**
 * Whoever has a place asks before he borrows: either a connection that is known to be alive is
 * free, or this is the only one who makes another. Making one can take long, and all others of the
 * pool would have to wait for it too if they asked its owner; here they wait for one that comes
 * free, who came first is first.
 * @return APR_SUCCESS, or OAS_DB_UNAVAILABLE when nothing came free within `wait`
 */
apr_status_t oas_gate_lend(oas_gate_place_t *place, apr_interval_time_t wait);

/** Afterwards: 1, there is a connection, and it is alive; 0, there was none. */
void oas_gate_lent(oas_gate_place_t *place, int found);

/**
 * What was lent is dead, or too old. To connect anew takes as long as to make another one, so this
 * too is for one at a time.
 * @return 1: the one is this place, oas_gate_lent follows when it is done; 0: somebody else is
 * making one, so this one is better given back, and another one asked for
 */
int oas_gate_remake(oas_gate_place_t *place);

/** What is given back is dead: nobody is lent it for a live one. */
void oas_gate_dead(oas_gate_place_t *place);

/** Notes that an answer was lost or did not come. */
void oas_gate_note_loss(oas_gate_place_t *place);

/** How sure it is that a code or token that was used was used by somebody else. */
typedef enum {
    OAS_GATE_SURE,
    OAS_GATE_LOSES,   /**< not quite: answers got lost lately, or the database was away */
    OAS_GATE_RETURNED /**< not at all: it could not be reached for more than a moment until now, and
                           perhaps there are nodes that cannot reach it yet */
} oas_gate_faith_t;

/** Cheap. */
oas_gate_faith_t oas_gate_faith(oas_gate_t *gate);

/** Whether one more may let time pass before he asks the database (oas_gate_resume: he has): so
 * many that half of the places stay with others. @return 0: no */
int oas_gate_pause(oas_gate_t *gate);
void oas_gate_resume(oas_gate_t *gate);

/** Gives the place back; does nothing for none. A probe that reported nothing lets another one
 * probe. */
void oas_gate_leave(oas_gate_place_t *place);

/**
 * As oas_gate_report(place, 0) for a connection or an answer that did not come and was waited for
 * since `since` (oas_clock), but not when others have reached the database since then.
 */
void oas_gate_report_silence(oas_gate_place_t *place, apr_time_t since);

/**
 * Says how it went as soon as it is known: 1, the database answered, opens the gate for all; 0, it
 * did not, shuts it for all but one. Does nothing for no place. Cheap while nothing changes.
 */
void oas_gate_report(oas_gate_place_t *place, int reached);

/**
 * For the task of a process that looks when no request does: 1 when it is its turn to probe, which
 * is for it to do by a statement. Each process has one about each second while it finds the
 * database away, and at once when another one that shares the area has found it back; processes
 * that are many share the turns.
 */
int oas_gate_turn(oas_gate_t *gate);

typedef struct {
    int max, in_flight, waiting, away;
    apr_uint64_t refused;
} oas_gate_stats_t;
void oas_gate_stats(oas_gate_t *gate, oas_gate_stats_t *out);

#endif
