/* SPDX-License-Identifier: Apache-2.0 */
#include "race.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"

apr_pool_t *race_pool;
oas_db_t *race_db;
PGconn *race_owner;

static racer_t racers[RACERS];
static cluster_conn_t *main_conn;
#define MUTANT_ROUNDS 500 /* after so many a race has not noticed what was broken */

static int passed, failed;
static int breaking; /* the races are to fail now */

void race_expect(int met, const char *format, ...)
{
    va_list args;

    if (met) {
        passed++;
        return;
    }
    failed++;
    if (breaking)
        return;
    printf("FAILED: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

void race_expect_red(const race_round_t *round, const char *why)
{
    int before = passed, failed_before = failed, i, red = 0;

    breaking = 1;
    for (i = 0; i < MUTANT_ROUNDS && !red; i++) {
        round->run();
        red = failed - failed_before;
    }
    breaking = 0;
    passed = before;
    failed = failed_before;
    cluster_log_clear();
    printf("          %s, %s: red in round %d, %d expectations not met\n", round->name, why, i,
           red);
    race_expect(red > 0, "%s stays green %s", round->name, why);
}

/* What the threads of one run share. */
typedef struct {
    pthread_barrier_t barrier;
    void (*work)(racer_t *racer, void *data);
    void *data;
} run_t;

typedef struct {
    racer_t *racer;
    run_t *run;
} start_t;

static void *run_one(void *data)
{
    start_t *start = data;

    pthread_barrier_wait(&start->run->barrier);
    start->run->work(start->racer, start->run->data);
    return NULL;
}

void race_run(int count, void (*work)(racer_t *racer, void *data), void *data)
{
    pthread_t threads[RACERS];
    start_t starts[RACERS];
    run_t run;
    int i;

    pthread_barrier_init(&run.barrier, NULL, (unsigned)count);
    run.work = work;
    run.data = data;
    for (i = 0; i < count; i++) {
        racer_t *racer = &racers[i];

        apr_pool_clear(racer->pool);
        racer->db = cluster_db(racer->conn, TEST_ISSUER, NULL, racer->pool);
        starts[i].racer = racer;
        starts[i].run = &run;
        if (pthread_create(&threads[i], NULL, run_one, &starts[i]) != 0) {
            printf("FAILED: cannot start a thread\n");
            exit(1);
        }
    }
    for (i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&run.barrier);
}

void race_connect(void)
{
    apr_pool_t *pool;
    int i;

    for (i = 0; i < RACERS; i++) {
        if (racers[i].conn)
            apr_pool_destroy(racers[i].conn->pool);
        else
            apr_pool_create(&racers[i].pool, NULL);
        racers[i].index = i;
        apr_pool_create(&pool, NULL);
        racers[i].conn = cluster_connect(pool, cluster_params(0), 0);
    }
}

int race_rounds(void)
{
    const char *text = getenv("OAS_RACE_ROUNDS");
    int rounds = text ? (int)apr_atoi64(text) : 50;

    return rounds > 0 ? rounds : 50;
}

void race_step(void)
{
    if (race_pool)
        apr_pool_clear(race_pool);
    else
        apr_pool_create(&race_pool, NULL);
    race_db = cluster_db(main_conn, TEST_ISSUER, NULL, race_pool);
}

void race_random(unsigned char *out, apr_size_t len)
{
    if (oas_random(out, len) != APR_SUCCESS)
        abort();
}

static oas_session_new_t describe_login(const char *sub, const char *provider, const char *name)
{
    oas_session_new_t in;

    memset(&in, 0, sizeof(in));
    race_random(in.session_id, OAS_ID_LEN);
    race_random(in.secret_hash, OAS_SHA256_LEN);
    in.sub = sub;
    in.provider = provider;
    in.name = name;
    in.claims = "{}";
    in.amr = "pwd";
    in.auth_time = OAS_AUTH_NOW;
    in.lifetime = in.idle = apr_time_from_sec(3600);
    return in;
}

void race_open(const oas_session_new_t *login)
{
    oas_session_t out;
    apr_status_t rv = oas_store_session_open(race_db, login, &out, race_pool);

    if (rv != APR_SUCCESS)
        race_expect(0, "a login was refused with status %d", rv);
}

oas_session_new_t race_login(const char *sub)
{
    oas_session_new_t in = describe_login(sub, "file", "Alice");

    race_open(&in);
    return in;
}

const char *race_user(void)
{
    return apr_pstrdup(race_pool, cluster_sql(race_owner,
                                              "INSERT INTO oas_users (name, password_hash, claims) "
                                              "VALUES ('u' || gen_random_uuid(), '$y$hash', '{}') "
                                              "RETURNING name"));
}

oas_session_new_t race_login_of(const char *name)
{
    unsigned char proof[OAS_SHA256_LEN];
    oas_session_new_t in =
        describe_login(apr_pstrcat(race_pool, "oauth2as|", name, NULL), "oauth2as", name);

    oas_sha256("$y$hash", 7, proof);
    in.proof = oas_hex_encode(race_pool, proof, sizeof(proof));
    return in;
}

oas_code_put_t race_code(const oas_session_new_t *login)
{
    oas_code_put_t in;

    memset(&in, 0, sizeof(in));
    race_random(in.grant_id, OAS_ID_LEN);
    race_random(in.code_hash, OAS_SHA256_LEN);
    memcpy(in.session_id, login->session_id, OAS_ID_LEN);
    in.with_code = 1;
    in.client_id = "shop";
    in.scope = "openid email";
    in.redirect_uri = "https://shop.example/cb";
    in.code_challenge = "right";
    in.code_lifetime = apr_time_from_sec(600);
    in.access_lifetime = apr_time_from_sec(300);
    return in;
}

oas_code_redeem_t race_redeem(const oas_code_put_t *code)
{
    oas_code_redeem_t in;

    memset(&in, 0, sizeof(in));
    memcpy(in.grant_id, code->grant_id, OAS_ID_LEN);
    memcpy(in.code_hash, code->code_hash, OAS_SHA256_LEN);
    in.client_id = code->client_id;
    in.redirect_uri = code->redirect_uri;
    in.code_challenge = code->code_challenge;
    race_random(in.attempt, OAS_ID_LEN);
    return in;
}

void race_put(const oas_code_put_t *code)
{
    oas_code_put_outcome_t outcome;
    oas_grant_t grant;

    race_expect(oas_store_code_put(race_db, code, &outcome, &grant, race_pool) == APR_SUCCESS &&
                    outcome == OAS_CODE_PUT,
                "a code is put");
}

void race_redeem_by(racer_t *racer, race_redeems_t *all)
{
    oas_grant_t grant;
    int i = racer->index;

    all->statuses[i] =
        oas_store_code_redeem(racer->db, &all->requests[i], &all->outcomes[i], &grant, racer->pool);
}

void race_put_by(racer_t *racer, race_redeems_t *all, const oas_code_put_t *code)
{
    oas_code_put_outcome_t outcome;
    oas_grant_t grant;

    all->statuses[racer->index] =
        oas_store_code_put(racer->db, code, &outcome, &grant, racer->pool);
}

const char *race_grant_sql(const char *format, const oas_code_put_t *code)
{
    const char *id = oas_hex_encode(race_pool, code->grant_id, OAS_ID_LEN);
    const char *at = strstr(format, "%s");

    return cluster_sql(race_owner,
                       apr_psprintf(race_pool, "%.*s%s%s", (int)(at - format), format, id, at + 2));
}

int main(void)
{
    static const struct {
        const char *name;
        void (*race)(void);
    } races[] = {
        {"codes", race_codes},       {"sessions", race_sessions}, {"consents", race_consents},
        {"throttle", race_throttle}, {"families", race_families}, {"held", race_held},
        {"ends", race_ends},         {"logouts", race_logouts},   {"keys", race_keys},
        {"mutants", race_mutants},   {"faults", race_faults},
    };
    apr_pool_t *pool;
    apr_size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    apr_dbd_init(pool);
    setvbuf(stdout, NULL, _IOLBF, 0);
    cluster_up();
    cluster_patience(apr_time_from_sec(60)); /* 64 that wait for a row, on a machine that is busy */
    main_conn = cluster_connect(pool, cluster_params(0), 0);
    race_owner = cluster_owner();
    race_connect();
    for (i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
        int before = passed, failed_before = failed;

        races[i].race();
        printf("%-9s %d passed, %d failed\n", races[i].name, passed - before,
               failed - failed_before);
    }
    PQfinish(race_owner);
    for (i = 0; i < RACERS; i++) {
        apr_pool_destroy(racers[i].pool);
        apr_pool_destroy(racers[i].conn->pool);
    }
    if (race_pool)
        apr_pool_destroy(race_pool);
    apr_pool_destroy(pool);
    cluster_down();
    printf("%d passed, %d failed\n", passed, failed);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
