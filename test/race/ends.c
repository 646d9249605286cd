/* SPDX-License-Identifier: Apache-2.0 */
/* What ends: ids that are used once, sessions, the oldest families. */
#include "race.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/store/jti.h"
#include "../../lib/store/purge.h"

typedef struct {
    unsigned char key[OAS_SHA256_LEN];
    unsigned char attempts[RACERS][OAS_ID_LEN];
    apr_int64_t expires;
    apr_status_t statuses[RACERS];
} jti_round_t;

static void use_jti(racer_t *racer, void *data)
{
    jti_round_t *round = data;

    round->statuses[racer->index] = oas_store_jti_use(racer->db, round->key, round->expires,
                                                      round->attempts[racer->index], racer->pool);
}

static int winners(jti_round_t *round)
{
    int i, won = 0, late = 0;

    race_run(RACERS, use_jti, round);
    for (i = 0; i < RACERS; i++) {
        won += round->statuses[i] == APR_SUCCESS;
        late += round->statuses[i] == APR_EEXIST;
    }
    race_expect(won + late == RACERS, "no use fails; %d did", RACERS - won - late);
    return won;
}

/* 64 uses of one assertion: one wins; once it has expired, one wins again; one attempt is one use.
 */
static void race_jti(void)
{
    jti_round_t round;
    int i;

    race_step();
    race_random(round.key, OAS_SHA256_LEN);
    for (i = 0; i < RACERS; i++)
        race_random(round.attempts[i], OAS_ID_LEN);
    round.expires = apr_time_sec(apr_time_now()) + 60;
    race_expect(winners(&round) == 1, "one of 64 uses wins");
    cluster_sql(race_owner, "UPDATE oas_jtis SET purge_after = clock_timestamp()");
    race_expect(winners(&round) == 1, "one of 64 uses wins after the end of the first");
    cluster_sql(race_owner, "UPDATE oas_jtis SET purge_after = clock_timestamp()");
    for (i = 1; i < RACERS; i++)
        memcpy(round.attempts[i], round.attempts[0], OAS_ID_LEN);
    race_expect(winners(&round) == RACERS, "one attempt sent 64 times is one use");
}

typedef struct {
    oas_session_new_t login;
    oas_code_put_t codes[RACERS];
    oas_refresh_first_t first[RACERS];
    race_redeems_t redeems;
} session_round_t;

/* A quarter of the racers, of even and odd numbers alike: every second may be a former module. */
static int puts_code(int racer)
{
    return racer % 8 / 2 == 1;
}

/* Racer 31 ends the session; of the others some put another code, with an access token that leaves
 * at once, and some redeem one, every second for a family. */
static void redeem_put_or_end(racer_t *racer, void *data)
{
    session_round_t *round = data;
    int i = racer->index;

    if (i == 31)
        round->redeems.statuses[i] = oas_store_session_end(racer->db, round->login.session_id,
                                                           round->login.secret_hash, racer->pool);
    else if (puts_code(i))
        race_put_by(racer, &round->redeems, &round->codes[i]);
    else
        race_redeem_by(racer, &round->redeems);
}

static void prepare_session(session_round_t *round)
{
    int i;

    race_step();
    memset(round, 0, sizeof(*round));
    round->login = race_login("file|leaves");
    for (i = 0; i < RACERS; i++) {
        oas_code_put_t *code = &round->codes[i];

        *code = race_code(&round->login);
        code->scope = "openid offline_access";
        code->activate = puts_code(i);
        if (!code->activate)
            race_put(code);
        round->redeems.requests[i] = race_redeem(code);
        race_random(round->first[i].token_hash, OAS_SHA256_LEN);
        round->first[i].lifetime = apr_time_from_sec(600);
        if (i % 2)
            round->redeems.requests[i].refresh = &round->first[i];
    }
}

/* A session ends while codes of it are put and redeemed: what has a family by then lives on, all
 * else is over.
 */
static void race_session_end(void)
{
    session_round_t round;
    int i, failures = 0, families = 0;

    prepare_session(&round);
    race_run(RACERS, redeem_put_or_end, &round);
    for (i = 0; i < RACERS; i++) {
        failures += round.redeems.statuses[i] != APR_SUCCESS;
        families +=
            i != 31 && i % 2 && !puts_code(i) && round.redeems.outcomes[i] == OAS_REDEEM_DONE;
    }
    race_expect(failures == 0, "no request fails; %d did", failures);
    race_expect(
        !strcmp(cluster_sql(
                    race_owner,
                    apr_psprintf(race_pool,
                                 "SELECT count(*) || ' ' || count(*) FILTER (WHERE "
                                 "refresh_generation IS NULL) FROM oas_grants WHERE "
                                 "revoked_at IS NULL AND session_id = '%s'",
                                 oas_hex_encode(race_pool, round.login.session_id, OAS_ID_LEN))),
                apr_psprintf(race_pool, "%d 0", families)),
        "the %d families live on, and nothing else", families);
}

