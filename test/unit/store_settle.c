/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts of which nobody could be told: what undoes them, and what keeps them from happening
 * late. */
#include <stdlib.h>
#include <apr_thread_proc.h>
#include "../../lib/base/clock.h"
#include "../../lib/base/shared.h"
#include "../../lib/store/jti.h"
#include "store_settle.h"

START_TEST(test_code_is_good_again)
{
    oas_session_new_t login = open_session("file|settles", &session);
    oas_code_put_t code = new_code(&login);
    oas_refresh_first_t first = {.lifetime = apr_time_from_sec(600)};
    oas_code_redeem_t in = redeem_for(&code);

    code.scope = "openid email offline_access";
    put_code(&code);
    fill_random(first.token_hash, OAS_SHA256_LEN);
    in.refresh = &first;
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    forget_redemption(&in);
    ck_assert_int_eq(oas_unsettled_count(list()), 1);

    fill_random(in.attempt, OAS_ID_LEN); /* another request, with another first token */
    fill_random(first.token_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_int_eq(oas_unsettled_count(list()), 0);
    ck_assert_str_eq(cell_of_grant("string_agg(encode(token_hash, 'hex'), ' ')",
                                   "oas_refresh_tokens", in.grant_id),
                     oas_hex_encode(pool, first.token_hash, OAS_SHA256_LEN));
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REPLAYED);
}
END_TEST

/* All but how long it is kept. */
static const char *whole_grant(const oas_code_redeem_t *in)
{
    return cell_of_grant("to_jsonb(g) - 'purge_after'", "oas_grants AS g", in->grant_id);
}

/* An access token may have come along with it (`_i`): that one goes on, whatever is undone. */
START_TEST(test_code_is_as_it_was)
{
    oas_session_new_t login = open_session("file|along", &session);
    oas_code_put_t code = new_code(&login);
    oas_refresh_first_t first = {.lifetime = apr_time_from_sec(600)};
    oas_code_redeem_t in = redeem_for(&code);
    const char *before;

    code.scope = "openid email offline_access";
    code.activate = _i;
    put_code(&code);
    fill_random(first.token_hash, OAS_SHA256_LEN);
    in.refresh = &first;
    before = apr_pstrdup(pool, whole_grant(&in));
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_str_ne(whole_grant(&in), before);
    forget_redemption(&in);
    oas_db_settle(db);
    ck_assert_int_eq(oas_unsettled_count(list()), 0);
    ck_assert_str_eq(whole_grant(&in), before);
    ck_assert_str_eq(cell_of_grant("used_at IS NULL", "oas_codes", in.grant_id), "t");
    ck_assert_int_eq(oas_store_grant_load(db, in.grant_id, &grant, pool),
                     _i ? APR_SUCCESS : APR_ENOENT);

    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REPLAYED);
    ck_assert_int_eq(oas_store_grant_load(db, in.grant_id, &grant, pool), APR_ENOENT);
}
END_TEST

START_TEST(test_somebody_elses_redemption_stays)
{
    oas_session_new_t login = open_session("file|stays", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code), lost = in;

    put_code(&code);
    fill_random(lost.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    forget_redemption(&lost);
    oas_db_settle(db);
    ck_assert_int_eq(oas_unsettled_count(list()), 0);
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REPLAYED);
}
END_TEST

