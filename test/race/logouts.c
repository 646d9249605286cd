/* SPDX-License-Identifier: Apache-2.0 */
/* The end of sessions that is told to applications; what people end on their account page;
 * passwords hashed again and changed by their owners. */
#include "race.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/store/account.h"
#include "../../lib/store/logout.h"
#include "../../lib/store/user.h"

#define CLIENTS    4
#define QUEUED     20 /* logouts of each client */
#define PER_CLIENT 5
#define CLAIMED    (CLIENTS * PER_CLIENT)

typedef struct {
    oas_logout_t logouts[RACERS][CLAIMED];
    int counts[RACERS];
    apr_status_t statuses[RACERS];
} claim_round_t;

static void claim(racer_t *racer, void *data)
{
    static const oas_logouts_claim_t want = {
        .max = CLAIMED, .extra = CLAIMED, .per_client = PER_CLIENT, .lease = apr_time_from_sec(60)};
    claim_round_t *round = data;
    int i = racer->index;
    apr_array_header_t *list;

    round->counts[i] = 0;
    round->statuses[i] = oas_store_logouts_claim(racer->db, &want, &list, racer->pool);
    if (round->statuses[i] != APR_SUCCESS)
        return;
    round->counts[i] = list->nelts;
    memcpy(round->logouts[i], list->elts, (apr_size_t)list->nelts * sizeof(oas_logout_t));
}

/* How many were claimed by all together; each of them by one racer only. */
static int claimed_once(const claim_round_t *round)
{
    apr_hash_t *seen = apr_hash_make(race_pool);
    int i, k, n = 0, failures = 0;

    for (i = 0; i < RACERS; i++) {
        failures += round->statuses[i] != APR_SUCCESS;
        for (k = 0; k < round->counts[i]; k++, n++)
            apr_hash_set(seen, round->logouts[i][k].id, OAS_ID_LEN, "");
    }
    race_expect(failures == 0, "no claim fails; %d did", failures);
    race_expect((int)apr_hash_count(seen) == n, "each logout is claimed by one; %d of %d are",
                (int)apr_hash_count(seen), n);
    return n;
}

/* 64 claims at once: each logout goes to one, and no more than agreed are in flight for a client.
 */
static void race_claims(void)
{
    claim_round_t round;
    int i, k, total, left = CLIENTS * QUEUED;

    race_step();
    cluster_sql(race_owner,
                apr_psprintf(race_pool,
                             "DELETE FROM oas_logouts; INSERT INTO oas_logouts (client_id, "
                             "session_id, sub, due_at, purge_after) SELECT 'c' || i %% %d, "
                             "gen_random_uuid(), 'file|queued', clock_timestamp(), "
                             "clock_timestamp() + interval '1 hour' "
                             "FROM generate_series(1, %d) AS i",
                             CLIENTS, left));
    for (; left > 0; left -= total) {
        race_run(RACERS, claim, &round);
        total = claimed_once(&round);
        race_expect(total == CLAIMED, "%d of each of %d clients are in flight; %d are", PER_CLIENT,
                    CLIENTS, total);
        if (total != CLAIMED)
            return;
        for (i = 0; i < RACERS; i++) {
            for (k = 0; k < round.counts[i]; k++)
                oas_store_logout_done(race_db, round.logouts[i][k].id, race_pool);
        }
    }
    race_expect(!strcmp(cluster_sql(race_owner, "SELECT count(*) FROM oas_logouts"), "0"),
                "all have been told");
}

const race_round_t race_claim_round = {"64 claims of queued logouts", race_claims};

typedef struct {
    oas_session_new_t login;
    oas_code_put_t codes[RACERS];
    oas_code_put_outcome_t outcomes[RACERS];
    apr_status_t statuses[RACERS];
    int named; /* clients that the logout names */
} tracked_round_t;

static void put_tracked_or_log_out(racer_t *racer, void *data)
{
    tracked_round_t *round = data;
    int i = racer->index;
    apr_array_header_t *clients;
    oas_grant_t grant;

    if (i == 20) {
        round->statuses[i] = oas_store_session_logout(
            racer->db, round->login.session_id, round->login.secret_hash, &clients, racer->pool);
        round->named = round->statuses[i] == APR_SUCCESS ? clients->nelts : -1;
    } else {
        round->statuses[i] = oas_store_code_put(racer->db, &round->codes[i], &round->outcomes[i],
                                                &grant, racer->pool);
    }
}

