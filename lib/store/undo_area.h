/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file undo_area.h
 * What all processes of a node have left to undo (unsettled.h), in memory that they share: so it
 * outlives the process that noted it, and whichever comes first undoes it. Made by the process that
 * forks the others; the rest is private to store/.
 *
 * Nobody waits long for anybody: the lock is robust, so the death of its holder gives it free, and
 * what a process was about to undo when it died is taken by another one. That may undo the same
 * twice, which the statements allow. There are ids, random numbers and digests in it, nothing that
 * opens anything.
 */
#ifndef OAS_STORE_UNDO_AREA_H
#define OAS_STORE_UNDO_AREA_H

#include <apr_errno.h>
#include <apr_time.h>

typedef struct oas_undo_area oas_undo_area_t;
struct oas_undo;

/** How much memory it takes; most of it is never touched. */
apr_size_t oas_undo_area_size(void);

/** Makes an area of zeros ready; leaves one alone that is. Before the processes that use it are
 * forked. */
apr_status_t oas_undo_area_prepare(oas_undo_area_t *area);

/** @return APR_ENOSPC: it is full; APR_EBUSY: the lock could not be had, which is to be taken for
 * no area at all */
apr_status_t oas_undo_area_put(oas_undo_area_t *area, const struct oas_undo *undo);

/**
 * Hands out the oldest one with this first parameter (NULL: any) that no living process has in
 * hand; 0: there is none. It stays in the area until oas_undo_area_done or oas_undo_area_back is
 * told.
 */
int oas_undo_area_take(oas_undo_area_t *area, const char *first_param, struct oas_undo *undo);

/** What was handed out is settled. */
void oas_undo_area_done(const struct oas_undo *undo);

/** It is not: others may try, and it comes behind all that are there. */
void oas_undo_area_back(const struct oas_undo *undo);

/** How many there are, handed out or not; cheap. */
int oas_undo_area_count(const oas_undo_area_t *area);

/** When something happened last, to any process of the node. */
typedef enum {
    OAS_MOMENT_LOST,   /**< an answer was lost or did not come */
    OAS_MOMENT_BACK,   /**< the database could be reached again, after more than a moment */
    OAS_MOMENT_OPENED, /**< a gate was opened that had been shut */
    OAS_MOMENT_PROBED, /**< a task began to look whether the database is back */
    OAS_MOMENT_COUNT
} oas_moment_t;

/** now: by oas_clock. */
void oas_undo_area_note(oas_undo_area_t *area, oas_moment_t moment, apr_time_t now);

/** 0: never. */
apr_time_t oas_undo_area_noted(const oas_undo_area_t *area, oas_moment_t moment);

#endif