START_TEST(test_rotation_without_window)
{
    oas_refresh_t in = family("file|strict", 0);
    unsigned char first[OAS_SHA256_LEN];

    memcpy(first, in.token_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    memcpy(in.token_hash, children[0].token_hash, OAS_SHA256_LEN);
    new_children(children, 1);
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    ck_assert_str_eq(lineage(&in), "1<0 2<1 3<2");
    forget_rotation(&in);
    ck_assert_int_eq(again(&in), OAS_REFRESH_ROTATED); /* not: reused */
    ck_assert_str_eq(lineage(&in), "1<0 2<1 3<2");

    forget_rotation(&in);
    oas_db_settle(db);
    ck_assert_str_eq(lineage(&in), "1<0 2<1");
    memcpy(in.token_hash, first, OAS_SHA256_LEN); /* what was used long ago is a theft as before */
    ck_assert_int_eq(again(&in), OAS_REFRESH_REUSED);
}
END_TEST

START_TEST(test_rotation_within_window)
{
    oas_refresh_t in = family("file|lenient", apr_time_from_sec(10));

    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    forget_rotation(&in);
    cluster_sql(owner, apr_psprintf(pool,
                                    "UPDATE oas_grants SET refresh_rotated_at = refresh_rotated_at "
                                    "- interval '1 hour', refresh_used_at = refresh_used_at - "
                                    "interval '1 hour' WHERE grant_id = '%s'",
                                    oas_hex_encode(pool, in.grant_id, OAS_ID_LEN)));
    in.idle = apr_time_from_sec(86400);
    ck_assert_int_eq(again(&in), OAS_REFRESH_REPEATED); /* the same child: others may have it */
    ck_assert_str_eq(lineage(&in), "1<0 2<1");
}
END_TEST

START_TEST(test_rotation_that_was_followed_stays)
{
    oas_refresh_t in = family("file|followed", 0), lost = in;

    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    memcpy(in.token_hash, children[0].token_hash, OAS_SHA256_LEN);
    new_children(children, 1);
    ck_assert_int_eq(again(&in), OAS_REFRESH_ROTATED);
    forget_rotation(&lost);
    oas_db_settle(db);
    ck_assert_str_eq(lineage(&in), "1<0 2<1 3<2");
}
END_TEST

START_TEST(test_assertion_may_be_used)
{
    unsigned char key[OAS_SHA256_LEN], attempt[OAS_ID_LEN];
    const char *params[OAS_STMT_PARAMS_MAX] = {NULL};
    apr_int64_t end = now() + 60;

    fill_random(key, sizeof(key));
    fill_random(attempt, sizeof(attempt));
    ck_assert_int_eq(oas_store_jti_use(db, key, end, attempt, pool), APR_SUCCESS);
    params[0] = oas_sql_bytes(key, sizeof(key), pool);
    params[1] = oas_sql_id(attempt, pool);
    forget(OAS_STMT_JTI_USE, params);
    fill_random(attempt, sizeof(attempt));
    ck_assert_int_eq(oas_store_jti_use(db, key, end, attempt, pool), APR_SUCCESS);
    fill_random(attempt, sizeof(attempt));
    ck_assert_int_eq(oas_store_jti_use(db, key, end, attempt, pool), APR_EEXIST);
}
END_TEST

/* What the database would begin with after the request has given it up is not done. */
START_TEST(test_late_is_never)
{
    PGresult *answer;

    ck_assert_str_eq(
        cluster_sql(owner, "SELECT oas_timely_1(extract(epoch FROM clock_timestamp()) + 5)"), "t");
    answer = PQexec(owner, "SELECT oas_timely_1(extract(epoch FROM clock_timestamp()))");
    ck_assert_str_eq(PQresultErrorField(answer, PG_DIAG_SQLSTATE), "OA001");
    PQclear(answer);
}
END_TEST

/* The database's clock was set: it is looked at again, and the statement is carried out. */
START_TEST(test_clock_was_set)
{
    oas_refresh_t in = family("file|clock", 0);
    oas_conn_t *state = oas_conn_find(apr_dbd_native_handle(conn->dbd.driver, conn->dbd.handle));

    state->ahead -= apr_time_from_sec(3600);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    ck_assert_str_eq(lineage(&in), "1<0 2<1");
}
END_TEST

/* Another process, which settles what it has a little later. */
typedef struct {
    apr_pool_t *pool;
    oas_gate_t *gate;
    oas_db_t *db;
} other_t;

static void *APR_THREAD_FUNC settle_later(apr_thread_t *thread, void *data)
{
    other_t *other = data;

    apr_sleep(apr_time_from_msec(100));
    oas_db_settle(other->db);
    return NULL;
}

static void be_away_and_return(apr_interval_time_t time)
{
    oas_gate_place_t place;

    oas_db_release(db);
    oas_gate_size(gate, 2);
    ck_assert_int_eq(oas_gate_enter(gate, 0, &place), APR_SUCCESS);
    oas_gate_report(&place, 0);
    ck_assert_int_eq(oas_gate_faith(gate),
                     OAS_GATE_RETURNED); /* whoever finds it back is the next */
    apr_sleep(time);
    oas_gate_report(&place, 1);
    oas_gate_leave(&place);
}

/* Also when the database has just come back: what was undone while it waited goes on. */
START_TEST(test_others_may_settle_first)
{
    oas_session_new_t login = open_session("file|others", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);
    oas_gate_t *ours = gate;
    apr_thread_t *thread;
    other_t other;
    apr_status_t rv;

    put_code(&code);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_int_eq(apr_pool_create(&other.pool, NULL), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_create(&other.gate, other.pool), APR_SUCCESS);
    gate = other.gate;
    forget_redemption(&in);
    gate = ours;
    other.db = cluster_db(cluster_connect(other.pool, cluster_params(0), 0), TEST_ISSUER,
                          other.gate, other.pool);

    if (_i)
        be_away_and_return(apr_time_from_msec(1100));
    else
        lose_an_answer();
    ck_assert_int_eq(oas_gate_faith(gate), _i ? OAS_GATE_RETURNED : OAS_GATE_LOSES);
    ck_assert_int_eq(apr_thread_create(&thread, NULL, settle_later, &other, pool), APR_SUCCESS);
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE); /* not: replayed */
    apr_thread_join(&rv, thread);
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(oas_gate_is_unsettled(other.gate), 0);
    if (!_i) /* it still is, if a second later */
        ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REPLAYED);
    apr_pool_destroy(other.pool);
}
END_TEST

