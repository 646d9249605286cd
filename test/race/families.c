/* SPDX-License-Identifier: Apache-2.0 */
/* Families of refresh tokens under many requests at once. What must hold afterwards is asked of the
 * tables; without a look at the family's head each of these races goes wrong (race_mutants). */
#include "race.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/store/purge.h"

typedef struct {
    oas_refresh_child_t child;
    oas_refresh_t requests[RACERS];
    oas_refresh_result_t results[RACERS];
    oas_code_redeem_t redeems[2];
    oas_redeem_outcome_t redeemed[2];
    apr_status_t statuses[RACERS];
    int others; /* that many racers do something else: revoke, purge, redeem */
} round_t;

/* A code that is put, and the request that redeems it for `first`. */
static oas_code_redeem_t offline_code(const char *sub, oas_refresh_first_t *first)
{
    oas_session_new_t login = race_login(sub);
    oas_code_put_t code = race_code(&login);
    oas_code_put_outcome_t outcome;
    oas_code_redeem_t in;
    oas_grant_t grant;

    code.scope = "openid offline_access";
    race_expect(oas_store_code_put(race_db, &code, &outcome, &grant, race_pool) == APR_SUCCESS &&
                    outcome == OAS_CODE_PUT,
                "a code is put");
    memset(first, 0, sizeof(*first));
    race_random(first->token_hash, OAS_SHA256_LEN);
    first->lifetime = apr_time_from_sec(3600);
    in = race_redeem(&code);
    in.refresh = first;
    in.access_lifetime = code.access_lifetime;
    return in;
}

oas_refresh_t race_family(const char *sub, oas_refresh_child_t *child)
{
    oas_refresh_first_t *first = apr_palloc(race_pool, sizeof(*first));
    oas_code_redeem_t code = offline_code(sub, first);
    oas_redeem_outcome_t outcome = OAS_REDEEM_UNKNOWN;
    oas_grant_t grant;

    race_expect(oas_store_code_redeem(race_db, &code, &outcome, &grant, race_pool) == APR_SUCCESS &&
                    outcome == OAS_REDEEM_DONE && grant.offline,
                "a family starts");
    return race_refresh_of(&code, child);
}

oas_refresh_t race_refresh_of(const oas_code_redeem_t *code, oas_refresh_child_t *child)
{
    oas_refresh_t in;

    memset(&in, 0, sizeof(in));
    race_random(child->secret_id, OAS_SECRET_ID_LEN);
    race_random(child->token_hash, OAS_SHA256_LEN);
    memcpy(in.grant_id, code->grant_id, OAS_ID_LEN);
    memcpy(in.token_hash, code->refresh->token_hash, OAS_SHA256_LEN);
    in.client_id = code->client_id;
    in.children = child;
    in.children_count = 1;
    in.allowed = "{\"\": [\"openid\"]}";
    in.rotate = 1;
    in.window = apr_time_from_sec(10);
    in.idle = apr_time_from_sec(600);
    race_random(in.attempt, OAS_ID_LEN);
    return in;
}

const char *race_family_sql(const char *format, const oas_refresh_t *family)
{
    oas_code_put_t code;

    memcpy(code.grant_id, family->grant_id, OAS_ID_LEN);
    return race_grant_sql(format, &code);
}

void race_expect_lineage(const oas_refresh_t *family, int generation)
{
    const char *found = race_family_sql(
        "SELECT (SELECT count(*) FROM oas_refresh_tokens AS t WHERE t.grant_id = g.grant_id) || "
        "' ' || g.refresh_generation || ' ' || (SELECT count(*) FROM oas_refresh_tokens AS t "
        "WHERE t.grant_id = g.grant_id AND t.parent IS DISTINCT FROM nullif(t.generation - 1, 0)) "
        "|| ' ' || coalesce((SELECT t.token_hash = g.refresh_hash FROM oas_refresh_tokens AS t "
        "WHERE t.grant_id = g.grant_id AND t.generation = g.refresh_generation), false) "
        "FROM oas_grants AS g WHERE grant_id = '%s'",
        family);

    race_expect(!strcmp(found, apr_psprintf(race_pool, "%d %d 0 true", generation, generation)),
                "the lineage has %d tokens in one line and ends in the head; found: %s", generation,
                found);
}

