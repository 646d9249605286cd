/* SPDX-License-Identifier: Apache-2.0 */
/* Refreshes that wait for somebody who holds the grant's row, and what they do when they have it:
 * the row decides as it was left, not as it was found. */
#include "race.h"

#include <string.h>
#include <unistd.h>
#include <apr_strings.h>

typedef struct {
    const char *meanwhile; /* what is done to the row, with %s for the grant's id */
    const char *end;       /* of the transaction */
    oas_refresh_child_t child;
    oas_refresh_t requests[RACERS];
    oas_refresh_result_t results[RACERS];
    apr_status_t statuses[RACERS];
} held_t;

/* Until all the others wait for a lock. */
static void wait_for_others(racer_t *racer)
{
    PGconn *superuser = cluster_superuser();
    int i;

    for (i = 0; i < 3000; i++) {
        if (!strcmp(
                cluster_sql(superuser,
                            apr_psprintf(racer->pool,
                                         "SELECT count(*) = %d FROM pg_stat_activity "
                                         "WHERE usename = 'oauth2as' AND wait_event_type = 'Lock'",
                                         RACERS - 1)),
                "t"))
            break;
        usleep(10000);
    }
    PQfinish(superuser);
    race_expect(i < 3000, "everybody waits for who holds the row");
}

static void refresh_or_hold(racer_t *racer, void *data)
{
    held_t *held = data;
    oas_grant_t grant;
    int i = racer->index;

    if (i) {
        held->statuses[i] = oas_store_refresh(racer->db, &held->requests[i], &held->results[i],
                                              &grant, racer->pool);
        return;
    }
    wait_for_others(racer);
    cluster_sql(race_owner, held->end);
}

static void hold(held_t *held, const char *sub)
{
    int i, failures = 0;

    held->requests[0] = race_family(sub, &held->child);
    for (i = 1; i < RACERS; i++) {
        held->requests[i] = held->requests[0];
        race_random(held->requests[i].attempt, OAS_ID_LEN);
    }
    cluster_sql(race_owner, "BEGIN");
    race_family_sql(held->meanwhile, &held->requests[0]);
    race_run(RACERS, refresh_or_hold, held);
    for (i = 1; i < RACERS; i++)
        failures += held->statuses[i] != APR_SUCCESS;
    race_expect(failures == 0, "no request fails; %d did", failures);
}

static int count(const held_t *held, oas_refresh_outcome_t outcome)
{
    int i, n = 0;

    for (i = 1; i < RACERS; i++)
        n += held->results[i].outcome == outcome;
    return n;
}

static void expect_all(const held_t *held, oas_refresh_outcome_t outcome, const char *what)
{
    race_expect(count(held, outcome) == RACERS - 1, "all find it %s; %d did", what,
                count(held, outcome));
    race_expect_lineage(&held->requests[0], 1);
}

/* The grant is revoked while rotations of its head wait: there is no child of it. */
static void race_revoked_meanwhile(void)
{
    held_t held = {.meanwhile = "UPDATE oas_grants SET revoked_at = clock_timestamp(), "
                                "revoked_reason = 'by hand' WHERE grant_id = '%s'",
                   .end = "COMMIT"};

    race_step();
    hold(&held, "file|held");
    expect_all(&held, OAS_REFRESH_REVOKED, "revoked");
}

/* Who holds the row changes nothing in the end: one rotates, nobody is refused. */
static void race_let_go(void)
{
    held_t held = {.meanwhile = "UPDATE oas_grants SET revoked_at = clock_timestamp() "
                                "WHERE grant_id = '%s'",
                   .end = "ROLLBACK"};

    race_step();
    hold(&held, "file|held");
    race_expect(count(&held, OAS_REFRESH_ROTATED) == 1 &&
                    count(&held, OAS_REFRESH_REPEATED) == RACERS - 2,
                "one rotates, all others repeat; %d and %d did", count(&held, OAS_REFRESH_ROTATED),
                count(&held, OAS_REFRESH_REPEATED));
    race_expect_lineage(&held.requests[0], 2);
}

const race_round_t race_revoked_round = {"revoked while rotations wait", race_revoked_meanwhile};

void race_held(void)
{
    int i;

    for (i = 0; i < race_rounds(); i++) {
        race_revoked_meanwhile();
        race_let_go();
    }
}
