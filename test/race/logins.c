/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, consents and the throttle. */
#include "race.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/store/consent.h"
#include "../../lib/store/throttle.h"

typedef struct {
    oas_session_new_t logins[RACERS];
    oas_session_t sessions[RACERS];
    apr_status_t statuses[RACERS];
} session_round_t;

static void open_session(racer_t *racer, void *data)
{
    session_round_t *round = data;

    round->statuses[racer->index] = oas_store_session_open(
        racer->db, &round->logins[racer->index], &round->sessions[racer->index], racer->pool);
}

/* 64 logins of one browser at once: one continues its session, the others have their own. */
static void race_old_session(session_round_t *round)
{
    oas_session_new_t old;
    const char *id;
    int i, good = 0, continued = 0;

    race_step();
    old = race_login("file|tabs");
    id = oas_base64url_encode(race_pool, old.session_id, OAS_ID_LEN);
    for (i = 0; i < RACERS; i++) {
        round->logins[i] = old;
        race_random(round->logins[i].session_id, OAS_ID_LEN);
        race_random(round->logins[i].secret_hash, OAS_SHA256_LEN);
        round->logins[i].old_session_id = old.session_id;
        round->logins[i].old_secret_hash = old.secret_hash;
    }
    race_run(RACERS, open_session, round);
    for (i = 0; i < RACERS; i++) {
        good += round->statuses[i] == APR_SUCCESS;
        continued += round->statuses[i] == APR_SUCCESS && !strcmp(round->sessions[i].id, id);
    }
    race_expect(good == RACERS, "all logins succeed; %d did", good);
    race_expect(continued == 1, "one session continues; %d did", continued);
}

/* One login sent 64 times is one session. */
static void race_same_session(session_round_t *round)
{
    int i, same = 0;

    race_step();
    round->logins[0] = race_login("file|same");
    race_random(round->logins[0].session_id, OAS_ID_LEN);
    race_random(round->logins[0].secret_hash, OAS_SHA256_LEN);
    for (i = 1; i < RACERS; i++)
        round->logins[i] = round->logins[0];
    race_run(RACERS, open_session, round);
    for (i = 0; i < RACERS; i++)
        same += round->statuses[i] == APR_SUCCESS &&
                !strcmp(round->sessions[i].id, round->sessions[0].id);
    race_expect(same == RACERS, "the same login is one session; %d were", same);
}

void race_sessions(void)
{
    session_round_t round;
    int i;

    for (i = 0; i < race_rounds(); i++) {
        race_old_session(&round);
        race_same_session(&round);
    }
}

typedef struct {
    oas_code_put_t codes[RACERS];
    apr_status_t statuses[RACERS];
    const char *sub;
} consent_round_t;

static void put_or_withdraw(racer_t *racer, void *data)
{
    consent_round_t *round = data;
    oas_code_put_outcome_t outcome;
    oas_grant_t grant;

    round->statuses[racer->index] =
        racer->index == 7
            ? oas_store_consent_withdraw(racer->db, round->sub, "shop", NULL, racer->pool)
            : oas_store_code_put(racer->db, &round->codes[racer->index], &outcome, &grant,
                                 racer->pool);
}

/* Codes are put while the consent they rest on is withdrawn: no grant survives, nothing revives it.
 */