static int revoked(const oas_refresh_t *family)
{
    return !strcmp(
        race_family_sql("SELECT revoked_at IS NOT NULL FROM oas_grants WHERE grant_id = '%s'",
                        family),
        "t");
}

static void start_round(round_t *round, const char *sub)
{
    oas_refresh_t family;
    int i;

    race_step();
    memset(round, 0, sizeof(*round));
    family = race_family(sub, &round->child);
    for (i = 0; i < RACERS; i++) {
        round->requests[i] = family;
        race_random(round->requests[i].attempt, OAS_ID_LEN);
    }
}

static void refresh(racer_t *racer, round_t *round)
{
    oas_grant_t grant;

    round->statuses[racer->index] =
        oas_store_refresh(racer->db, &round->requests[racer->index], &round->results[racer->index],
                          &grant, racer->pool);
}

static void refresh_all(racer_t *racer, void *data)
{
    refresh(racer, data);
}

/* Of those who refresh. */
static int count(const round_t *round, oas_refresh_outcome_t outcome)
{
    int i, n = 0;

    for (i = round->others; i < RACERS; i++)
        n += round->statuses[i] == APR_SUCCESS && round->results[i].outcome == outcome;
    return n;
}

static void expect_no_failure(const round_t *round)
{
    int i, failures = 0;

    for (i = 0; i < RACERS; i++)
        failures += round->statuses[i] != APR_SUCCESS;
    race_expect(failures == 0, "no request fails; %d did", failures);
}

/* 64 refreshes of one token inside the window: the same child for all. */
static void race_inside(void)
{
    round_t round;
    int i, same = 0;

    start_round(&round, "file|inside");
    race_run(RACERS, refresh_all, &round);
    expect_no_failure(&round);
    race_expect(count(&round, OAS_REFRESH_ROTATED) == 1, "one rotates; %d did",
                count(&round, OAS_REFRESH_ROTATED));
    race_expect(count(&round, OAS_REFRESH_REPEATED) == RACERS - 1, "all others repeat; %d did",
                count(&round, OAS_REFRESH_REPEATED));
    for (i = 0; i < RACERS; i++)
        same += round.results[i].key == 0;
    race_expect(same == RACERS, "all get the same child; %d did", same);
    race_expect_lineage(&round.requests[0], 2);
    race_expect(!revoked(&round.requests[0]), "the family lives");
}

/* 64 uses of a token that was replaced long ago: none succeeds, one is told of the theft. */
static void race_outside(void)
{
    round_t round;
    oas_grant_t grant;
    int i;

    start_round(&round, "file|outside");
    race_expect(oas_store_refresh(race_db, &round.requests[0], &round.results[0], &grant,
                                  race_pool) == APR_SUCCESS,
                "the first use");
    race_family_sql("UPDATE oas_grants SET refresh_rotated_at = refresh_rotated_at - "
                    "interval '11 seconds' WHERE grant_id = '%s'",
                    &round.requests[0]);
    for (i = 0; i < RACERS; i++)
        race_random(round.requests[i].attempt, OAS_ID_LEN);
    race_run(RACERS, refresh_all, &round);
    expect_no_failure(&round);
    race_expect(count(&round, OAS_REFRESH_REUSED) == 1, "one finds the reuse; %d did",
                count(&round, OAS_REFRESH_REUSED));
    race_expect(count(&round, OAS_REFRESH_REVOKED) == RACERS - 1, "all others come too late; %d",
                count(&round, OAS_REFRESH_REVOKED));
    race_expect(revoked(&round.requests[0]), "the family is revoked");
    race_expect_lineage(&round.requests[0], 2);
}

static void refresh_or_revoke(racer_t *racer, void *data)
{
    round_t *round = data;

    if (racer->index)
        refresh(racer, round);
    else
        round->statuses[0] =
            oas_store_refresh_revoke(racer->db, round->requests[0].grant_id,
                                     round->requests[0].token_hash, "shop", 0, racer->pool);
}