/* A session ends while 63 applications take part in it: those that did are told, and no others. */
static void race_tracked(void)
{
    tracked_round_t round;
    int i, failures = 0, put = 0;

    race_step();
    memset(&round, 0, sizeof(round));
    round.login = race_login("file|tracked");
    for (i = 0; i < RACERS; i++) {
        round.codes[i] = race_code(&round.login);
        round.codes[i].client_id = apr_psprintf(race_pool, "app%d", i);
        round.codes[i].track = round.codes[i].queue = 1;
        round.outcomes[i] = OAS_CODE_SESSION_GONE;
    }
    race_run(RACERS, put_tracked_or_log_out, &round);
    for (i = 0; i < RACERS; i++) {
        failures += round.statuses[i] != APR_SUCCESS;
        put += round.outcomes[i] == OAS_CODE_PUT;
    }
    race_expect(failures == 0, "no request fails; %d did", failures);
    race_expect(round.named == put, "the logout names %d applications that took part; %d did",
                round.named, put);
    race_expect(
        apr_atoi64(cluster_sql(
            race_owner,
            apr_psprintf(race_pool, "SELECT count(*) FROM oas_logouts WHERE session_id = '%s'",
                         oas_hex_encode(race_pool, round.login.session_id, OAS_ID_LEN)))) == put,
        "each of the %d is told once", put);
}

const race_round_t race_tracked_round = {"a session ends while applications join", race_tracked};

typedef struct {
    oas_session_new_t keep, logins[RACERS];
    apr_status_t statuses[RACERS];
    int ended;
} others_round_t;

static void log_in_or_end_others(racer_t *racer, void *data)
{
    others_round_t *round = data;
    int i = racer->index;
    oas_session_t session;

    round->statuses[i] =
        i == 20 ? oas_store_sessions_end_others(racer->db, round->keep.sub, round->keep.session_id,
                                                &round->ended, racer->pool)
                : oas_store_session_open(racer->db, &round->logins[i], &session, racer->pool);
}

/* All other sessions are ended while there are 63 more logins, some of which continue the one that
 * stays: whatever was opened before is over. */
static void race_others(void)
{
    static int n;
    others_round_t round;
    const char *sub;
    int i, failures = 0;

    race_step();
    memset(&round, 0, sizeof(round));
    sub = apr_psprintf(race_pool, "file|others%d", n++);
    round.keep = race_login(sub);
    round.logins[20] = race_login(sub);
    for (i = 0; i < RACERS; i++) {
        if (i == 20)
            continue;
        round.logins[i] = round.keep;
        race_random(round.logins[i].session_id, OAS_ID_LEN);
        race_random(round.logins[i].secret_hash, OAS_SHA256_LEN);
        if (i % 16 == 0) {
            round.logins[i].old_session_id = round.keep.session_id;
            round.logins[i].old_secret_hash = round.keep.secret_hash;
        }
    }
    race_run(RACERS, log_in_or_end_others, &round);
    for (i = 0; i < RACERS; i++)
        failures += round.statuses[i] != APR_SUCCESS;
    race_expect(failures == 0, "no request fails; %d did", failures);
    race_expect(round.ended >= 1, "the session that was there is ended");
    race_expect(
        !strcmp(cluster_sql(
                    race_owner,
                    apr_psprintf(race_pool,
                                 "SELECT count(*) FROM oas_sessions WHERE sub = '%s' AND "
                                 "ended_at IS NULL AND session_id <> '%s' AND created_at < "
                                 "(SELECT min(ended_at) FROM oas_sessions WHERE sub = "
                                 "'%s')",
                                 sub, oas_hex_encode(race_pool, round.keep.session_id, OAS_ID_LEN),
                                 sub)),
                "0"),
        "no other session that was opened before lives on");
    race_expect(!strcmp(cluster_sql(race_owner,
                                    apr_psprintf(race_pool,
                                                 "SELECT ended_at IS NULL FROM oas_sessions WHERE "
                                                 "session_id = '%s'",
                                                 oas_hex_encode(race_pool, round.keep.session_id,
                                                                OAS_ID_LEN))),
                        "t"),
                "the one that stays lives");
}

const race_round_t race_others_round = {"other sessions are ended against logins", race_others};

