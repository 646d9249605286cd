/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file unsettled.h
 * Private to store/: attempts of which nobody could be told what became of them. Their clients were
 * told 503, so when the database is back they are undone before they can be taken for a replay.
 */
#ifndef OAS_STORE_UNSETTLED_H
#define OAS_STORE_UNSETTLED_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>
#include "statements.h"
#include "undo_area.h"

#define OAS_UNDO_PARAM_MAX 80 /* a hash in hex is the longest */

/** The statement that undoes an attempt, with its parameters. */
typedef struct oas_undo {
    oas_stmt_id_t statement;
    int given[OAS_UNDO_PARAMS]; /**< 0: SQL's NULL */
    char params[OAS_UNDO_PARAMS][OAS_UNDO_PARAM_MAX];
    oas_undo_area_t *area; /**< which handed it out, under this number; NULL: none */
    apr_uint64_t number;
} oas_undo_t;

typedef struct oas_unsettled oas_unsettled_t;

/** A list of one process; any number of threads may use it. */
apr_status_t oas_unsettled_create(oas_unsettled_t **out, apr_pool_t *pool);

/** From now on it is the list of all processes that share this area. Before anybody uses it. */
void oas_unsettled_share(oas_unsettled_t *list, oas_undo_area_t *area);

/** Fills in what undoes a statement that was run with these parameters; APR_EINVAL: too long. */
apr_status_t oas_undo_of(oas_undo_t *undo, const oas_stmt_t *stmt, const char *const *params);

/** Whether it was run with this first parameter; NULL: with any. */
int oas_undo_fits(const oas_undo_t *undo, const char *first_param);

/** Puts one there, or back, behind all others. APR_ENOSPC: the list is full. */
apr_status_t oas_unsettled_put(oas_unsettled_t *list, const oas_undo_t *undo);

/** Takes the oldest one off, to be told of by oas_unsettled_done or put back; 0: there is none. */
int oas_unsettled_take(oas_unsettled_t *list, oas_undo_t *undo);

/** Likewise the oldest one that was run with this first parameter. */
int oas_unsettled_take_of(oas_unsettled_t *list, const char *first_param, oas_undo_t *undo);

/** What was taken is settled. */
void oas_unsettled_done(const oas_undo_t *undo);

/** How many there are, those included that another process has taken and not settled yet; cheap. */
int oas_unsettled_count(oas_unsettled_t *list);

/** Notes that this happened, now. */
void oas_unsettled_note(oas_unsettled_t *list, oas_moment_t moment);

/** Whether it happened within this time; cheap. */
int oas_unsettled_within(oas_unsettled_t *list, oas_moment_t moment, apr_interval_time_t time);

/**
 * Makes `list` a part of `into`, with what it has: from now on whatever is done with either is done
 * with `into`, which lives as long. Once for each list, never in a ring.
 */
void oas_unsettled_join(oas_unsettled_t *list, oas_unsettled_t *into);

#endif