/* After its return a node condemns nobody for as long as others may still be on their way. */
START_TEST(test_other_nodes_may_return_later)
{
    oas_refresh_t in = family("file|returned", 0);
    oas_undo_area_t *area = oas_shared_map(oas_undo_area_size());
    const apr_time_t long_ago = oas_clock() - apr_time_from_sec(10);
    oas_refresh_t spent = in;
    oas_gate_t *later;

    ck_assert_ptr_nonnull(area);
    ck_assert_int_eq(oas_undo_area_prepare(area), APR_SUCCESS);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    be_away_and_return(apr_time_from_msec(1100));
    ck_assert_int_eq(oas_gate_faith(gate), OAS_GATE_RETURNED);
    fill_random(spent.attempt, OAS_ID_LEN);
    ck_assert_int_eq(oas_store_refresh(db, &spent, &result, &grant, pool), OAS_DB_UNAVAILABLE);
    ck_assert_str_eq(cell_of_grant("revoked_at IS NULL", "oas_grants", in.grant_id), "t");
    memcpy(in.token_hash, children[0].token_hash, OAS_SHA256_LEN);
    memcpy(spent.token_hash, in.token_hash, OAS_SHA256_LEN);
    new_children(children, 1);
    ck_assert_int_eq(again(&in), OAS_REFRESH_ROTATED); /* the newest is nobody's to undo */

    ck_assert_int_eq(oas_gate_create(&later, pool), APR_SUCCESS);
    oas_unsettled_share(oas_gate_unsettled(later), area);
    oas_undo_area_note(area, OAS_MOMENT_LOST, long_ago);
    oas_undo_area_note(area, OAS_MOMENT_BACK, long_ago);
    ck_assert_int_eq(oas_gate_faith(later), OAS_GATE_LOSES);
    db = cluster_db(conn, TEST_ISSUER, later, pool);
    ck_assert_int_eq(again(&spent), OAS_REFRESH_REUSED);
}
END_TEST

/* What ends in a moment is no outage, and whoever finds out late that one has ended does not begin
 * it anew. */