static void race_revoke(void)
{
    round_t round;
    int rotated;

    start_round(&round, "file|revoke");
    round.others = 1;
    race_run(RACERS, refresh_or_revoke, &round);
    expect_no_failure(&round);
    rotated = count(&round, OAS_REFRESH_ROTATED);
    race_expect(rotated <= 1, "at most one rotates; %d did", rotated);
    race_expect(rotated + count(&round, OAS_REFRESH_REPEATED) +
                        count(&round, OAS_REFRESH_REVOKED) ==
                    RACERS - 1,
                "all others repeat or come too late");
    race_expect(revoked(&round.requests[0]), "the family is revoked");
    race_expect_lineage(&round.requests[0], 1 + rotated);
    race_expect(!strcmp(race_family_sql("SELECT count(*) FROM oas_refresh_tokens JOIN oas_grants "
                                        "USING (grant_id) WHERE grant_id = '%s' AND "
                                        "oas_refresh_tokens.created_at > revoked_at",
                                        &round.requests[0]),
                        "0"),
                "nothing is made after the end");
}

static void refresh_or_purge(racer_t *racer, void *data)
{
    round_t *round = data;
    int deleted, more;

    if (racer->index >= round->others)
        refresh(racer, round);
    else
        round->statuses[racer->index] =
            oas_store_purge(racer->db, 10, &deleted, &more, racer->pool);
}

/* Half of those who refresh hold a family whose time is over, the others one that lives. */
static void race_purge(void)
{
    oas_refresh_child_t child;
    oas_refresh_t dead;
    round_t round;
    int i, n, deleted, more = 1;

    start_round(&round, "file|purge");
    round.others = 8;
    dead = race_family("file|dead", &child);
    race_family_sql("UPDATE oas_grants SET purge_after = clock_timestamp() WHERE grant_id = '%s'",
                    &dead);
    for (i = round.others; i < RACERS; i += 2)
        round.requests[i] = dead;
    race_run(RACERS, refresh_or_purge, &round);
    expect_no_failure(&round);
    n = count(&round, OAS_REFRESH_ROTATED) + count(&round, OAS_REFRESH_REPEATED);
    race_expect(n == (RACERS - round.others) / 2, "all who hold the live one succeed; %d did", n);
    n = count(&round, OAS_REFRESH_UNKNOWN) + count(&round, OAS_REFRESH_BLOCKED);
    race_expect(n == (RACERS - round.others) / 2, "nobody gets what is over; %d did not", n);
    race_expect_lineage(&round.requests[round.others + 1], 2);
    while (more)
        race_expect(oas_store_purge(race_db, 1000, &deleted, &more, race_pool) == APR_SUCCESS &&
                        deleted >= 0,
                    "the rest goes");
    race_expect(
        !strcmp(race_family_sql("SELECT (SELECT count(*) FROM oas_refresh_tokens AS t WHERE "
                                "t.grant_id = i) + (SELECT count(*) FROM oas_grants AS g "
                                "WHERE g.grant_id = i) FROM (SELECT '%s'::uuid AS i) AS d",
                                &dead),
                "0"),
        "nothing is left of what is over");
}

static void refresh_or_redeem(racer_t *racer, void *data)
{
    round_t *round = data;
    oas_grant_t grant;

    if (racer->index < 2)
        round->statuses[racer->index] =
            oas_store_code_redeem(racer->db, &round->redeems[racer->index],
                                  &round->redeemed[racer->index], &grant, racer->pool);
    else
        refresh(racer, round);
}