typedef struct {
    oas_session_new_t login;
    oas_code_put_t codes[RACERS];
    race_redeems_t redeems;
    const char *name;
} lock_round_t;

static void put_redeem_or_lock(racer_t *racer, void *data)
{
    lock_round_t *round = data;
    int i = racer->index;

    if (i == 20)
        cluster_sql(race_owner,
                    apr_psprintf(racer->pool, "SELECT oas_user_lock_1('%s', true)", round->name));
    else if (i % 2)
        race_put_by(racer, &round->redeems, &round->codes[i]);
    else
        race_redeem_by(racer, &round->redeems);
}

/* What is over for somebody when the password is changed or the user locked. */
static void expect_nothing_of(const char *sub)
{
    race_expect(!strcmp(cluster_sql(race_owner,
                                    apr_psprintf(race_pool,
                                                 "SELECT (SELECT count(*) FROM oas_grants WHERE "
                                                 "sub = '%s' AND revoked_at IS NULL) + "
                                                 "(SELECT count(*) FROM oas_sessions WHERE "
                                                 "sub = '%s' AND ended_at IS NULL)",
                                                 sub, sub)),
                        "0"),
                "nothing of the user lives");
}

/* A user is locked while codes are put and redeemed for him: nothing of his lives afterwards. */
static void race_lock(void)
{
    lock_round_t round;
    int i, failures = 0;

    race_step();
    memset(&round, 0, sizeof(round));
    round.name = race_user();
    round.login = race_login_of(round.name);
    race_open(&round.login);
    for (i = 0; i < RACERS; i++) {
        round.codes[i] = race_code(&round.login);
        round.codes[i].activate = 1; /* an access token leaves at once */
        round.redeems.requests[i] = race_redeem(&round.codes[i]);
        if (i % 2 == 0)
            race_put(&round.codes[i]);
    }
    race_run(RACERS, put_redeem_or_lock, &round);
    for (i = 0; i < RACERS; i++)
        failures += round.redeems.statuses[i] != APR_SUCCESS;
    race_expect(failures == 0, "no request fails; %d did", failures);
    expect_nothing_of(round.login.sub);
}

typedef struct {
    const char *ending; /* statement */
    oas_session_new_t logins[RACERS];
    oas_password_grant_t grants[RACERS];
    apr_status_t statuses[RACERS];
} login_round_t;

static void sign_in_or_end(racer_t *racer, void *data)
{
    login_round_t *round = data;
    int i = racer->index;
    oas_session_t session;
    oas_grant_t grant;

    if (i == 20)
        cluster_sql(race_owner, round->ending);
    else
        round->statuses[i] =
            i % 2 ? oas_store_session_open(racer->db, &round->logins[i], &session, racer->pool)
                  : oas_store_password_grant(racer->db, &round->grants[i], &grant, racer->pool);
}

/* The same login at the token endpoint. */
static oas_password_grant_t grant_of(const oas_session_new_t *login)
{
    oas_password_grant_t in;

    memset(&in, 0, sizeof(in));
    race_random(in.grant_id, OAS_ID_LEN);
    in.client_id = "shop";
    in.scope = "openid";
    in.sub = login->sub;
    in.provider = login->provider;
    in.name = login->name;
    in.proof = login->proof;
    in.claims = "{}";
    in.amr = "pwd";
    in.access_lifetime = apr_time_from_sec(300);
    return in;
}

/* Passwords were found right, and before the sessions and grants are there the password is changed,
 * or the user locked: he has signed in before, or never. */
static void race_overtaken(void)
{
    static int n;
    login_round_t round;
    const char *name;
    int i, failures = 0;

    race_step();
    memset(&round, 0, sizeof(round));
    name = race_user();
    round.ending = apr_psprintf(race_pool,
                                n % 2 ? "SELECT oas_user_lock_1('%s', true)"
                                      : "SELECT oas_user_passwd_1('%s', '$y$new')",
                                name);
    for (i = 0; i < RACERS; i++) {
        round.logins[i] = race_login_of(name);
        round.grants[i] = grant_of(&round.logins[i]);
    }
    if (n++ % 4 > 1)
        race_open(&round.logins[20]);
    race_run(RACERS, sign_in_or_end, &round);
    for (i = 0; i < RACERS; i++)
        failures += round.statuses[i] != APR_SUCCESS && round.statuses[i] != APR_ENOENT;
    race_expect(failures == 0, "no login fails otherwise; %d did", failures);
    expect_nothing_of(round.logins[0].sub);
}