START_TEST(test_returns_that_count)
{
    oas_undo_area_t *area = oas_shared_map(oas_undo_area_size());
    oas_gate_place_t place;
    oas_gate_t *early;

    ck_assert_ptr_nonnull(area);
    ck_assert_int_eq(oas_undo_area_prepare(area), APR_SUCCESS);
    oas_unsettled_share(list(), area);
    be_away_and_return(0);
    ck_assert_int_eq(oas_gate_faith(gate), OAS_GATE_LOSES);

    ck_assert_int_eq(oas_gate_create(&early, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_enter(early, 0, &place), APR_SUCCESS);
    oas_gate_report(&place, 0);
    apr_sleep(apr_time_from_msec(1100));
    oas_undo_area_note(area, OAS_MOMENT_BACK, oas_clock() - apr_time_from_msec(500));
    oas_unsettled_share(oas_gate_unsettled(early), area);
    oas_gate_report(&place, 1);
    ck_assert_int_lt(oas_undo_area_noted(area, OAS_MOMENT_BACK), oas_clock() - 400000);
    oas_gate_leave(&place);
}
END_TEST

/* Nor does it matter through which of them the pool was found away. */
START_TEST(test_return_of_joined_gates)
{
    oas_gate_t *known;

    ck_assert_int_eq(oas_gate_create(&known, pool), APR_SUCCESS);
    oas_unsettled_note(list(), OAS_MOMENT_BACK);
    ck_assert_int_eq(oas_gate_faith(known), OAS_GATE_SURE);
    oas_gate_join(gate, known);
    ck_assert_int_eq(oas_gate_faith(known), OAS_GATE_RETURNED);
}
END_TEST

/* All who may pause do: whoever is to be patient as well is sent away, and nobody else. */
START_TEST(test_patience_is_for_what_may_be_good_again)
{
    oas_refresh_t in = family("file|patience", 0), other;
    unsigned char first[OAS_SHA256_LEN];

    memcpy(first, in.token_hash, OAS_SHA256_LEN);
    lose_an_answer();
    ck_assert_int_eq(oas_gate_pause(gate), 1);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED); /* the head is nobody's to undo */
    other = in;
    fill_random(other.token_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(again(&other), OAS_REFRESH_UNKNOWN); /* who knows the grant's id only */
    other = in;
    other.client_id = "another";
    ck_assert_int_eq(again(&other), OAS_REFRESH_FOREIGN);

    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(oas_store_refresh(db, &in, &result, &grant, pool), OAS_DB_UNAVAILABLE);
    memcpy(in.token_hash, children[0].token_hash, OAS_SHA256_LEN);
    new_children(children, 1);
    ck_assert_int_eq(again(&in), OAS_REFRESH_ROTATED);
    memcpy(in.token_hash, first, OAS_SHA256_LEN);
    ck_assert_int_eq(again(&in), OAS_REFRESH_REUSED); /* two behind: no undo goes so far */
}
END_TEST

/* Used is a code that was redeemed, not one that an access token came along with (`_i`). */
START_TEST(test_patience_is_for_codes_that_were_used)
{
    oas_session_new_t login = open_session("file|unused", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);
    oas_redeem_outcome_t outcome;

    code.activate = _i;
    put_code(&code);
    be_away_and_return(apr_time_from_msec(1100));
    ck_assert_int_eq(oas_gate_faith(gate), OAS_GATE_RETURNED);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(oas_store_code_redeem(db, &in, &outcome, &grant, pool), OAS_DB_UNAVAILABLE);
    ck_assert_str_eq(cell_of_grant("revoked_at IS NULL", "oas_grants", in.grant_id), "t");
}
END_TEST

/* Nobody waits for, or writes to, the row of a grant of which he knows but the id. */
START_TEST(test_patience_holds_no_row_of_others)
{
    oas_refresh_t in = family("file|held", 0);
    const char *id = oas_hex_encode(pool, in.grant_id, OAS_ID_LEN);

    lose_an_answer();
    cluster_sql(owner, "BEGIN");
    cluster_sql(
        owner, apr_psprintf(pool, "SELECT 1 FROM oas_grants WHERE grant_id = '%s' FOR UPDATE", id));
    fill_random(in.token_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(again(&in), OAS_REFRESH_UNKNOWN);
    cluster_sql(owner, "ROLLBACK");
}
END_TEST

START_TEST(test_list)
{
    oas_undo_t undo = {.statement = OAS_STMT_JTI_UNDO};
    const char *params[OAS_STMT_PARAMS_MAX] = {NULL};
    int n;

    for (n = 0; oas_unsettled_put(list(), &undo) == APR_SUCCESS; n++)
        ck_assert_int_eq(oas_unsettled_count(list()), n + 1);
    ck_assert_int_ge(n, 64);
    ck_assert_int_eq(oas_unsettled_take(list(), &undo), 1);
    undo.given[2] = 1;
    ck_assert_int_eq(oas_unsettled_put(list(), &undo), APR_SUCCESS); /* behind them */
    for (; n > 1; n--) {
        ck_assert_int_eq(oas_unsettled_take(list(), &undo), 1);
        ck_assert_int_eq(undo.given[2], 0);
    }
    ck_assert_int_eq(oas_unsettled_take(list(), &undo), 1);
    ck_assert_int_eq(undo.given[2], 1);
    ck_assert_int_eq(oas_unsettled_take(list(), &undo), 0);
    params[0] = memset(apr_pcalloc(pool, OAS_UNDO_PARAM_MAX + 1), 'a', OAS_UNDO_PARAM_MAX);
    ck_assert_int_eq(oas_undo_of(&undo, &oas_statements[OAS_STMT_JTI_USE], params), APR_EINVAL);
}
END_TEST

static void put_numbered(oas_unsettled_t *to, int number)
{
    oas_undo_t undo = {.given = {number}};

    ck_assert_int_eq(oas_unsettled_put(to, &undo), APR_SUCCESS);
}

START_TEST(test_taken_by_what_they_are_of)
{
    oas_undo_t undo = {.statement = OAS_STMT_JTI_UNDO, .given = {1}};
    const char *const of = "abcba";
    int i;

    for (i = 0; of[i]; i++) {
        undo.params[0][0] = of[i];
        undo.given[2] = i;
        ck_assert_int_eq(oas_unsettled_put(list(), &undo), APR_SUCCESS);
    }
    ck_assert_int_eq(oas_unsettled_take_of(list(), "d", &undo), 0);
    ck_assert_int_eq(oas_unsettled_take_of(list(), "a", &undo), 1);
    ck_assert_int_eq(undo.given[2], 0);
    ck_assert_int_eq(oas_unsettled_take_of(list(), "a", &undo), 1); /* the last one of the list */
    ck_assert_int_eq(undo.given[2], 4);
    ck_assert_int_eq(oas_unsettled_take_of(list(), "a", &undo), 0);
    undo.params[0][0] = 'd';
    ck_assert_int_eq(oas_unsettled_put(list(), &undo), APR_SUCCESS);
    ck_assert_int_eq(oas_unsettled_take_of(list(), "c", &undo), 1);
    ck_assert_int_eq(undo.given[2], 2);
    ck_assert_int_eq(oas_unsettled_count(list()), 3);
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(oas_unsettled_take(list(), &undo), 1);
        ck_assert_int_eq(undo.params[0][0], "bbd"[i]);
    }
    ck_assert_int_eq(oas_unsettled_take(list(), &undo), 0);
}
END_TEST

START_TEST(test_joined_lists_are_one)
{
    oas_unsettled_t *late = list(), *whole;
    oas_undo_t undo;
    int n;

    ck_assert_int_eq(oas_unsettled_create(&whole, pool), APR_SUCCESS);
    put_numbered(whole, 1);
    put_numbered(late, 2);
    put_numbered(late, 3);
    oas_unsettled_join(late, whole);
    put_numbered(late, 4);
    put_numbered(whole, 5);
    for (n = 1; n <= 5; n++) {
        ck_assert_int_eq(oas_unsettled_count(whole), 6 - n);
        ck_assert_int_eq(oas_unsettled_count(late), 6 - n);
        ck_assert_int_eq(oas_unsettled_take(n % 2 ? late : whole, &undo), 1);
        ck_assert_int_eq(undo.given[0], n);
    }
    ck_assert_int_eq(oas_unsettled_take(whole, &undo), 0);
    put_numbered(late, 6); /* and again when it was empty */
    ck_assert_int_eq(oas_unsettled_take(whole, &undo), 1);
    ck_assert_int_eq(undo.given[0], 6);
}
END_TEST

/* Threads put while others take and the lists are joined: nothing is lost, nothing comes twice. */
#define PUTTERS 4
#define EACH    200
static oas_unsettled_t *late_list;

static void *APR_THREAD_FUNC put_many(apr_thread_t *thread, void *data)
{
    const oas_undo_t undo = {.given = {1}};
    int i;

    for (i = 0; i < EACH; i++)
        oas_unsettled_put(late_list, &undo);
    return NULL;
}

START_TEST(test_joined_under_way)
{
    apr_thread_t *threads[PUTTERS];
    oas_unsettled_t *whole;
    oas_undo_t undo;
    apr_status_t rv;
    int i, taken = 0;

    late_list = list();
    ck_assert_int_eq(oas_unsettled_create(&whole, pool), APR_SUCCESS);
    for (i = 0; i < PUTTERS; i++)
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, put_many, NULL, pool), APR_SUCCESS);
    taken += oas_unsettled_take(late_list, &undo);
    oas_unsettled_join(late_list, whole);
    for (i = 0; i < EACH; i++)
        taken += oas_unsettled_take(whole, &undo);
    for (i = 0; i < PUTTERS; i++)
        apr_thread_join(&rv, threads[i]);
    ck_assert_int_eq(oas_unsettled_count(whole), PUTTERS * EACH - taken);
    while (oas_unsettled_take(whole, &undo))
        taken++;
    ck_assert_int_eq(taken, PUTTERS * EACH);
}
END_TEST

