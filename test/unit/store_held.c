/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that somebody holds for long (a commit that hangs, an administrator): who waits for them,
 * for how long, and what becomes of those who had to. */
#include <apr_thread_proc.h>
#include "store_settle.h"

static PGconn *watcher; /* the superuser's, who sees who waits */

static void held_setup(void)
{
    gate_setup();
    watcher = cluster_superuser();
}

static void held_teardown(void)
{
    PQfinish(watcher);
    db_teardown();
}

/* Somebody holds the grant's row until let_go. */
static void hold(const unsigned char grant_id[OAS_ID_LEN])
{
    cluster_sql(owner, "BEGIN");
    cell_of_grant("1", "(SELECT * FROM oas_grants FOR UPDATE) AS g", grant_id);
}

static void let_go(void)
{
    cluster_sql(owner, "ROLLBACK");
}

static apr_status_t try_refresh(const oas_refresh_t *in)
{
    return oas_store_refresh(db, in, &result, &grant, pool);
}

/* What was refused left nothing behind but its line in the log. */
static void expect_sent_away(apr_status_t rv)
{
    ck_assert_int_eq(rv, OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(oas_db_trouble(db), OAS_TROUBLE_LOCKED);
    cluster_log_clear();
}

START_TEST(test_reads_wait_for_nobodys_undo)
{
    oas_session_new_t login = open_session("file|reads", &session);
    oas_refresh_t in = family("file|unread", 0);

    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    forget_rotation(&in);
    hold(in.grant_id);
    ck_assert_int_eq(oas_store_session_load(db, login.session_id, login.secret_hash, "shop", "",
                                            apr_time_from_sec(600), &session, pool),
                     APR_SUCCESS);
    let_go();
    ck_assert_int_eq(oas_unsettled_count(list()), 1);
    ck_assert_int_eq(oas_store_session_load(db, login.session_id, login.secret_hash, "shop", "",
                                            apr_time_from_sec(600), &session, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_unsettled_count(list()), 1);
}
END_TEST

START_TEST(test_attempts_wait_for_no_other_undo)
{
    oas_refresh_t held = family("file|heldundo", 0), in;
    oas_refresh_child_t child = children[0];

    ck_assert_int_eq(refresh(&held), OAS_REFRESH_ROTATED);
    in = family("file|otherundo", 0);
    forget_rotation(&held);
    hold(held.grant_id);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    ck_assert_int_eq(oas_unsettled_count(list()), 1);

    children[0] = child;
    fill_random(held.attempt, OAS_ID_LEN);
    expect_sent_away(try_refresh(&held)); /* whose row it is may not go on */
    ck_assert_int_eq(oas_unsettled_count(list()), 1);
    let_go();
    ck_assert_int_eq(refresh(&held), OAS_REFRESH_ROTATED); /* not: reused */
    ck_assert_int_eq(oas_unsettled_count(list()), 0);
}
END_TEST

/* An undo waits for a moment only, and then lets the others be done first. */
START_TEST(test_undo_comes_again)
{
    oas_refresh_t held = family("file|comesagain", 0), other;

    ck_assert_int_eq(refresh(&held), OAS_REFRESH_ROTATED);
    forget_rotation(&held);
    other = family("file|donefirst", 0);
    ck_assert_int_eq(refresh(&other), OAS_REFRESH_ROTATED);
    forget_rotation(&other);
    hold(held.grant_id);
    oas_db_settle(db);
    expect_sent_away(OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(oas_unsettled_count(list()), 2);
    oas_db_settle(db);
    cluster_log_clear();
    ck_assert_int_eq(oas_unsettled_count(list()), 1);
    let_go();
    ck_assert_str_eq(lineage(&other), "1<0");
    ck_assert_str_eq(lineage(&held), "1<0 2<1");
    oas_db_settle(db);
    ck_assert_int_eq(oas_unsettled_count(list()), 0);
    ck_assert_str_eq(lineage(&held), "1<0");
}
END_TEST

/* An assertion whose use hangs in its commit is not there to be found, and is undone all the same.
 */
START_TEST(test_undo_waits_for_what_is_not_there)
{
    unsigned char key[OAS_SHA256_LEN], attempt[OAS_ID_LEN];
    const char *params[OAS_STMT_PARAMS_MAX] = {NULL};
    const char *find;

    fill_random(key, sizeof(key));
    fill_random(attempt, sizeof(attempt));
    params[0] = oas_sql_bytes(key, sizeof(key), pool);
    params[1] = oas_sql_id(attempt, pool);
    find = apr_psprintf(pool, "SELECT count(*) FROM oas_jtis WHERE key = '%s'", params[0]);
    forget(OAS_STMT_JTI_USE, params);
    cluster_sql(owner, "BEGIN");
    cluster_sql(owner, apr_psprintf(pool,
                                    "INSERT INTO oas_jtis VALUES ('%s', '%s', "
                                    "clock_timestamp() + interval '1 hour')",
                                    params[0], params[1]));
    oas_db_settle(db);
    expect_sent_away(OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(oas_unsettled_count(list()), 1);
    cluster_sql(owner, "COMMIT");
    ck_assert_str_eq(cluster_sql(owner, find), "1");
    oas_db_settle(db);
    ck_assert_int_eq(oas_unsettled_count(list()), 0);
    ck_assert_str_eq(cluster_sql(owner, find), "0");

    forget(OAS_STMT_JTI_USE, params); /* of which nothing came */
    oas_db_settle(db);
    ck_assert_int_eq(oas_unsettled_count(list()), 0);
    ck_assert_str_eq(cluster_sql(owner, find), "0");
}
END_TEST

/* While answers get lost: when nobody can say whether a token is used already, its client has to
 * come again. */
START_TEST(test_not_known_is_not_unused)
{
    oas_session_new_t login = open_session("file|notknown", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t redemption = redeem_for(&code);
    oas_refresh_t in = family("file|notknown", 0);
    oas_redeem_outcome_t outcome;

    put_code(&code);
    lose_an_answer();
    hold(in.grant_id);
    expect_sent_away(try_refresh(&in));
    let_go();
    hold(code.grant_id);
    expect_sent_away(oas_store_code_redeem(db, &redemption, &outcome, &grant, pool));
    let_go();
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    ck_assert_int_eq(redeem(&redemption, &grant), OAS_REDEEM_DONE);
}
END_TEST

/* A request of its own with its own connection: redeems the code, or uses the refresh token. */
typedef struct {
    apr_pool_t *pool;
    oas_db_t *db;
    const oas_code_redeem_t *code;
    const oas_refresh_t *token;
    int outcome;
    apr_status_t rv;
    volatile int finished;
    apr_thread_t *thread;
} side_t;

static void *APR_THREAD_FUNC ask_aside(apr_thread_t *thread, void *data)
{
    side_t *side = data;
    oas_refresh_result_t refreshed = {0};
    oas_redeem_outcome_t redeemed = OAS_REDEEM_UNKNOWN;
    oas_grant_t out;

    if (side->code)
        side->rv = oas_store_code_redeem(side->db, side->code, &redeemed, &out, side->pool);
    else
        side->rv = oas_store_refresh(side->db, side->token, &refreshed, &out, side->pool);
    side->outcome = side->code ? (int)redeemed : (int)refreshed.outcome;
    __atomic_store_n(&side->finished, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void start_aside(side_t *side, const oas_code_redeem_t *code, const oas_refresh_t *token,
                        apr_interval_time_t limit)
{
    memset(side, 0, sizeof(*side));
    side->code = code;
    side->token = token;
    ck_assert_int_eq(apr_pool_create(&side->pool, NULL), APR_SUCCESS);
    side->db = cluster_db(cluster_connect(side->pool, cluster_params(0), 0), TEST_ISSUER, gate,
                          side->pool);
    oas_db_limit(side->db, limit);
    ck_assert_int_eq(apr_thread_create(&side->thread, NULL, ask_aside, side, pool), APR_SUCCESS);
}

static int is_finished(side_t *side)
{
    return __atomic_load_n(&side->finished, __ATOMIC_ACQUIRE);
}

static void join_aside(side_t *side)
{
    apr_status_t rv;

    apr_thread_join(&rv, side->thread);
    apr_pool_destroy(side->pool);
}

static int is_away(void)
{
    oas_gate_stats_t stats;

    oas_gate_stats(gate, &stats);
    return stats.away;
}

/* One statement that hangs says nothing about a database that others reach. */
START_TEST(test_others_are_answered)
{
    oas_session_new_t login = open_session("file|answered", &session);
    oas_refresh_t in = family("file|hangs", 0);
    side_t side;

    oas_gate_size(gate, 2);
    hold(in.grant_id);
    start_aside(&side, NULL, &in, apr_time_from_sec(3));
    while (!is_finished(&side)) {
        ck_assert_int_eq(oas_store_session_load(db, login.session_id, login.secret_hash, "shop", "",
                                                apr_time_from_sec(600), &session, pool),
                         APR_SUCCESS);
        apr_sleep(apr_time_from_msec(10));
    }
    ck_assert_int_eq(side.rv, OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(is_away(), 0);
    join_aside(&side);

    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS); /* but when nobody is answered */
    start_aside(&side, NULL, &in, apr_time_from_sec(1));
    join_aside(&side);
    ck_assert_int_eq(is_away(), 1);
    let_go();
    cluster_log_clear();
}
END_TEST

/* How many backends of the runtime role wait for a lock. */
static int waiting(void)
{
    return (int)apr_atoi64(
        cluster_sql(watcher, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'oauth2as' AND "
                             "wait_event_type = 'Lock'"));
}

static void wait_until_waiting(int n)
{
    int i;

    for (i = 0; i < 4000 && waiting() != n; i++)
        apr_sleep(apr_time_from_msec(5));
    ck_assert_int_eq(waiting(), n);
}

static const char *condemned(const unsigned char grant_id[OAS_ID_LEN])
{
    return cell_of_grant("coalesce(revoked_reason, 'no')", "oas_grants", grant_id);
}

/* An attempt at the code or token whose commit hangs until cluster_sql(owner, "COMMIT"). */
static const char *hang(const oas_code_redeem_t *code, const oas_refresh_t *token)
{
    static char attempt[2 * OAS_ID_LEN + 1];
    unsigned char id[OAS_ID_LEN];

    fill_random(id, sizeof(id));
    apr_cpystrn(attempt, oas_hex_encode(pool, id, sizeof(id)), sizeof(attempt));
    cluster_sql(owner, "BEGIN");
    if (code)
        ck_assert_str_eq(
            cluster_sql(owner,
                        apr_psprintf(pool,
                                     "SELECT oas_code_redeem_2('%s', '\\x%s', '%s', '%s', '%s', "
                                     "NULL, '%s', NULL, NULL, 300, NULL)",
                                     oas_hex_encode(pool, code->grant_id, OAS_ID_LEN),
                                     oas_hex_encode(pool, code->code_hash, OAS_SHA256_LEN),
                                     code->client_id, code->redirect_uri, code->code_challenge,
                                     attempt)),
            "done");
    else
        ck_assert_str_eq(
            cluster_sql(
                owner,
                apr_psprintf(
                    pool,
                    "SELECT (oas_refresh_2('%s', '\\x%s', '%s', ARRAY['\\x01'::bytea], "
                    "ARRAY['\\x%064d'::bytea], NULL, NULL, '%s', NULL, true, 0, 3600, false, "
                    "'%s', NULL)).outcome",
                    oas_hex_encode(pool, token->grant_id, OAS_ID_LEN),
                    oas_hex_encode(pool, token->token_hash, OAS_SHA256_LEN), token->client_id, 1,
                    token->allowed, attempt)),
            "rotated");
    return attempt;
}

/* An attempt of the same client has to wait for the one that hangs. When that has committed,
 * whoever sent it undoes it, for the client was told 503: so what waited is good after all. */
static void wait_for_hanging(const oas_code_redeem_t *code, const oas_refresh_t *token,
                             const unsigned char grant_id[OAS_ID_LEN], int good)
{
    const char *attempt = hang(code, token);
    side_t side;

    oas_gate_size(gate, 4);
    start_aside(&side, code, token, apr_time_from_sec(5));
    wait_until_waiting(1);
    apr_sleep(apr_time_from_msec(300));
    cluster_sql(owner, "COMMIT");
    apr_sleep(apr_time_from_msec(100));
    ck_assert_str_eq(
        cluster_sql(owner, apr_psprintf(pool, "SELECT oas_attempt_undo_1('%s', '%s', 0)",
                                        oas_hex_encode(pool, grant_id, OAS_ID_LEN), attempt)),
        "t");
    join_aside(&side);
    ck_assert_int_eq(side.rv, APR_SUCCESS);
    ck_assert_int_eq(side.outcome, good);
    ck_assert_str_eq(condemned(grant_id), "no");
}

START_TEST(test_who_waited_redeems)
{
    oas_session_new_t login = open_session("file|waited", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);

    put_code(&code);
    wait_for_hanging(&in, NULL, in.grant_id, OAS_REDEEM_DONE);
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REPLAYED);
    ck_assert_str_eq(condemned(in.grant_id), "code replayed");
}
END_TEST

START_TEST(test_who_waited_rotates)
{
    oas_refresh_t in = family("file|waited", 0);

    wait_for_hanging(NULL, &in, in.grant_id, OAS_REFRESH_ROTATED);
    ck_assert_int_eq(again(&in), OAS_REFRESH_REUSED);
    ck_assert_str_eq(condemned(in.grant_id), "refresh token reused");
}
END_TEST

/* What the server still carries out when its request has been given up condemns nobody. */
static void give_up(const oas_code_redeem_t *code, const oas_refresh_t *token,
                    const unsigned char grant_id[OAS_ID_LEN])
{
    side_t side;

    oas_gate_size(gate, 4);
    hang(code, token);
    start_aside(&side, code, token, apr_time_from_sec(1));
    join_aside(&side);
    ck_assert_int_eq(side.rv, OAS_DB_UNAVAILABLE);
    cluster_log_clear();
    wait_until_waiting(1);
    cluster_sql(owner, "COMMIT");
    wait_until_waiting(0);
    cluster_sql(watcher, "SELECT pg_sleep(0.2)");
    ck_assert_str_eq(condemned(grant_id), "no");
}

START_TEST(test_what_was_given_up_condemns_nobody)
{
    oas_session_new_t login = open_session("file|givenup", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t redemption = redeem_for(&code);
    oas_refresh_t in = family("file|givenup", 0);

    put_code(&code);
    give_up(&redemption, NULL, redemption.grant_id);
    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS); /* which has lost nothing */
    give_up(NULL, &in, in.grant_id);
}
END_TEST

Suite *store_held_suite(void)
{
    Suite *suite = suite_create("held");
    TCase *tcase = tcase_create("held");

    tcase_add_checked_fixture(tcase, held_setup, held_teardown);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_reads_wait_for_nobodys_undo);
    tcase_add_test(tcase, test_attempts_wait_for_no_other_undo);
    tcase_add_test(tcase, test_undo_comes_again);
    tcase_add_test(tcase, test_undo_waits_for_what_is_not_there);
    tcase_add_test(tcase, test_not_known_is_not_unused);
    tcase_add_test(tcase, test_others_are_answered);
    tcase_add_test(tcase, test_who_waited_redeems);
    tcase_add_test(tcase, test_who_waited_rotates);
    tcase_add_test(tcase, test_what_was_given_up_condemns_nobody);
    return suite;
}
