/* SPDX-License-Identifier: Apache-2.0 */
#include "race.h"

#include <string.h>

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

void race_codes(void)
{
    int i;

    for (i = 0; i < race_rounds(); i++) {
        race_one_code();
        race_front_code();
        race_thieves(i % RACERS);
        if (i % 5 == 0) {
            race_same_attempt();
            race_same_code();
        }
    }
}