/* A host that finds out late which pool it uses: what was lost before, and what those lose who came
 * before, is undone by all who use the pool. */
START_TEST(test_gates_of_one_pool)
{
    oas_refresh_t before = family("file|before", 0), after = before;
    oas_gate_t *known;

    ck_assert_int_eq(oas_gate_create(&known, pool), APR_SUCCESS);
    ck_assert_int_eq(refresh(&before), OAS_REFRESH_ROTATED);
    forget_rotation(&before);
    oas_gate_join(gate, known);
    ck_assert_int_eq(oas_gate_is_unsettled(known), 1);
    db = cluster_db(conn, TEST_ISSUER, known, pool);
    ck_assert_int_eq(again(&after), OAS_REFRESH_ROTATED); /* not: reused */
    ck_assert_int_eq(oas_gate_is_unsettled(known), 0);

    forget_rotation(&after);
    ck_assert_int_eq(oas_gate_is_unsettled(known), 1);
    ck_assert_int_eq(again(&after), OAS_REFRESH_ROTATED);
    lose_an_answer();
    ck_assert_int_eq(oas_gate_faith(known), OAS_GATE_LOSES);
}
END_TEST

Suite *store_settle_suite(void)
{
    Suite *suite = suite_create("settle");
    TCase *tcase = tcase_create("settle");

    tcase_add_checked_fixture(tcase, gate_setup, db_teardown);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_code_is_good_again);
    tcase_add_loop_test(tcase, test_code_is_as_it_was, 0, 2);
    tcase_add_test(tcase, test_somebody_elses_redemption_stays);
    tcase_add_test(tcase, test_rotation_without_window);
    tcase_add_test(tcase, test_rotation_within_window);
    tcase_add_test(tcase, test_rotation_that_was_followed_stays);
    tcase_add_test(tcase, test_assertion_may_be_used);
    tcase_add_test(tcase, test_late_is_never);
    tcase_add_test(tcase, test_clock_was_set);
    tcase_add_loop_test(tcase, test_others_may_settle_first, 0, 2);
    tcase_add_test(tcase, test_other_nodes_may_return_later);
    tcase_add_test(tcase, test_returns_that_count);
    tcase_add_test(tcase, test_return_of_joined_gates);
    tcase_add_test(tcase, test_patience_is_for_what_may_be_good_again);
    tcase_add_loop_test(tcase, test_patience_is_for_codes_that_were_used, 0, 2);
    tcase_add_test(tcase, test_patience_holds_no_row_of_others);
    tcase_add_test(tcase, test_list);
    tcase_add_test(tcase, test_taken_by_what_they_are_of);
    tcase_add_test(tcase, test_joined_lists_are_one);
    tcase_add_test(tcase, test_joined_under_way);
    tcase_add_test(tcase, test_gates_of_one_pool);
    return suite;
}
