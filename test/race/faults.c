/* SPDX-License-Identifier: Apache-2.0 */
/* The database dies under the statements of many threads. */
#include "race.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>

#define WORKERS 16
#define KILLS   60

typedef struct {
    oas_session_new_t login;
    oas_refresh_t families[WORKERS]; /* each worker rotates one of its own */
    oas_refresh_child_t children[WORKERS];
    int finished;    /* 1: workers may stop */
    int wait_for_it; /* 1: the database may be away for a while */
    int codes;       /* how many were put and redeemed */
    int reads, reads_failed;
    int done, away, other;
    int rotations, rotated;
} load_t;

/* How many requests each worker has begun. */
static volatile int begun[RACERS];

static void count(int *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

/* One request of its own each time, as in a server. */
static oas_db_t *next_request(racer_t *racer)
{
    __atomic_add_fetch(&begun[racer->index], 1, __ATOMIC_SEQ_CST);
    apr_pool_clear(racer->pool);
    return cluster_db(racer->conn, TEST_ISSUER, NULL, racer->pool);
}

static void read_session(racer_t *racer, load_t *load)
{
    oas_session_t out;
    apr_status_t rv =
        oas_store_session_load(next_request(racer), load->login.session_id, load->login.secret_hash,
                               "shop", "", apr_time_from_sec(3600), &out, racer->pool);

    count(rv == APR_SUCCESS ? &load->reads : &load->reads_failed);
}

/* Puts a code until it is there, then redeems it by one attempt until there is an answer. */
static void redeem_one(racer_t *racer, load_t *load)
{
    oas_code_put_t code = race_code(&load->login);
    oas_code_redeem_t in = race_redeem(&code);
    oas_code_put_outcome_t put;
    oas_redeem_outcome_t outcome = OAS_REDEEM_UNKNOWN;
    oas_grant_t grant;
    apr_status_t rv;

    while (oas_store_code_put(next_request(racer), &code, &put, &grant, racer->pool) !=
           APR_SUCCESS) {
        if (!load->wait_for_it)
            count(&load->away);
        usleep(10000);
    }
    for (;;) {
        rv = oas_store_code_redeem(next_request(racer), &in, &outcome, &grant, racer->pool);
        if (rv != OAS_DB_UNAVAILABLE)
            break;
        if (!load->wait_for_it)
            count(&load->away);
        usleep(10000);
    }
    count(rv == APR_SUCCESS && outcome == OAS_REDEEM_DONE ? &load->done : &load->other);
}

/* Rotates by one attempt until there is an answer, and goes on with what it got. Nobody else may
 * present a token twice here (window 0), so a retry that is not known again ends the family. */
static void rotate_one(racer_t *racer, load_t *load)
{
    oas_refresh_t *family = &load->families[racer->index];
    oas_refresh_child_t *child = &load->children[racer->index];
    oas_refresh_result_t result;
    oas_grant_t grant;
    apr_status_t rv;

    race_random(family->attempt, OAS_ID_LEN);
    race_random(child->token_hash, OAS_SHA256_LEN);
    count(&load->rotations);
    for (;;) {
        rv = oas_store_refresh(next_request(racer), family, &result, &grant, racer->pool);
        if (rv != OAS_DB_UNAVAILABLE)
            break;
        if (!load->wait_for_it)
            count(&load->away);
        usleep(10000);
    }
    if (rv == APR_SUCCESS && result.key == 0 &&
        (result.outcome == OAS_REFRESH_ROTATED || result.outcome == OAS_REFRESH_REPEATED))
        count(&load->rotated);
    memcpy(family->token_hash, child->token_hash, OAS_SHA256_LEN);
}

static void work(racer_t *racer, void *data)
{
    load_t *load = data;

    while (!__atomic_load_n(&load->finished, __ATOMIC_ACQUIRE)) {
        count(&load->codes);
        read_session(racer, load);
        redeem_one(racer, load);
        rotate_one(racer, load);
    }
}

static void *run_load(void *data)
{
    race_run(WORKERS, work, data);
    return NULL;
}

static pthread_t start_load(load_t *load, int wait_for_it)
{
    pthread_t thread;
    int i;

    race_step();
    memset(load, 0, sizeof(*load));
    for (i = 0; i < WORKERS; i++) {
        load->families[i] = race_family("file|rotates", &load->children[i]);
        load->families[i].window = 0;
    }
    load->login = race_login("file|faults");
    load->wait_for_it = wait_for_it;
    if (pthread_create(&thread, NULL, run_load, load) != 0)
        exit(1);
    return thread;
}

/* Every code was redeemed, once, by the attempt that was told so. */
static void expect_all_done(const load_t *load)
{
    race_expect(load->done == load->codes && load->other == 0,
                "every one of %d redemptions ends done; %d did, %d otherwise", load->codes,
                load->done, load->other);
    race_expect(!strcmp(cluster_sql(race_owner,
                                    "SELECT count(*) FROM oas_grants JOIN oas_codes USING "
                                    "(grant_id) WHERE sub = 'file|faults' AND (revoked_at IS NOT "
                                    "NULL OR used_at IS NULL OR activated_at IS NULL)"),
                        "0"),
                "no retry was taken for a replay");
    race_expect(load->rotated == load->rotations, "every one of %d rotations succeeds; %d did",
                load->rotations, load->rotated);
    race_expect(
        !strcmp(cluster_sql(race_owner, "SELECT count(*) FROM oas_grants AS g WHERE sub = "
                                        "'file|rotates' AND (revoked_at IS NOT NULL OR "
                                        "refresh_generation <> (SELECT count(*) FROM "
                                        "oas_refresh_tokens AS t WHERE t.grant_id = g.grant_id))"),
                "0"),
        "no retry was taken for a theft");
}

/* Until the request that the last one was taken from, and the one that found out, are over, however
 * slow: no request is hit twice. */
static void let_all_go_on(void)
{
    int at[WORKERS], i;

    for (i = 0; i < WORKERS; i++)
        at[i] = __atomic_load_n(&begun[i], __ATOMIC_SEQ_CST);
    for (i = 0; i < WORKERS; i++)
        while (__atomic_load_n(&begun[i], __ATOMIC_SEQ_CST) < at[i] + 2)
            usleep(1000);
}

/* Backends are ended one after the other: nobody notices. */
static void fault_terminate(void)
{
    PGconn *superuser = cluster_superuser();
    pthread_t thread;
    load_t load;
    int killed = 0;

    thread = start_load(&load, 0);
    while (killed < KILLS) {
        /* one of those at work */
        const char *backend = cluster_sql(
            superuser, "SELECT pid FROM pg_stat_activity WHERE usename = 'oauth2as' AND "
                       "query_start > clock_timestamp() - interval '1 second' "
                       "ORDER BY backend_start LIMIT 1");

        if (*backend) {
            cluster_terminate((int)apr_atoi64(backend));
            killed++;
            let_all_go_on();
        }
        usleep(1000);
    }
    __atomic_store_n(&load.finished, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    PQfinish(superuser);
    printf("          %d backends ended under %d codes\n", killed, load.codes);
    race_expect(load.reads == load.codes, "no read is lost; %d failed", load.reads_failed);
    race_expect(load.away == 0, "no write is refused; %d were", load.away);
    expect_all_done(&load);
}

static void read_once(racer_t *racer, void *data)
{
    read_session(racer, data);
}

/* The whole server restarts between requests: the next request of every connection succeeds. */
static void fault_restart_between(const char *mode)
{
    load_t load;

    race_step();
    memset(&load, 0, sizeof(load));
    load.login = race_login("file|between");
    race_run(RACERS, read_once, &load);
    PQfinish(race_owner);
    cluster_verb("restart", mode);
    race_owner = cluster_owner();
    race_run(RACERS, read_once, &load);
    race_expect(load.reads == 2 * RACERS, "no read is lost by a restart (%s); %d were", mode,
                load.reads_failed);
}

/* The whole server restarts under the load: whoever asks again gets what is his, nothing twice. */
static void fault_restart_under_load(const char *mode)
{
    pthread_t thread;
    load_t load;
    apr_time_t start;

    thread = start_load(&load, 1);
    PQfinish(race_owner);
    usleep(100000);
    cluster_verb("restart", mode);
    race_owner = cluster_owner();
    usleep(100000);
    __atomic_store_n(&load.finished, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    expect_all_done(&load);
    race_step();
    start = apr_time_now();
    load.reads = load.reads_failed = 0;
    race_run(RACERS, read_once, &load);
    race_expect(load.reads == RACERS, "all is well at once after a restart (%s); %d reads failed",
                mode, load.reads_failed);
    race_expect(apr_time_now() - start < apr_time_from_sec(30), "and quickly");
}

void race_faults(void)
{
    fault_terminate();
    fault_restart_between("fast");
    fault_restart_between("immediate");
    fault_restart_under_load("fast");
    fault_restart_under_load("immediate");
}