void race_consents(void)
{
    consent_round_t round;
    oas_code_put_outcome_t outcome;
    oas_grant_t grant;
    int i, n, good;

    for (n = 0; n < race_rounds(); n++) {
        oas_session_new_t login;

        race_step();
        round.sub = apr_psprintf(race_pool, "file|withdraws%d", n);
        login = race_login(round.sub);
        for (i = 0; i < RACERS; i++) {
            round.codes[i] = race_code(&login);
            round.codes[i].consent = i % 2 ? OAS_CONSENT_ALLOW : OAS_CONSENT_REQUIRE;
            round.codes[i].form_started = apr_time_sec(apr_time_now()) - 5;
        }
        oas_store_code_put(race_db, &round.codes[1], &outcome, &grant, race_pool);
        race_random(round.codes[1].grant_id, OAS_ID_LEN);
        race_run(RACERS, put_or_withdraw, &round);
        for (i = good = 0; i < RACERS; i++)
            good += round.statuses[i] == APR_SUCCESS;
        race_expect(good == RACERS, "put and withdrawal succeed; %d did", good);
        race_expect(!strcmp(cluster_sql(race_owner,
                                        apr_psprintf(race_pool,
                                                     "SELECT count(*) FROM oas_grants WHERE sub = "
                                                     "'%s' AND revoked_at IS NULL",
                                                     round.sub)),
                            "0"),
                    "no grant survives the withdrawal");
        race_expect(!strcmp(cluster_sql(race_owner,
                                        apr_psprintf(race_pool,
                                                     "SELECT live FROM oas_consents WHERE sub = "
                                                     "'%s'",
                                                     round.sub)),
                            "f"),
                    "nothing revives the consent");
    }
}

typedef struct {
    oas_throttle_attempt_t attempts[RACERS];
    apr_status_t statuses[RACERS];
    int waits[RACERS];
} throttle_round_t;

static void attempt(racer_t *racer, void *data)
{
    throttle_round_t *round = data;

    round->statuses[racer->index] = oas_store_throttle_attempt(
        racer->db, &round->attempts[racer->index], &round->waits[racer->index], racer->pool);
}

static const char *failures(const unsigned char *key)
{
    return cluster_sql(race_owner, apr_psprintf(race_pool,
                                                "SELECT failures FROM oas_throttle WHERE key = "
                                                "'\\x%s'",
                                                oas_hex_encode(race_pool, key, OAS_SHA256_LEN)));
}

static int let_in(const throttle_round_t *round)
{
    int i, n = 0;

    for (i = 0; i < RACERS; i++)
        n += round->statuses[i] == APR_SUCCESS && round->waits[i] == 0;
    return n;
}

/* The same three keys for all, or keys drawn from a few in any order. */
static void draw_keys(throttle_round_t *round, int limit, int mixed)
{
    unsigned char few[6][OAS_SHA256_LEN];
    int i, k;

    memset(round, 0, sizeof(*round));
    race_random(few[0], sizeof(few));
    for (i = 0; i < RACERS; i++) {
        int first = mixed ? rand() % 6 : 0, step = mixed && rand() % 2 ? 5 : 1;

        for (k = 0; k < OAS_THROTTLE_KEYS; k++) {
            memcpy(round->attempts[i].key[k], few[(first + k * step) % 6], OAS_SHA256_LEN);
            round->attempts[i].limit[k] = limit;
        }
        round->attempts[i].max = apr_time_from_sec(24 * 3600); /* nothing leaks meanwhile */
    }
}

void race_throttle(void)
{
    throttle_round_t round;
    int n, k;

    for (n = 0; n < race_rounds(); n++) {
        race_step();
        draw_keys(&round, 1000, 0);
        race_run(RACERS, attempt, &round);
        race_expect(let_in(&round) == RACERS, "all attempts are let in");
        for (k = 0; k < OAS_THROTTLE_KEYS; k++)
            race_expect(!strcmp(failures(round.attempts[0].key[k]), "64"),
                        "64 at once are counted as 64");
        draw_keys(&round, 10, 0);
        race_run(RACERS, attempt, &round);
        race_expect(let_in(&round) == 11, "ten failures are free, the next one waits; %d got in",
                    let_in(&round));
        cluster_sql(race_owner, "UPDATE oas_throttle SET waiting_until = NULL, last_failure = "
                                "last_failure - interval '1 day' * 3.5 / 11 WHERE failures = 11");
        race_run(RACERS, attempt, &round);
        race_expect(let_in(&round) == 3, "what has leaked is free again, once; %d got in",
                    let_in(&round));
        cluster_log_clear();
        draw_keys(&round, 1000, 1);
        race_run(RACERS, attempt, &round);
        race_expect(let_in(&round) == RACERS && cluster_log_count() == 0,
                    "attempts that share keys crosswise never block each other; %d got in: %s",
                    let_in(&round), cluster_log_last());
    }
}