/* Two redemptions of one code while the token of the first is used already. */
static void race_redeem_twice(void)
{
    oas_refresh_first_t first;
    oas_refresh_t family;
    round_t round;
    int i;

    race_step();
    memset(&round, 0, sizeof(round));
    round.others = 2;
    round.redeems[0] = round.redeems[1] = offline_code("file|twice", &first);
    race_random(round.redeems[1].attempt, OAS_ID_LEN);
    family = race_refresh_of(&round.redeems[0], &round.child);
    for (i = 0; i < RACERS; i++) {
        round.requests[i] = family;
        race_random(round.requests[i].attempt, OAS_ID_LEN);
    }
    race_run(RACERS, refresh_or_redeem, &round);
    expect_no_failure(&round);
    race_expect((round.redeemed[0] == OAS_REDEEM_DONE) + (round.redeemed[1] == OAS_REDEEM_DONE) ==
                        1 &&
                    (round.redeemed[0] == OAS_REDEEM_REPLAYED) +
                            (round.redeemed[1] == OAS_REDEEM_REPLAYED) ==
                        1,
                "one redemption wins, the other is a replay");
    race_expect(count(&round, OAS_REFRESH_ROTATED) <= 1, "at most one rotates");
    race_expect(revoked(&family), "the replay ends the family");
    race_expect_lineage(&family, 1 + count(&round, OAS_REFRESH_ROTATED));
    race_expect(count(&round, OAS_REFRESH_ROTATED) + count(&round, OAS_REFRESH_REPEATED) +
                        count(&round, OAS_REFRESH_UNKNOWN) + count(&round, OAS_REFRESH_REVOKED) ==
                    RACERS - 2,
                "nobody is taken for a thief");
}

static const race_round_t family_rounds[] = {
    {"64 refreshes inside the window", race_inside},
    {"64 refreshes outside the window", race_outside},
    {"refresh against revoke", race_revoke},
    {"refresh against purge", race_purge},
    {"two redemptions and refreshes", race_redeem_twice},
};

#define FAMILY_ROUNDS (int)(sizeof(family_rounds) / sizeof(family_rounds[0]))

void race_families(void)
{
    int i, n;

    for (n = 0; n < race_rounds(); n++) {
        for (i = 0; i < FAMILY_ROUNDS; i++)
            family_rounds[i].run();
    }
}

/* Runs rounds while a function has `instead` in the place of `text`; they have to notice. */
static void mutate(const char *function, const char *text, const char *instead, const char *why,
                   const race_round_t *const *rounds)
{
    race_step();
    cluster_sql(race_owner, apr_psprintf(race_pool,
                                         "CREATE TEMP TABLE mutated AS "
                                         "SELECT pg_get_functiondef('%s'::regproc) AS whole",
                                         function));
    cluster_sql(race_owner,
                apr_psprintf(race_pool,
                             "DO $$ DECLARE v_whole text := (SELECT whole FROM mutated); BEGIN "
                             "IF strpos(v_whole, '%s') = 0 THEN "
                             "RAISE 'this is not there'; END IF; "
                             "EXECUTE replace(v_whole, '%s', '%s'); END $$",
                             text, text, instead));
    for (; *rounds; rounds++)
        race_expect_red(*rounds, why);
    cluster_sql(race_owner, "DO $$ BEGIN EXECUTE (SELECT whole FROM mutated); END $$");
    cluster_sql(race_owner, "DROP TABLE mutated");
}

static void mutate_rotation(void)
{
    const race_round_t *rotating[FAMILY_ROUNDS + 1] = {NULL};
    const race_round_t *const replaying[] = {&family_rounds[1], NULL};
    const race_round_t *const revoking[] = {&race_revoked_round, NULL};
    int i;

    for (i = 0; i < FAMILY_ROUNDS; i++)
        rotating[i] = &family_rounds[i];
    mutate("oas_refresh_2", "g.refresh_hash = p_hash AND s.sub", "s.sub",
           "without a look at the head", rotating);
    mutate("oas_refresh_2", "oas_refresh_refused_1(g,",
           "oas_refresh_refused_1((SELECT o FROM oas_grants AS o WHERE o.grant_id = p_grant),",
           "by what the grant was before", revoking);
    mutate("oas_refresh_2", "FOR UPDATE;", ";", "without the grant's lock", replaying);
}

static void mutate_codes(void)
{
    const race_round_t *const redeeming[] = {&family_rounds[FAMILY_ROUNDS - 1], &race_front_round,
                                             NULL};
    const race_round_t *const holding[] = {&race_front_round, NULL};
    const race_round_t *const undoing[] = {&race_undo_round, NULL};
    const race_round_t *const asking[] = {&race_spent_round, NULL};

    mutate("oas_code_redeem_3", "(v_held OR g.activated_at IS NULL)", "true",
           "without a look at what was issued", redeeming);
    mutate("oas_code_redeem_3", "p_grant FOR UPDATE;", "p_grant;",
           "without the lock of the code's grant", holding);
    mutate("oas_attempt_undo_1", "nullif(activated_at, v_used)", "NULL",
           "without a look at what came along with the code", undoing);
    mutate("oas_attempt_spent_1", "FOR SHARE OF g;", ";", "without the lock of the code's grant",
           asking);
}