/* A person who is that user, too, comes in another way while the user is locked: nothing of it
 * lives afterwards. */
static void race_one_person(void)
{
    login_round_t round;
    oas_session_new_t first;
    const char *name, *sub;
    int i, failures = 0;

    race_step();
    memset(&round, 0, sizeof(round));
    name = race_user();
    first = race_login_of(name);
    sub = first.sub;
    race_open(&first);
    round.ending = apr_psprintf(race_pool, "SELECT oas_user_lock_1('%s', true)", name);
    for (i = 0; i < RACERS; i++) {
        oas_session_new_t *login = &round.logins[i];

        *login = race_login_of(name);
        login->provider = "card";
        login->proof = NULL;
        round.grants[i] = grant_of(login);
    }
    race_run(RACERS, sign_in_or_end, &round);
    for (i = 0; i < RACERS; i++)
        failures += round.statuses[i] != APR_SUCCESS && round.statuses[i] != APR_ENOENT;
    race_expect(failures == 0, "no login fails otherwise; %d did", failures);
    expect_nothing_of(sub);
}

const race_round_t race_session_round = {"session end against redemption", race_session_end};
const race_round_t race_lock_round = {"a user is locked while codes are put", race_lock};
const race_round_t race_login_round = {"passwords are changed while they are checked",
                                       race_overtaken};
const race_round_t race_person_round = {
    "a user is locked while the same person comes in another way", race_one_person};

#define FAMILIES 16
#define LIMIT    5

typedef struct {
    oas_refresh_child_t children[FAMILIES];
    oas_refresh_t requests[RACERS];
    oas_refresh_result_t results[RACERS];
    apr_status_t statuses[RACERS];
} limit_round_t;

static void refresh_or_limit(racer_t *racer, void *data)
{
    limit_round_t *round = data;
    oas_grant_t grant;
    int i = racer->index, ended;

    round->statuses[i] = i % 8 == 7
                             ? oas_store_limit_families(racer->db, LIMIT, &ended, racer->pool)
                             : oas_store_refresh(racer->db, &round->requests[i], &round->results[i],
                                                 &grant, racer->pool);
}

/* More families than allowed are used while the oldest are ended. */
static void race_limit(void)
{
    static int n;
    limit_round_t round;
    const char *sub;
    int i, failures = 0, odd = 0, ended;

    race_step();
    memset(&round, 0, sizeof(round));
    sub = apr_psprintf(race_pool, "file|many%d", n++);
    for (i = 0; i < FAMILIES; i++)
        round.requests[i] = race_family(sub, &round.children[i]);
    for (i = 0; i < RACERS; i++) {
        round.requests[i] = round.requests[i % FAMILIES];
        race_random(round.requests[i].attempt, OAS_ID_LEN);
    }
    race_run(RACERS, refresh_or_limit, &round);
    for (i = 0; i < RACERS; i++) {
        failures += round.statuses[i] != APR_SUCCESS;
        odd += i % 8 != 7 && round.results[i].outcome != OAS_REFRESH_ROTATED &&
               round.results[i].outcome != OAS_REFRESH_REPEATED &&
               round.results[i].outcome != OAS_REFRESH_REVOKED;
    }
    race_expect(failures == 0 && odd == 0, "no request fails; %d did, %d otherwise", failures, odd);
    race_expect(oas_store_limit_families(race_db, LIMIT, &ended, race_pool) == APR_SUCCESS &&
                    ended >= 0,
                "what was held is ended by the next run");
    for (i = 0; i < FAMILIES; i++) {
        const char *reason = race_family_sql(
            "SELECT coalesce(revoked_reason, '-') FROM oas_grants WHERE grant_id = '%s'",
            &round.requests[i]);

        race_expect(!strcmp(reason, i < FAMILIES - LIMIT ? "limit" : "-"),
                    "the oldest of %d families are ended; number %d: %s", FAMILIES, i, reason);
    }
}

void race_ends(void)
{
    int i;

    for (i = 0; i < race_rounds(); i++) {
        race_jti();
        race_session_end();
        race_lock();
        race_overtaken();
        race_one_person();
        race_limit();
    }
}
