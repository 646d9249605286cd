/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file throttle.h
 * Counters of failed logins. The wait is a time in the row; nobody sleeps.
 */
#ifndef OAS_STORE_THROTTLE_H
#define OAS_STORE_THROTTLE_H

#include "db.h"

enum { OAS_THROTTLE_PAIR, OAS_THROTTLE_ACCOUNT, OAS_THROTTLE_ADDRESS, OAS_THROTTLE_KEYS };

typedef struct {
    unsigned char key[OAS_THROTTLE_KEYS][OAS_SHA256_LEN]; /**< pair, account, address */
    int limit[OAS_THROTTLE_KEYS];                         /**< failures before waiting starts */
    apr_interval_time_t max;                              /**< longest wait */
    /** 1: a good login forgets the failures of the pair; 0: it gives back what it counted, no more.
     */
    int forgets;
} oas_throttle_attempt_t;

/**
 * Counts an attempt as failed beforehand, in all three counters, and says how long to wait.
 * When any of them is waiting, nothing is counted and *wait_s > 0 (whole seconds, rounded up).
 * Beyond the limit the n-th further failure waits 2^n seconds, at most `max`. A counter leaks: in
 * max(15 min, `max`) it loses `limit` failures, or half of what it holds when that is more, evenly,
 * however often it counts meanwhile. 64 attempts at once are counted as 64. A key that stands there
 * twice is one counter.
 */
apr_status_t oas_store_throttle_attempt(oas_db_t *db, const oas_throttle_attempt_t *in, int *wait_s,
                                        apr_pool_t *pool);

/** Takes back what an attempt counted: it was no failure (used when the provider was away). */
apr_status_t oas_store_throttle_forgive(oas_db_t *db, const oas_throttle_attempt_t *in,
                                        apr_pool_t *pool);

/** Parameter of the statements that store a good login: the key whose failures are forgotten; NULL
 * when none is, or when nothing was counted (`in` is NULL). */
const char *oas_throttle_forgotten(const oas_throttle_attempt_t *in, apr_pool_t *pool);

/** The parameter beside it: the keys that get back what the attempt counted. */
const char *oas_throttle_forgiven(const oas_throttle_attempt_t *in, apr_pool_t *pool);

#endif