typedef struct {
    const char *name, *proof;
    oas_session_new_t logins[RACERS];
    apr_status_t statuses[RACERS];
    int passwd; /* 1: racer 21 changes the password for an administrator */
    int change; /* 1: whoever does not sign in changes it for themselves */
} hash_round_t;

static void sign_in_or_hash(racer_t *racer, void *data)
{
    hash_round_t *round = data;
    int i = racer->index;
    const char *hash = apr_psprintf(racer->pool, "$y$racer%d", i);
    oas_session_t session;

    if (i == 21 && round->passwd)
        cluster_sql(
            race_owner,
            apr_psprintf(racer->pool, "SELECT oas_user_passwd_1('%s', '$y$new')", round->name));
    else if (i % 2 == 0)
        round->statuses[i] =
            oas_store_session_open(racer->db, &round->logins[i], &session, racer->pool);
    else if (round->change)
        round->statuses[i] =
            oas_store_user_change(racer->db, round->name, round->proof, hash, NULL, racer->pool);
    else
        round->statuses[i] =
            oas_store_user_rehash(racer->db, round->name, round->proof, hash, racer->pool);
}

/* Runs it; how many even racers (logins) and odd ones (hashes) succeeded. */
static void run_hashes(hash_round_t *round, int *logins, int *hashes)
{
    int i, failures = 0;

    race_step();
    round->name = race_user();
    for (i = 0; i < RACERS; i++)
        round->logins[i] = race_login_of(round->name);
    round->proof = round->logins[0].proof;
    memset(round->statuses, 0, sizeof(round->statuses));
    race_run(RACERS, sign_in_or_hash, round);
    for (i = *logins = *hashes = 0; i < RACERS; i++) {
        int good = round->statuses[i] == APR_SUCCESS;

        failures += !good && round->statuses[i] != APR_ENOENT;
        *logins += i % 2 == 0 && good;
        *hashes += i % 2 == 1 && good && !(i == 21 && round->passwd);
    }
    race_expect(failures == 0, "no request fails otherwise; %d did", failures);
}

/* A password is hashed again by several logins at once: one writes it, and none of them notices. */
static void race_rehash(void)
{
    hash_round_t round = {0};
    int logins, hashes;

    run_hashes(&round, &logins, &hashes);
    race_expect(logins == RACERS / 2, "all logins succeed; %d did", logins);
    race_expect(hashes == 1, "one hash is written; %d were", hashes);
}

/* And while it is changed: a hash of the old one is never there afterwards. */
static void race_rehash_passwd(void)
{
    hash_round_t round = {.passwd = 1};
    int logins, hashes;

    run_hashes(&round, &logins, &hashes);
    race_expect(hashes <= 1, "at most one hash is written; %d were", hashes);
    race_expect(!strcmp(cluster_sql(race_owner,
                                    apr_psprintf(race_pool,
                                                 "SELECT password_hash || ' ' || (SELECT count(*) "
                                                 "FROM oas_sessions WHERE sub = 'oauth2as|%s' AND "
                                                 "ended_at IS NULL) FROM oas_users WHERE name = "
                                                 "'%s'",
                                                 round.name, round.name)),
                        "$y$new 0"),
                "the new password stays, and nobody is signed in");
}

/* Its owner changes it in 32 windows at once, and signs in with the old one in 32 others. */
static void race_change(void)
{
    hash_round_t round = {.change = 1};
    int logins, hashes;

    run_hashes(&round, &logins, &hashes);
    race_expect(hashes == 1, "one change succeeds; %d did", hashes);
    race_expect(!strcmp(cluster_sql(race_owner,
                                    apr_psprintf(race_pool,
                                                 "SELECT count(*) FROM oas_sessions WHERE sub = "
                                                 "'oauth2as|%s' AND ended_at IS NULL",
                                                 round.name)),
                        "0"),
                "nobody is signed in with the old password");
}

const race_round_t race_rehash_round = {"a password is hashed again by its logins", race_rehash};
const race_round_t race_rehash_passwd_round = {"a password is hashed again and changed",
                                               race_rehash_passwd};
const race_round_t race_change_round = {"a password is changed by its owner", race_change};

void race_logouts(void)
{
    int i;

    for (i = 0; i < race_rounds(); i++) {
        race_claims();
        race_tracked();
        race_others();
        race_rehash();
        race_rehash_passwd();
        race_change();
    }
}
