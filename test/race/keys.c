/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring: nodes and administrators who do the same at once, or the opposite. */
#include "race.h"

#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../../lib/base/words.h"
#include "../../lib/store/key.h"
#include "../../lib/store/runner.h"

#define ALG "ES256"

typedef struct {
    const char *kids[RACERS];
    int seen[RACERS]; /* keys, by who follows */
    oas_key_outcome_t outcomes[RACERS];
    apr_status_t statuses[RACERS];
} key_round_t;

static const oas_bytes_t sealed = {(const unsigned char *)"sealed", 6};

static int count(const key_round_t *round, oas_key_outcome_t outcome)
{
    int i, n = 0;

    for (i = 0; i < RACERS; i++)
        n += round->statuses[i] == APR_SUCCESS && round->outcomes[i] == outcome;
    return n;
}

static void expect_no_failure(const key_round_t *round)
{
    int i, failures = 0;

    for (i = 0; i < RACERS; i++)
        failures += round->statuses[i] != APR_SUCCESS;
    race_expect(failures == 0, "nothing fails; %d did", failures);
}

/* The keyring has so many keys in each state. */
static void expect_keys(const char *states)
{
    const char *found = cluster_sql(
        race_owner, "SELECT coalesce(string_agg(state || ' ' || n, ', ' ORDER BY state), '') FROM "
                    "(SELECT state, count(*) AS n FROM oas_keys GROUP BY state) AS s");

    race_expect(!strcmp(found, states), "there are keys %s; there are %s", states, found);
}

/* An empty keyring, or one with these keys that all may sign. */
static void begin(key_round_t *round, const char *kids)
{
    race_step();
    memset(round, 0, sizeof(*round));
    cluster_sql(race_owner, "DELETE FROM oas_keys");
    cluster_sql(race_owner,
                apr_psprintf(race_pool,
                             "INSERT INTO oas_keys (kid, alg, state, sealed, lifetime, created_at, "
                             "published_at, usable_at, activated_at, ends_at) SELECT s, '" ALG
                             "', s, 'x', 3600, t, t, t, CASE WHEN s <> 'next' THEN t END, CASE "
                             "WHEN s = 'retired' THEN "
                             "t + interval '1 hour' END FROM unnest(string_to_array('%s', ' ')) AS "
                             "s, (SELECT clock_timestamp() - interval '1 minute' AS t) AS t",
                             kids));
}

static void put_first(racer_t *racer, void *data)
{
    key_round_t *round = data;
    int i = racer->index;

    round->statuses[i] =
        oas_store_key_put(racer->db, apr_psprintf(racer->pool, "k%d", i), ALG, sealed, 0,
                          OAS_KEY_ACTIVE, &round->outcomes[i], racer->pool);
}

/* 64 nodes start with an empty keyring. */
static void race_first(void)
{
    key_round_t round;

    begin(&round, "");
    race_run(RACERS, put_first, &round);
    expect_no_failure(&round);
    race_expect(count(&round, OAS_KEY_PUT_ACTIVE) == 1, "one key is the first; %d are",
                count(&round, OAS_KEY_PUT_ACTIVE));
    expect_keys("active 1");
}

static void activate_next(racer_t *racer, void *data)
{
    key_round_t *round = data;
    int i = racer->index;

    round->statuses[i] =
        oas_store_key_activate(racer->db, "next", 0, &round->outcomes[i], racer->pool);
}

/* The schedule of 64 nodes is due at once. */
static void race_activate(void)
{
    key_round_t round;

    begin(&round, "active next");
    race_run(RACERS, activate_next, &round);
    expect_no_failure(&round);
    race_expect(count(&round, OAS_KEY_ACTIVATED) == 1, "one lets it sign; %d do",
                count(&round, OAS_KEY_ACTIVATED));
    race_expect(count(&round, OAS_KEY_IS_ACTIVE) == RACERS - 1, "the others find it done");
    expect_keys("active 1, retired 1");
}

