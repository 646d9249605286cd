/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pace.h
 * Failed sign-ins take the same time, whether the user is unknown everywhere or some provider has
 * compared a password, so that the time of the answer does not tell whether an account exists.
 *
 * Nothing is known of the work of a foreign provider but how long it took. So that is remembered,
 * for each provider that gave a verdict and for users nobody knows, and every failure is answered
 * after the longest of these times, OAS_PACE_MIN at least. Time spent in our own queues does not
 * count: it is the same for all. What a provider takes beyond OAS_PACE_MAX cannot be hidden.
 */
#ifndef OAS_LOGIN_PACE_H
#define OAS_LOGIN_PACE_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

#define OAS_PACE_MIN  apr_time_from_msec(200)
#define OAS_PACE_MAX  apr_time_from_sec(2)
#define OAS_PACE_KEPT 16 /**< times that are remembered of each kind; the longest of them is luck  \
                          */

typedef struct oas_pace oas_pace_t;

/** For one issuer in one child process; `providers`: how many OAuth2ASPasswordProvider names. */
apr_status_t oas_pace_create(oas_pace_t **out, int providers, apr_pool_t *pool);

/**
 * Remembers how long it took to a verdict, good or bad.
 * @param chain who was asked: 0 all providers in turn, 1 + i the i-th one alone
 * @param by    who gave the verdict: the i-th provider, or the number of providers: nobody knew the
 * user
 */
void oas_pace_note(oas_pace_t *pace, int chain, int by, apr_interval_time_t took);

/** How long a failure takes; between OAS_PACE_MIN and OAS_PACE_MAX. */
apr_interval_time_t oas_pace_of(oas_pace_t *pace, int chain);

#endif
