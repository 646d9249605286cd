/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include "../../lib/store/throttle.h"
#include "store_db.h"

static apr_status_t load(const oas_session_new_t *in, const unsigned char *id, oas_session_t *out)
{
    return oas_store_session_load(db, id, in->secret_hash, "shop", "", apr_time_from_sec(600), out,
                                  pool);
}

static void move_time(const unsigned char *id, const char *column, const char *to)
{
    cluster_sql(owner, apr_psprintf(pool,
                                    "UPDATE oas_sessions SET %s = clock_timestamp() + '%s' "
                                    "WHERE session_id = '%s'",
                                    column, to, oas_hex_encode(pool, id, OAS_ID_LEN)));
}

START_TEST(test_open_and_load)
{
    oas_session_t opened, loaded;
    oas_session_new_t in = open_session("file|open", &opened);

    ck_assert_str_eq(opened.id, oas_base64url_encode(pool, in.session_id, OAS_ID_LEN));
    ck_assert_str_eq(opened.sub, "file|open");
    ck_assert_str_eq(opened.amr, "pwd");
    ck_assert_ptr_null(opened.acr);
    ck_assert(opened.auth_time > 1700000000 && opened.auth_time <= opened.now);
    ck_assert_int_eq(load(&in, in.session_id, &loaded), APR_SUCCESS);
    ck_assert_str_eq(loaded.id, opened.id);
    ck_assert_str_eq(loaded.sub, "file|open");
    ck_assert_str_eq(loaded.name, "Alice");
    ck_assert(loaded.auth_time == opened.auth_time);
    ck_assert_ptr_null(loaded.consented);
}
END_TEST

START_TEST(test_wrong_secret_is_nobody)
{
    oas_session_t out;
    oas_session_new_t in = open_session("file|wrong", &out);

    in.secret_hash[0] ^= 1;
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_ENOENT);
    ck_assert_int_eq(oas_store_session_end(db, in.session_id, in.secret_hash, pool), APR_ENOENT);
    in.secret_hash[0] ^= 1;
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_SUCCESS);
}
END_TEST

START_TEST(test_open_repeated)
{
    oas_session_t first, again;
    oas_session_new_t in = open_session("file|again", &first);

    move_time(in.session_id, "auth_time", "-100 seconds");
    ck_assert_int_eq(oas_store_session_open(db, &in, &again, pool), APR_SUCCESS);
    ck_assert_str_eq(again.id, first.id);
    ck_assert(again.auth_time < first.auth_time); /* the stored one: nothing was written again */
    /* the id of somebody else's session is no way in */
    fill_random(in.secret_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(oas_store_session_open(db, &in, &again, pool), APR_EEXIST);
}
END_TEST

START_TEST(test_continues_under_its_id)
{
    oas_session_t first, next, out;
    oas_session_new_t old = open_session("file|cont", &first), in = new_login("file|cont");

    in.old_session_id = old.session_id;
    in.old_secret_hash = old.secret_hash;
    in.amr = "pwd otp";
    in.acr = "2fa";
    move_time(old.session_id, "auth_time", "-100 seconds");
    ck_assert_int_eq(oas_store_session_open(db, &in, &next, pool), APR_SUCCESS);
    ck_assert_str_eq(next.id, first.id);
    ck_assert(next.auth_time >= first.auth_time);
    ck_assert_str_eq(next.amr, "pwd otp");
    ck_assert_int_eq(load(&old, old.session_id, &out), APR_ENOENT);
    ck_assert_int_eq(load(&in, old.session_id, &out), APR_SUCCESS);
    ck_assert_str_eq(out.acr, "2fa");
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_ENOENT);
    /* a repetition finds its own commit */
    ck_assert_int_eq(oas_store_session_open(db, &in, &next, pool), APR_SUCCESS);
    ck_assert_str_eq(next.id, first.id);
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_ENOENT);
}
END_TEST

/* A login that may come again continues the browser's session once, and gives back once. */
START_TEST(test_once)
{
    oas_throttle_attempt_t attempt = three_failures();
    oas_session_t first, out;
    oas_session_new_t old = open_session("file|once", &first);
    oas_session_new_t other = open_session("file|once", &out), in = new_login("file|once");
    const oas_session_new_t *const had[] = {&in, &other, NULL};
    oas_session_new_t again;
    int i;

    in.once = 1;
    attempt.forgets = 1;
    in.attempt = &attempt;
    in.old_session_id = old.session_id;
    in.old_secret_hash = old.secret_hash;
    for (i = 0; i < 2; i++) { /* the same login, and its repetition */
        ck_assert_int_eq(oas_store_session_open(db, &in, &out, pool), APR_SUCCESS);
        ck_assert_str_eq(out.id, first.id);
    }
    ck_assert_str_eq(failures_left(&attempt), "2,2");
    /* in a browser with that session, with another one of that user, with none */
    for (i = 0; i < 3; i++) {
        again = in;
        fill_random(again.secret_hash, OAS_SHA256_LEN);
        again.old_session_id = i == 0 ? old.session_id : had[i] ? had[i]->session_id : NULL;
        again.old_secret_hash = had[i] ? had[i]->secret_hash : NULL;
        ck_assert_int_eq(oas_store_session_open(db, &again, &out, pool), APR_EEXIST);
    }
    ck_assert_str_eq(failures_left(&attempt), "2,2");
    ck_assert_int_eq(load(&in, old.session_id, &out), APR_SUCCESS); /* nothing has changed */
    ck_assert_int_eq(load(&other, other.session_id, &out), APR_SUCCESS);
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_ENOENT);
}
END_TEST