static void do_anything(racer_t *racer, void *data)
{
    static const oas_keys_ask_t nothing = {
        .token = 7200, .lead = apr_time_from_sec(10), .rotate = apr_time_from_sec(1)};
    key_round_t *round = data;
    oas_keys_ask_t ask = nothing;
    oas_keys_told_t told;
    oas_words_t *algs;
    int i = racer->index;

    switch (i % 4) {
    case 0:
        activate_next(racer, data);
        break;
    case 1:
        round->statuses[i] =
            oas_store_key_activate(racer->db, "retired", 0, &round->outcomes[i], racer->pool);
        break;
    case 2:
        round->statuses[i] =
            oas_store_key_retire(racer->db, "active", 0, &round->outcomes[i], racer->pool);
        break;
    default:
        oas_words_parse(&algs, ALG, racer->pool);
        ask.algs = algs;
        round->statuses[i] = oas_store_keys_follow(racer->db, &ask, &told, racer->pool);
        round->seen[i] = round->statuses[i] == APR_SUCCESS ? told.rows->nelts : 0;
    }
}

/* Administrators want different things while nodes follow: one key signs, whatever comes out. */
static void race_anything(void)
{
    key_round_t round;
    int i, odd = 0;

    begin(&round, "active next retired");
    race_run(RACERS, do_anything, &round);
    expect_no_failure(&round);
    for (i = 3; i < RACERS; i += 4)
        odd += round.seen[i] != 3;
    race_expect(odd == 0, "whoever follows sees three keys; %d do not", odd);
    race_expect(count(&round, OAS_KEY_ACTIVATED) >= 1, "somebody succeeds");
    expect_keys("active 1, retired 2");
}

static void reseal(racer_t *racer, void *data)
{
    key_round_t *round = data;

    round->statuses[racer->index] =
        oas_store_key_reseal(racer->db, "active", 1, sealed, racer->pool);
}

/* 64 nodes have a new first secret. */
static void race_reseal(void)
{
    key_round_t round;
    int i, done = 0, late = 0;

    begin(&round, "active");
    race_run(RACERS, reseal, &round);
    for (i = 0; i < RACERS; i++) {
        done += round.statuses[i] == APR_SUCCESS;
        late += round.statuses[i] == APR_ENOENT;
    }
    race_expect(done == 1 && late == RACERS - 1, "one seals it anew; %d did, %d came late", done,
                late);
}

static void activate_or_shorten(racer_t *racer, void *data)
{
    key_round_t *round = data;
    int i = racer->index;
    const char *const params[] = {apr_psprintf(racer->pool, "c%d", i), "", "{}",
                                  apr_psprintf(racer->pool,
                                               "{\"lifetimes_ms\": {\"access-token\": %d}}",
                                               86400000 + 1000 * (RACERS - i))};
    oas_rows_t *rows;

    if (i % 8 == 0) {
        usleep(1000);
        activate_next(racer, data);
        return;
    }
    usleep((useconds_t)i * 30);
    round->statuses[i] =
        oas_db_run_row(racer->db, OAS_STMT_CLIENT_CHANGE, params, &rows, racer->pool);
}

/* Clients get shorter tokens while the key retires that signed the long ones: whichever comes
 * first, it stays for the longest of them. */
static void race_shortened(void)
{
    key_round_t round;
    const char *left;

    begin(&round, "active next");
    cluster_sql(
        race_owner,
        apr_psprintf(race_pool,
                     "DELETE FROM oas_clients; INSERT INTO oas_clients (client_id, source, "
                     "config_hash, metadata) SELECT 'c' || n, 'database', '', "
                     "jsonb_build_object('lifetimes_ms', jsonb_build_object("
                     "'access-token', 86400000 + 1000 * (%d - n))) FROM generate_series(1, %d) AS "
                     "n WHERE n %% 8 > 0",
                     RACERS, RACERS));
    race_run(RACERS, activate_or_shorten, &round);
    expect_no_failure(&round);
    expect_keys("active 1, retired 1");
    left = cluster_sql(race_owner, "SELECT extract(epoch FROM ends_at - retired_at)::integer FROM "
                                   "oas_keys WHERE state = 'retired'");
    race_expect(apr_atoi64(left) == 86400 + RACERS - 1 + 60,
                "the key stays for the longest token; it stays for %s s", left);
    cluster_sql(race_owner, "DELETE FROM oas_clients");
}

const race_round_t race_shortened_round = {"clients get shorter tokens while a key retires",
                                           race_shortened};
const race_round_t race_first_key_round = {"64 first keys", race_first};
const race_round_t race_activate_round = {"64 activations of a key", race_activate};
const race_round_t race_keys_round = {"activation, retirement and nodes that follow",
                                      race_anything};

void race_keys(void)
{
    int i;

    for (i = 0; i < race_rounds(); i++) {
        race_first();
        race_activate();
        race_anything();
        race_reseal();
        race_shortened();
    }
}
