/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a session told to applications: who is noted, who is told, and how the queue is worked
 * off. */
#include <apr_strings.h>
#include "../../lib/store/account.h"
#include "../../lib/store/logout.h"
#include "../../lib/store/purge.h"
#include "../../lib/store/user.h"
#include "store_db.h"

#define LEASE apr_time_from_sec(60)

static oas_session_t session;
static apr_array_header_t *claimed;

static void empty_queue(void)
{
    cluster_sql(owner, "DELETE FROM oas_logouts");
}

/* How a client hears of the end. */
typedef enum { UNTOLD, BY_BROWSER, BY_QUEUE } heard_t;

/* A code in that session for a client. */
static oas_code_put_t take_part(const oas_session_new_t *login, const char *client, heard_t heard)
{
    oas_code_put_t code = new_code(login);

    code.client_id = client;
    code.track = heard != UNTOLD;
    code.queue = heard == BY_QUEUE;
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    return code;
}

/* A session of two tracked clients and one that is not. */
static oas_session_new_t shared_session(const char *sub)
{
    oas_session_new_t login = open_session(sub, &session);

    take_part(&login, "shop", BY_QUEUE);
    take_part(&login, "mail", BY_QUEUE);
    take_part(&login, "shop", BY_QUEUE);
    take_part(&login, "quiet", UNTOLD);
    return login;
}

static const char *queued(const char *sub)
{
    return apr_pstrdup(
        pool, cluster_sql(owner, apr_psprintf(pool,
                                              "SELECT coalesce(string_agg(client_id, ' ' ORDER BY "
                                              "client_id), '') FROM oas_logouts WHERE sub = '%s'",
                                              sub)));
}

static int claim_extra(int max, int extra)
{
    const oas_logouts_claim_t want = {.max = max, .extra = extra, .per_client = 4, .lease = LEASE};

    ck_assert_int_eq(oas_store_logouts_claim(db, &want, &claimed, pool), APR_SUCCESS);
    return claimed->nelts;
}

static int claim(int max)
{
    return claim_extra(max, max);
}

static const oas_logout_t *logout_at(int i)
{
    ck_assert_int_lt(i, claimed->nelts);
    return &APR_ARRAY_IDX(claimed, i, oas_logout_t);
}

static apr_status_t log_out(const oas_session_new_t *login, apr_array_header_t **clients)
{
    return oas_store_session_logout(db, login->session_id, login->secret_hash, clients, pool);
}

START_TEST(test_logout_names_its_clients)
{
    oas_session_new_t login = shared_session("file|bye");
    unsigned char wrong[OAS_SHA256_LEN] = {0};
    apr_array_header_t *clients;

    empty_queue();
    ck_assert_int_eq(oas_store_session_logout(db, login.session_id, wrong, &clients, pool),
                     APR_ENOENT);
    ck_assert_int_eq(clients->nelts, 0);
    ck_assert_str_eq(queued("file|bye"), "");
    ck_assert_int_eq(log_out(&login, &clients), APR_SUCCESS);
    ck_assert_int_eq(clients->nelts, 2);
    ck_assert_str_eq(apr_array_pstrcat(pool, clients, ' '), "shop mail");
    ck_assert_str_eq(queued("file|bye"), "mail shop");
    /* sent again: ended before, and nothing is queued twice */
    ck_assert_int_eq(log_out(&login, &clients), APR_ENOENT);
    ck_assert_int_eq(clients->nelts, 2);
    ck_assert_str_eq(queued("file|bye"), "mail shop");
    ck_assert_int_eq(oas_store_session_logout(db, login.session_id, wrong, &clients, pool),
                     APR_ENOENT);
    ck_assert_int_eq(clients->nelts, 0);
}
END_TEST

START_TEST(test_what_the_browser_tells_is_not_queued)
{
    oas_session_new_t login = open_session("file|frames", &session);
    apr_array_header_t *clients;

    take_part(&login, "frames", BY_BROWSER);
    take_part(&login, "shop", BY_QUEUE);
    take_part(&login, "since", BY_BROWSER);
    take_part(&login, "since", BY_QUEUE);  /* it has a URI for it since */
    take_part(&login, "shop", BY_BROWSER); /* and this one no more; it was told so, though */
    ck_assert_int_eq(log_out(&login, &clients), APR_SUCCESS);
    ck_assert_int_eq(clients->nelts, 3); /* all of them are named */
    ck_assert_str_eq(queued("file|frames"), "shop since");
}
END_TEST