/* Likewise where it has opened a session of its own. */
START_TEST(test_once_without_another)
{
    oas_session_t out;
    oas_session_new_t in = new_login("file|once2"), first;

    in.once = 1;
    first = in;
    ck_assert_int_eq(oas_store_session_open(db, &in, &out, pool), APR_SUCCESS);
    fill_random(in.secret_hash, OAS_SHA256_LEN);
    in.old_session_id = first.session_id;
    in.old_secret_hash = first.secret_hash;
    ck_assert_int_eq(oas_store_session_open(db, &in, &out, pool), APR_EEXIST);
    ck_assert_int_eq(load(&first, first.session_id, &out), APR_SUCCESS);
}
END_TEST

START_TEST(test_another_subject_ends_the_old)
{
    oas_session_t first, next, out;
    oas_session_new_t old = open_session("file|one", &first), in = new_login("file|two");

    in.old_session_id = old.session_id;
    in.old_secret_hash = old.secret_hash;
    ck_assert_int_eq(oas_store_session_open(db, &in, &next, pool), APR_SUCCESS);
    ck_assert_str_ne(next.id, first.id);
    ck_assert_int_eq(load(&old, old.session_id, &out), APR_ENOENT);
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_SUCCESS);
}
END_TEST

START_TEST(test_old_session_with_wrong_secret_is_left_alone)
{
    unsigned char wrong[OAS_SHA256_LEN] = {1};
    oas_session_t first, next, out;
    oas_session_new_t old = open_session("file|left", &first), in = new_login("file|right");

    in.old_session_id = old.session_id;
    in.old_secret_hash = wrong;
    ck_assert_int_eq(oas_store_session_open(db, &in, &next, pool), APR_SUCCESS);
    ck_assert_int_eq(load(&old, old.session_id, &out), APR_SUCCESS);
}
END_TEST

START_TEST(test_ends)
{
    oas_session_t out;
    oas_session_new_t in = open_session("file|end", &out);

    ck_assert_int_eq(oas_store_session_end(db, in.session_id, in.secret_hash, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_session_end(db, in.session_id, in.secret_hash, pool), APR_ENOENT);
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_ENOENT);
}
END_TEST

START_TEST(test_idle_and_absolute_end)
{
    oas_session_t out;
    oas_session_new_t in = open_session("file|idle", &out);

    /* used a minute ago: its idle end moves */
    move_time(in.session_id, "last_used", "-61 seconds");
    move_time(in.session_id, "idle_until", "1 second");
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_SUCCESS);
    ck_assert_str_eq(
        cluster_sql(owner, apr_psprintf(pool,
                                        "SELECT idle_until > clock_timestamp() + '9 "
                                        "min' FROM oas_sessions WHERE session_id = "
                                        "'%s'",
                                        oas_hex_encode(pool, in.session_id, OAS_ID_LEN))),
        "t");
    move_time(in.session_id, "idle_until", "-1 second");
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_ENOENT);
    move_time(in.session_id, "idle_until", "1 hour");
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_SUCCESS);
    move_time(in.session_id, "expires_at", "-1 second");
    ck_assert_int_eq(load(&in, in.session_id, &out), APR_ENOENT);
}
END_TEST

START_TEST(test_forgets_failures)
{
    oas_throttle_attempt_t attempt = three_failures();
    oas_session_new_t in = new_login("file|throttled");
    oas_session_t out;
    int i;

    attempt.forgets = 1;
    in.attempt = &attempt;
    for (i = 0; i < 2; i++) /* the repetition takes nothing back again */
        ck_assert_int_eq(oas_store_session_open(db, &in, &out, pool), APR_SUCCESS);
    ck_assert_str_eq(failures_left(&attempt), "2,2");
}
END_TEST

START_TEST(test_forgives_failures)
{
    oas_throttle_attempt_t attempt = three_failures();
    oas_session_new_t in = new_login("file|forgiven");
    oas_session_t out;

    in.attempt = &attempt;
    ck_assert_int_eq(oas_store_session_open(db, &in, &out, pool), APR_SUCCESS);
    ck_assert_str_eq(failures_left(&attempt), "2,2,2");
}
END_TEST

START_TEST(test_bytes_postgres_cannot_take)
{
    oas_session_new_t in = new_login("file|\xff\xfe");
    oas_session_t out;

    ck_assert_int_eq(oas_store_session_open(db, &in, &out, pool), APR_EINVAL);
    in.sub = "file|json";
    in.claims = "{not json";
    ck_assert_int_eq(oas_store_session_open(db, &in, &out, pool), APR_EINVAL);
}
END_TEST

Suite *store_session_suite(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = db_case(suite, "session");

    tcase_add_test(tcase, test_open_and_load);
    tcase_add_test(tcase, test_wrong_secret_is_nobody);
    tcase_add_test(tcase, test_open_repeated);
    tcase_add_test(tcase, test_continues_under_its_id);
    tcase_add_test(tcase, test_once);
    tcase_add_test(tcase, test_once_without_another);
    tcase_add_test(tcase, test_another_subject_ends_the_old);
    tcase_add_test(tcase, test_old_session_with_wrong_secret_is_left_alone);
    tcase_add_test(tcase, test_ends);
    tcase_add_test(tcase, test_idle_and_absolute_end);
    tcase_add_test(tcase, test_forgets_failures);
    tcase_add_test(tcase, test_forgives_failures);
    tcase_add_test(tcase, test_bytes_postgres_cannot_take);
    return suite;
}