static void mutate_keys(void)
{
    const race_round_t *const first_key[] = {&race_first_key_round, NULL};
    const race_round_t *const activating[] = {&race_activate_round, &race_keys_round, NULL};
    const race_round_t *const shortening[] = {&race_shortened_round, NULL};

    mutate("oas_key_put_1", "ON CONFLICT DO NOTHING", "", "without a look at other keys",
           first_key);
    mutate("oas_key_activate_1", "ORDER BY kid FOR UPDATE;", "ORDER BY kid;",
           "without the lock of the keys", activating);
    mutate("oas_client_had_1", "k.lifetime < s.token", "false",
           "without a memory of what clients had", shortening);
}

static void mutate_logins(void)
{
    const race_round_t *const signing_in[] = {&race_login_round, NULL};
    const race_round_t *const joining[] = {&race_person_round, NULL};

    mutate("oas_login_holds_1", "PERFORM oas_user_hold_1(p_name, false);", "",
           "without the login's lock of the name", signing_in);
    mutate("oas_user_end_2", "PERFORM oas_user_hold_1(p_name, true);", "",
           "without the lock of the name that ends", signing_in);
    mutate("oas_login_holds_1", "RETURN EXISTS", "RETURN true OR EXISTS",
           "without a second look at the user", signing_in);
    mutate("oas_user_end_2",
           "PERFORM 1 FROM oas_subjects WHERE sub = ANY (v_subs) ORDER BY sub FOR UPDATE;", "",
           "without the lock of the subject that ends", joining);
    mutate("oas_login_put_1", "IF EXISTS (SELECT 1 FROM oas_users",
           "IF false AND EXISTS (SELECT 1 FROM oas_users", "without a look at who the person is",
           joining);
}

/* The proof that these races can fail. */
void race_mutants(void)
{
    const race_round_t *const twice = &family_rounds[FAMILY_ROUNDS - 1];
    const race_round_t *const putting[] = {&race_session_round, &race_lock_round,
                                           &race_tracked_round, NULL};
    const race_round_t *const claiming[] = {&race_claim_round, NULL};
    const race_round_t *const ending[] = {&race_others_round, NULL};
    const race_round_t *const hashing[] = {&race_rehash_round, NULL};
    const race_round_t *const rehashing[] = {&race_rehash_round, &race_rehash_passwd_round, NULL};
    const race_round_t *const changing[] = {&race_change_round, NULL};

    mutate_rotation();
    mutate_codes();
    mutate("oas_code_put_4", "FOR SHARE OF s;", ";", "without the session's lock", putting);
    mutate_logins();
    mutate("oas_logouts_claim_1", "PERFORM pg_advisory_xact_lock(", "PERFORM coalesce(0::bigint + ",
           "without the lock of claims", claiming);
    mutate("oas_sessions_end_others_1", "PERFORM 1 FROM oas_subjects WHERE sub = p_sub FOR UPDATE;",
           "", "without the lock of the subject", ending);
    mutate("oas_proof_fits_1", "OR p_proof ||", "OR NULL || p_proof ||", "without the hash before",
           hashing);
    mutate("oas_user_rehash_1", "AND oas_proof_fits_1(password_hash, NULL, p_proof)", "",
           "without a look at what is hashed again", rehashing);
    mutate("oas_user_change_1", "AND oas_proof_fits_1(password_hash, rehashed, p_proof)", "",
           "without a second look at the password", changing);
    mutate_keys();
    race_inside();
    race_revoked_round.run();
    race_first_key_round.run();
    race_keys_round.run();
    twice->run();
    race_front_round.run();
    race_undo_round.run();
    race_spent_round.run();
    race_shortened_round.run();
    race_lock_round.run();
    race_login_round.run();
    race_person_round.run();
    race_claim_round.run();
    race_others_round.run();
    race_rehash_passwd_round.run();
    race_change_round.run();
}
