/* SPDX-License-Identifier: Apache-2.0 */
#include "race.h"

#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../../lib/store/runner.h"

/* What every racer does in one round, and what came out. */
typedef struct {
    oas_code_put_t code;
    race_redeems_t redeems;
} round_t;

static void redeem(racer_t *racer, void *data)
{
    round_t *round = data;

    race_redeem_by(racer, &round->redeems);
}

/* `front`: tokens are issued along with the code. */
static void start_round(round_t *round, const char *sub, int front)
{
    oas_session_new_t login;
    int i;

    race_step();
    login = race_login(sub);
    memset(round, 0, sizeof(*round));
    round->code = race_code(&login);
    round->code.activate = front;
    race_put(&round->code);
    for (i = 0; i < RACERS; i++)
        round->redeems.requests[i] = race_redeem(&round->code);
}

static int count(const round_t *round, oas_redeem_outcome_t outcome)
{
    int i, n = 0;

    for (i = 0; i < RACERS; i++)
        n += round->redeems.statuses[i] == APR_SUCCESS && round->redeems.outcomes[i] == outcome;
    return n;
}

static int grant_lives(const round_t *round)
{
    oas_grant_t grant;

    return oas_store_grant_load(race_db, round->code.grant_id, &grant, race_pool) == APR_SUCCESS;
}

/* 64 requests with one code: one wins, the others are replays and end what was won. */
static void race_once(int front)
{
    round_t round;
    int done, replayed;

    start_round(&round, "file|one", front);
    race_run(RACERS, redeem, &round);
    done = count(&round, OAS_REDEEM_DONE);
    replayed = count(&round, OAS_REDEEM_REPLAYED);
    race_expect(done == 1, "exactly one of %d redemptions wins; %d did", RACERS, done);
    race_expect(replayed == RACERS - 1, "all others are replays; %d were", replayed);
    race_expect(!grant_lives(&round), "the replay ended the grant");
}

static void race_one_code(void)
{
    race_once(0);
}

static void race_front_code(void)
{
    race_once(1);
}

const race_round_t race_front_round = {"64 redemptions of a code from the front channel",
                                       race_front_code};

/* One rightful request among thieves with the wrong client, verifier or redirect_uri. */
static void race_thieves(int rightful)
{
    round_t round;
    int i;

    start_round(&round, "file|thieves", 0);
    for (i = 0; i < RACERS; i++) {
        if (i == rightful)
            continue;
        if (i % 3 == 0)
            round.redeems.requests[i].client_id = "thief";
        else if (i % 3 == 1)
            round.redeems.requests[i].code_challenge = "wrong";
        else
            round.redeems.requests[i].redirect_uri = "https://thief.example/cb";
    }
    race_run(RACERS, redeem, &round);
    race_expect(round.redeems.statuses[rightful] == APR_SUCCESS &&
                    round.redeems.outcomes[rightful] == OAS_REDEEM_DONE,
                "the rightful client wins");
    race_expect(count(&round, OAS_REDEEM_DONE) == 1, "only the rightful client wins");
    race_expect(count(&round, OAS_REDEEM_FOREIGN) + count(&round, OAS_REDEEM_VERIFIER) +
                        count(&round, OAS_REDEEM_REDIRECT_URI) ==
                    RACERS - 1,
                "every thief is told what is wrong");
    race_expect(grant_lives(&round), "thieves change nothing");
}

/* One attempt sent 64 times is one redemption. */
static void race_same_attempt(void)
{
    round_t round;
    int i;

    start_round(&round, "file|same", 0);
    for (i = 1; i < RACERS; i++)
        memcpy(round.redeems.requests[i].attempt, round.redeems.requests[0].attempt, OAS_ID_LEN);
    race_run(RACERS, redeem, &round);
    race_expect(count(&round, OAS_REDEEM_DONE) == RACERS, "the same attempt is done each time");
    race_expect(grant_lives(&round), "the same attempt is no replay");
}

static void put(racer_t *racer, void *data)
{
    round_t *round = data;

    race_put_by(racer, &round->redeems, &round->code);
}

/* One code put 64 times is put once. */
static void race_same_code(void)
{
    round_t round;
    int i, good = 0;

    start_round(&round, "file|put", 0);
    race_random(round.code.grant_id, OAS_ID_LEN);
    race_run(RACERS, put, &round);
    for (i = 0; i < RACERS; i++)
        good += round.redeems.statuses[i] == APR_SUCCESS;
    race_expect(good == RACERS, "the same code is put each time; %d were", good);
    race_expect(!strcmp(race_grant_sql("SELECT count(*) FROM oas_codes JOIN oas_grants USING "
                                       "(grant_id) WHERE grant_id = '%s'",
                                       &round.code),
                        "1"),
                "the same code is there once");
}

/* What a node asks of a code whose redemption may be undone, or undoes of one. */
typedef struct {
    round_t round;
    apr_status_t undone[RACERS], read[RACERS], spent[RACERS];
} undo_round_t;

