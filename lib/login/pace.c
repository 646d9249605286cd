/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <apr_thread_mutex.h>

#define FEW 4 /* so few that even their longest counts */

/* The last times of one kind. */
typedef struct {
    apr_interval_time_t took[OAS_PACE_KEPT];
    int count, next;
} recent_t;

struct oas_pace {
    apr_thread_mutex_t *mutex;
    int kinds;
    recent_t *recent; /* kinds of each chain, one after the other */
};

apr_status_t oas_pace_create(oas_pace_t **out, int providers, apr_pool_t *pool)
{
    oas_pace_t *pace = apr_pcalloc(pool, sizeof(*pace));

    pace->kinds = providers + 1;
    pace->recent =
        apr_pcalloc(pool, sizeof(recent_t) * (apr_size_t)pace->kinds * (apr_size_t)pace->kinds);
    *out = pace;
    return apr_thread_mutex_create(&pace->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

void oas_pace_note(oas_pace_t *pace, int chain, int by, apr_interval_time_t took)
{
    recent_t *recent = &pace->recent[chain * pace->kinds + by];

    apr_thread_mutex_lock(pace->mutex);
    recent->took[recent->next] = took;
    recent->next = (recent->next + 1) % OAS_PACE_KEPT;
    recent->count += recent->count < OAS_PACE_KEPT;
    apr_thread_mutex_unlock(pace->mutex);
}

/* The longest but one: a single hiccup does not slow down all that follows. */
static apr_interval_time_t usual(const recent_t *recent)
{
    apr_interval_time_t longest = 0, second = 0;
    int i;

    for (i = 0; i < recent->count; i++) {
        apr_interval_time_t took = recent->took[i];

        if (took > longest) {
            second = longest;
            longest = took;
        } else if (took > second) {
            second = took;
        }
    }
    return recent->count < FEW ? longest : second;
}

apr_interval_time_t oas_pace_of(oas_pace_t *pace, int chain)
{
    const recent_t *recent = &pace->recent[chain * pace->kinds];
    apr_interval_time_t pace_of = OAS_PACE_MIN;
    int i;

    apr_thread_mutex_lock(pace->mutex);
    for (i = 0; i < pace->kinds; i++) {
        apr_interval_time_t took = usual(&recent[i]);

        pace_of = took > pace_of ? took : pace_of;
    }
    apr_thread_mutex_unlock(pace->mutex);
    return pace_of < OAS_PACE_MAX ? pace_of : OAS_PACE_MAX;
}