START_TEST(test_logout_of_what_has_expired)
{
    oas_session_new_t login = shared_session("file|asleep");
    apr_array_header_t *clients;

    cluster_sql(owner, "UPDATE oas_sessions SET idle_until = clock_timestamp() WHERE sub = "
                       "'file|asleep'");
    ck_assert_int_eq(log_out(&login, &clients), APR_ENOENT);
    ck_assert_int_eq(clients->nelts, 0);
    ck_assert_str_eq(queued("file|asleep"), "");
}
END_TEST

static void end_by_logout(const oas_session_new_t *login)
{
    ck_assert_int_eq(oas_store_session_end(db, login->session_id, login->secret_hash, pool),
                     APR_SUCCESS);
}

static void end_by_another_login(const oas_session_new_t *login)
{
    oas_session_new_t next = new_login("file|another");

    next.old_session_id = login->session_id;
    next.old_secret_hash = login->secret_hash;
    ck_assert_int_eq(oas_store_session_open(db, &next, &session, pool), APR_SUCCESS);
}

static void end_on_account_page(const oas_session_new_t *login)
{
    ck_assert_int_eq(oas_store_session_end_own(db, login->sub, login->session_id, pool),
                     APR_SUCCESS);
}

static void end_others(const oas_session_new_t *login)
{
    int ended;

    ck_assert_int_eq(oas_store_sessions_end_others(db, login->sub, NULL, &ended, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(ended, 1);
}

static void end_by_change(const oas_session_new_t *login)
{
    ck_assert_int_eq(oas_store_user_change(db, login->name, login->proof, "$y$new", NULL, pool),
                     APR_SUCCESS);
}

static void end_by_lock(const oas_session_new_t *login)
{
    cluster_sql(owner, apr_psprintf(pool, "SELECT oas_user_lock_1('%s', true)", login->name));
}

static void end_by_hand(const oas_session_new_t *login)
{
    const char *sql = apr_psprintf(
        pool, "UPDATE oas_sessions SET ended_at = clock_timestamp() WHERE sub = '%s'", login->sub);

    cluster_sql(owner, sql);
    cluster_sql(owner, sql); /* ended is ended */
}

START_TEST(test_every_end_is_told)
{
    static void (*const ends[])(const oas_session_new_t *login) = {
        end_by_logout, end_by_another_login, end_on_account_page, end_others,
        end_by_change, end_by_lock,          end_by_hand};
    const char *name = apr_psprintf(pool, "told%d", _i);
    oas_session_new_t login = new_builtin_login(name);

    cluster_sql(
        owner,
        apr_psprintf(pool, "INSERT INTO oas_users VALUES ('%s', '$y$hash', false, '{}')", name));
    ck_assert_int_eq(oas_store_session_open(db, &login, &session, pool), APR_SUCCESS);
    take_part(&login, "shop", BY_QUEUE);
    take_part(&login, "quiet", UNTOLD);
    ends[_i](&login);
    ck_assert_str_eq(queued(login.sub), "shop");
}
END_TEST

START_TEST(test_claim_and_done)
{
    oas_session_new_t login = shared_session("file|claimed");
    unsigned char jti[OAS_ID_LEN];
    apr_array_header_t *clients;

    empty_queue();
    ck_assert_int_eq(claim(10), 0);
    ck_assert_int_eq(log_out(&login, &clients), APR_SUCCESS);
    ck_assert_int_eq(claim(10), 2);
    ck_assert_str_eq(logout_at(0)->sub, "file|claimed");
    ck_assert_str_eq(logout_at(0)->sid, session.id);
    ck_assert_int_eq(logout_at(0)->attempts, 1);
    ck_assert(logout_at(0)->now >= now() - 2 && logout_at(0)->now <= now());
    ck_assert(logout_at(0)->expires >= now() + 7198 && logout_at(0)->expires <= now() + 7200);
    ck_assert_str_ne(logout_at(0)->client_id, logout_at(1)->client_id);
    memcpy(jti, logout_at(0)->id, OAS_ID_LEN);
    ck_assert_int_eq(claim(10), 0);

    ck_assert_int_eq(oas_store_logout_done(db, jti, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_logout_done(db, jti, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_logout_later(db, jti, 0, pool), APR_ENOENT);
    /* whoever claimed the other one is gone: its lease ends */
    cluster_sql(owner, "UPDATE oas_logouts SET due_at = clock_timestamp()");
    ck_assert_int_eq(claim(10), 1);
    ck_assert_int_eq(logout_at(0)->attempts, 2);
}
END_TEST

START_TEST(test_later_is_the_same_logout)
{
    oas_session_new_t login = open_session("file|later", &session);
    unsigned char jti[OAS_ID_LEN];

    empty_queue();
    take_part(&login, "shop", BY_QUEUE);
    end_by_logout(&login);
    ck_assert_int_eq(claim(10), 1);
    memcpy(jti, logout_at(0)->id, OAS_ID_LEN);
    ck_assert_int_eq(oas_store_logout_later(db, jti, apr_time_from_sec(30), pool), APR_SUCCESS);
    ck_assert_int_eq(claim(10), 0);
    ck_assert_int_eq(oas_store_logout_later(db, jti, 0, pool), APR_SUCCESS);
    ck_assert_int_eq(claim(10), 1);
    ck_assert_mem_eq(logout_at(0)->id, jti, OAS_ID_LEN);
    ck_assert_int_eq(logout_at(0)->attempts, 2);
    /* after two hours it is not handed out, and goes */
    ck_assert_int_eq(oas_store_logout_later(db, jti, 0, pool), APR_SUCCESS);
    cluster_sql(owner, "UPDATE oas_logouts SET purge_after = clock_timestamp()");
    ck_assert_int_eq(claim(10), 0);
    cluster_sql(owner, "SELECT oas_purge_1(1000)");
    ck_assert_str_eq(queued("file|later"), "");
}
END_TEST

/* So many due logouts of a client, the oldest first to come. */
static void queue(const char *client, int count, int age)
{
    cluster_sql(owner, apr_psprintf(pool,
                                    "INSERT INTO oas_logouts (client_id, session_id, sub, due_at, "
                                    "purge_after) SELECT '%s', gen_random_uuid(), 'file|many', "
                                    "clock_timestamp() - make_interval(secs => %d - i * 0.001), "
                                    "clock_timestamp() + interval '1 hour' "
                                    "FROM generate_series(1, %d) AS i",
                                    client, age, count));
}

static int claimed_of(const char *client)
{
    int i, n = 0;

    for (i = 0; i < claimed->nelts; i++)
        n += !strcmp(logout_at(i)->client_id, client);
    return n;
}

START_TEST(test_one_client_holds_up_no_other)
{
    int i;

    empty_queue();
    queue("hangs", 100, 60);
    queue("works", 10, 1);
    ck_assert_int_eq(claim(64), 8);
    ck_assert_int_eq(claimed_of("hangs"), 4);
    ck_assert_int_eq(claimed_of("works"), 4);
    for (i = 0; i < 8; i++) {
        if (!strcmp(logout_at(i)->client_id, "works"))
            ck_assert_int_eq(oas_store_logout_done(db, logout_at(i)->id, pool), APR_SUCCESS);
    }
    ck_assert_int_eq(claim(64), 4);
    ck_assert_int_eq(claimed_of("works"), 4);
    ck_assert_int_eq(claim(64), 0);
    /* when not all can be taken: of each its first, then the longest waiting */
    empty_queue();
    queue("new", 3, 1);
    queue("old", 3, 60);
    ck_assert_int_eq(claim(4), 4);
    ck_assert_int_eq(claimed_of("old"), 3);
    empty_queue();
    queue("new", 1, 1);
    queue("old", 1, 60);
    ck_assert_int_eq(claim(1), 1);
    ck_assert_int_eq(claimed_of("old"), 1);
}
END_TEST

static int extra_claimed(void)
{
    int i, n = 0;

    for (i = 0; i < claimed->nelts; i++)
        n += logout_at(i)->extra;
    return n;
}

/* All that were claimed have failed, and are due again. */
static void fail_claimed(void)
{
    int i;

    for (i = 0; i < claimed->nelts; i++)
        ck_assert_int_eq(oas_store_logout_later(db, logout_at(i)->id, 0, pool), APR_SUCCESS);
}

START_TEST(test_a_client_that_fails_gets_one_at_a_time)
{
    unsigned char under_way[OAS_ID_LEN];

    empty_queue();
    queue("fails", 10, 60);
    ck_assert_int_eq(claim(64), 4);
    ck_assert_int_eq(extra_claimed(), 3); /* all but its first */
    fail_claimed();
    ck_assert_int_eq(claim(64), 1);
    ck_assert_int_eq(logout_at(0)->attempts, 1); /* the longest waiting; it was not tried yet */
    ck_assert_int_eq(extra_claimed(), 1);
    memcpy(under_way, logout_at(0)->id, OAS_ID_LEN);
    ck_assert_int_eq(claim(64), 0);
    /* it answers, but what had failed is still there */
    ck_assert_int_eq(oas_store_logout_done(db, under_way, pool), APR_SUCCESS);
    ck_assert_int_eq(claim_extra(64, 0), 0);
    ck_assert_int_eq(claim(64), 1);
    memcpy(under_way, logout_at(0)->id, OAS_ID_LEN);
    cluster_sql(owner, "DELETE FROM oas_logouts WHERE attempts > 0 AND leased_until IS NULL");
    ck_assert_int_eq(claim(64), 3); /* all that had failed has been told */
    ck_assert_int_eq(extra_claimed(), 3);
    ck_assert_int_eq(oas_store_logout_done(db, under_way, pool), APR_SUCCESS);
    ck_assert_int_eq(claim(64), 1);
}
END_TEST

/* Twenty clients hang, and each has a backlog; one that answers has one logout. */
START_TEST(test_many_that_hang_hold_up_no_other)
{
    int i;

    empty_queue();
    for (i = 0; i < 20; i++)
        queue(apr_psprintf(pool, "hangs%02d", i), 30, 60);
    ck_assert_int_eq(claim_extra(64, 32), 20 + 32);
    ck_assert_int_eq(extra_claimed(), 32);
    queue("works", 2, 1);
    ck_assert_int_eq(claim_extra(64 - 52, 0), 1);
    ck_assert_int_eq(claimed_of("works"), 1);
    ck_assert_int_eq(extra_claimed(), 0);

    empty_queue();
    for (i = 0; i < 40; i++)
        queue(apr_psprintf(pool, "hangs%02d", i), 30, 60);
    cluster_sql(owner, "UPDATE oas_logouts SET attempts = 3");
    queue("works", 10, 1);
    ck_assert_int_eq(claim_extra(64, 32), 33);
    ck_assert_int_eq(claimed_of("works"), 1);
    ck_assert_int_eq(extra_claimed(), 32);
    ck_assert_int_eq(claim_extra(64 - 33, 0), 0);
    /* with room for extra ones the longest waiting go first */
    ck_assert_int_eq(claim_extra(64 - 33, 11), 11);
    ck_assert_int_eq(claimed_of("works"), 3);
}
END_TEST

START_TEST(test_purge_takes_the_list_along)
{
    oas_session_new_t login = shared_session("file|purged");
    int more, deleted;

    cluster_sql(owner, "UPDATE oas_sessions SET purge_after = clock_timestamp() WHERE sub = "
                       "'file|purged'");
    ck_assert_int_eq(oas_store_purge(db, OAS_PURGE_BATCH, &deleted, &more, pool), APR_SUCCESS);
    ck_assert_int_ge(deleted, 1);
    ck_assert_str_eq(
        cluster_sql(owner, apr_psprintf(pool,
                                        "SELECT count(*) FROM oas_session_clients WHERE "
                                        "session_id = '%s'",
                                        oas_hex_encode(pool, login.session_id, OAS_ID_LEN))),
        "0");
}
END_TEST

START_TEST(test_repeated_code_is_tracked_once)
{
    oas_session_new_t login = open_session("file|twice", &session);
    oas_code_put_t code = take_part(&login, "shop", BY_QUEUE);

    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    end_by_logout(&login);
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT); /* its own commit, known again */
    fill_random(code.grant_id, OAS_ID_LEN);
    ck_assert_int_eq(put_code(&code), OAS_CODE_SESSION_GONE);
    ck_assert_str_eq(queued("file|twice"), "shop");
}
END_TEST

Suite *store_logout_suite(void)
{
    Suite *suite = suite_create("logout");
    TCase *tcase = db_case(suite, "logout");

    tcase_add_test(tcase, test_logout_names_its_clients);
    tcase_add_test(tcase, test_what_the_browser_tells_is_not_queued);
    tcase_add_test(tcase, test_logout_of_what_has_expired);
    tcase_add_loop_test(tcase, test_every_end_is_told, 0, 7);
    tcase_add_test(tcase, test_claim_and_done);
    tcase_add_test(tcase, test_later_is_the_same_logout);
    tcase_add_test(tcase, test_one_client_holds_up_no_other);
    tcase_add_test(tcase, test_a_client_that_fails_gets_one_at_a_time);
    tcase_add_test(tcase, test_many_that_hang_hold_up_no_other);
    tcase_add_test(tcase, test_purge_takes_the_list_along);
    tcase_add_test(tcase, test_repeated_code_is_tracked_once);
    return suite;
}