static apr_status_t undo(racer_t *racer, const oas_code_redeem_t *in)
{
    const char *const params[] = {oas_sql_id(in->grant_id, racer->pool),
                                  oas_sql_id(in->attempt, racer->pool), NULL};

    return oas_db_run_true(racer->db, OAS_STMT_ATTEMPT_UNDO, params, racer->pool);
}

static apr_status_t ask_spent(racer_t *racer, const oas_code_redeem_t *in)
{
    const char *const params[] = {oas_sql_id(in->grant_id, racer->pool),
                                  oas_sql_bytes(in->code_hash, OAS_SHA256_LEN, racer->pool),
                                  in->client_id, NULL};

    return oas_db_run_true(racer->db, OAS_STMT_ATTEMPT_SPENT, params, racer->pool);
}

static void undo_or_read(racer_t *racer, void *data)
{
    undo_round_t *all = data;
    oas_grant_t grant;
    int i = racer->index;

    if (i % 8 == 0)
        all->undone[i] = undo(racer, &all->round.redeems.requests[0]);
    else
        all->read[i] =
            oas_store_grant_load(racer->db, all->round.code.grant_id, &grant, racer->pool);
}

static int succeeded(const apr_status_t *statuses)
{
    int i, n = 0;

    for (i = 0; i < RACERS; i++)
        n += statuses[i] == APR_SUCCESS;
    return n;
}

static oas_redeem_outcome_t redeem_now(round_t *round, int i)
{
    oas_redeem_outcome_t outcome = OAS_REDEEM_UNKNOWN;
    oas_grant_t grant;
    apr_status_t rv =
        oas_store_code_redeem(race_db, &round->redeems.requests[i], &outcome, &grant, race_pool);

    race_expect(rv == APR_SUCCESS, "it is redeemed, or refused");
    return outcome;
}

/* A redemption is undone while applications use the access token that came along with the code:
 * that one is good all the while, and the code once more. */
static void race_undo(void)
{
    undo_round_t all = {.undone = {0}};
    int i;

    start_round(&all.round, "file|undo", 1);
    race_expect(redeem_now(&all.round, 0) == OAS_REDEEM_DONE, "it is redeemed");
    for (i = 0; i < RACERS; i++) {
        all.undone[i] = APR_ENOENT;
        all.read[i] = APR_SUCCESS;
    }
    race_run(RACERS, undo_or_read, &all);
    race_expect(succeeded(all.undone) == 1, "it is undone once; %d times", succeeded(all.undone));
    race_expect(succeeded(all.read) == RACERS, "what came along is always good; %d times of %d",
                succeeded(all.read), RACERS);
    race_expect(redeem_now(&all.round, 1) == OAS_REDEEM_DONE, "the code is good again");
    race_expect(grant_lives(&all.round), "and so is all that is issued");
    race_expect(redeem_now(&all.round, 2) == OAS_REDEEM_REPLAYED, "once");
    race_expect(!grant_lives(&all.round), "the replay ended the grant");
}

static void ask_or_commit(racer_t *racer, void *data)
{
    undo_round_t *all = data;

    if (racer->index) {
        all->spent[racer->index] = ask_spent(racer, &all->round.redeems.requests[0]);
        return;
    }
    usleep(30000); /* less than anybody waits */
    cluster_sql(race_owner, "COMMIT");
}

/* Whoever asks while it is being redeemed waits, and is told what was committed, or nothing. */
static void race_spent(int front)
{
    undo_round_t all = {.spent = {0}};
    int i, unused = 0;

    start_round(&all.round, "file|spent", front);
    race_grant_sql("BEGIN; UPDATE oas_grants SET activated_at = clock_timestamp() WHERE grant_id = "
                   "'%s' AND activated_at IS NULL",
                   &all.round.code);
    race_grant_sql("SELECT 1 FROM oas_grants WHERE grant_id = '%s' FOR UPDATE", &all.round.code);
    race_grant_sql("UPDATE oas_codes SET used_at = clock_timestamp(), attempt = gen_random_uuid() "
                   "WHERE grant_id = '%s'",
                   &all.round.code);
    race_run(RACERS, ask_or_commit, &all);
    for (i = 1; i < RACERS; i++)
        unused += all.spent[i] == APR_ENOENT;
    race_expect(unused == 0, "nobody takes it for unused; %d do", unused);
}

static void race_front_spent(void)
{
    race_spent(1);
}

const race_round_t race_undo_round = {"a redemption is undone while a token is used", race_undo};
const race_round_t race_spent_round = {"asked whether it is used while a code is redeemed",
                                       race_front_spent};

void race_codes(void)
{
    int i;

    for (i = 0; i < race_rounds(); i++) {
        race_one_code();
        race_front_code();
        race_thieves(i % RACERS);
        if (i % 5 == 0) {
            race_undo();
            race_spent(i % 2);
            race_same_attempt();
            race_same_code();
        }
    }
}
