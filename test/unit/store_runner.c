/* SPDX-License-Identifier: Apache-2.0 */
/* What the database may do to us while we use it. */
#include <signal.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "../../lib/store/measure.h"
#include "../../lib/store/purge.h"
#include "store_db.h"

static oas_session_t session;
static oas_session_new_t login;
static oas_gate_t *gate;

static void login_setup(void)
{
    db_setup();
    login = open_session("file|runner", &session);
}

static PGconn *native(void)
{
    return apr_dbd_native_handle(conn->dbd.driver, conn->dbd.handle);
}

static apr_status_t read_with(oas_db_t *with)
{
    return oas_store_session_load(with, login.session_id, login.secret_hash, "shop", "",
                                  apr_time_from_sec(600), &session, pool);
}

static apr_status_t read_once(void)
{
    apr_status_t rv = read_with(cluster_db(conn, TEST_ISSUER, NULL, pool));

    if (PQstatus(native()) == CONNECTION_OK) {
        /* as other modules expect to find it */
        ck_assert_int_eq(PQtransactionStatus(native()), PQTRANS_IDLE);
        ck_assert_int_eq(PQpipelineStatus(native()), PQ_PIPELINE_OFF);
        ck_assert_int_eq(PQisnonblocking(native()), 0);
    }
    return rv;
}

static void terminate(void)
{
    cluster_terminate(cluster_backend(conn));
}

static void expect_log(const char *words)
{
    ck_assert_int_ge(cluster_log_count(), 1);
    ck_assert_msg(strstr(cluster_log_last(), words) != NULL, "%s", cluster_log_last());
    cluster_log_clear();
}

START_TEST(test_terminated_between)
{
    int i;

    for (i = 0; i < 5; i++) {
        terminate();
        ck_assert_int_eq(read_once(), APR_SUCCESS);
        ck_assert_int_eq(read_once(), APR_SUCCESS);
    }
}
END_TEST

/* A pool of which every connection looks alive while its backend has been told to end. */
#define DYING 4
static cluster_conn_t *dying[DYING];
static int backends[DYING], borrowed;

static apr_status_t borrow_next(void *baton, oas_dbd_t *out)
{
    *out = dying[borrowed++ % DYING]->dbd;
    return APR_SUCCESS;
}

static void keep(void *baton, oas_dbd_t *dbd)
{
}

/* The gate knows that they are there; `maker` makes another one, so that nobody else may. */
static void lend_all(oas_gate_place_t *maker)
{
    oas_gate_place_t places[DYING];
    int i;

    oas_gate_size(gate, DYING + 1);
    for (i = 0; i < DYING; i++) {
        ck_assert_int_eq(oas_gate_enter(gate, 0, &places[i]), APR_SUCCESS);
        oas_gate_lent(&places[i], 1);
    }
    ck_assert_int_eq(oas_gate_enter(gate, 0, maker), APR_SUCCESS);
    for (i = 0; i < DYING; i++)
        oas_gate_leave(&places[i]);
}

static void tell_to_end(int backend, PGconn *superuser)
{
    ck_assert_int_eq(kill(backend, SIGSTOP), 0);
    cluster_sql(superuser, apr_psprintf(pool, "SELECT pg_terminate_backend(%d)", backend));
}

/* They die one after the other; then the maker gives up. */
static void *APR_THREAD_FUNC let_die(apr_thread_t *thread, void *data)
{
    int i;

    for (i = 0; i < DYING; i++) {
        apr_sleep(apr_time_from_msec(100));
        kill(backends[i], SIGCONT);
    }
    apr_sleep(apr_time_from_msec(100));
    oas_gate_leave(data);
    return NULL;
}

START_TEST(test_all_that_are_lent_die)
{
    static const oas_db_source_t source = {borrow_next, keep};
    PGconn *superuser = cluster_superuser();
    oas_gate_place_t maker;
    apr_thread_t *thread;
    apr_status_t rv;
    oas_db_t *with;
    int i;

    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    lend_all(&maker);
    borrowed = 0;
    for (i = 0; i < DYING; i++) {
        dying[i] = cluster_connect(pool, cluster_params(0), 0);
        backends[i] = cluster_backend(dying[i]);
        tell_to_end(backends[i], superuser);
    }
    with = oas_db_create(pool, &source, NULL, TEST_ISSUER, gate, apr_time_from_sec(5), NULL);
    ck_assert_int_eq(apr_thread_create(&thread, NULL, let_die, &maker, pool), APR_SUCCESS);
    ck_assert_int_eq(read_with(with), APR_SUCCESS);
    ck_assert_int_eq(borrowed, DYING + 1); /* it met each of them */
    ck_assert_int_eq(apr_thread_join(&rv, thread), APR_SUCCESS);
    PQfinish(superuser);
}
END_TEST

START_TEST(test_restarted)
{
    PQfinish(owner);
    cluster_verb("restart", "fast");
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    cluster_verb("restart", "immediate");
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    owner = cluster_owner();
}
END_TEST

START_TEST(test_away_and_back)
{
    oas_gate_stats_t stats;
    apr_pool_t *request;

    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    PQfinish(owner);
    cluster_verb("stop", "immediate");
    apr_pool_create(&request, pool);
    ck_assert_int_eq(read_with(cluster_db(conn, TEST_ISSUER, gate, request)), OAS_DB_UNAVAILABLE);
    expect_log("cannot be made again");
    oas_gate_stats(gate, &stats);
    ck_assert_int_eq(stats.away, 1);
    ck_assert_int_eq(stats.in_flight, 1);
    apr_pool_clear(request);
    oas_gate_stats(gate, &stats);
    ck_assert_int_eq(stats.in_flight, 0);
    cluster_verb("start", NULL);
    ck_assert_int_eq(read_with(cluster_db(conn, TEST_ISSUER, gate, request)), APR_SUCCESS);
    oas_gate_stats(gate, &stats);
    ck_assert_int_eq(stats.away, 0);
    apr_pool_destroy(request);
    owner = cluster_owner();
}
END_TEST

START_TEST(test_nothing_lent)
{
    oas_db_t *with;
    oas_gate_stats_t stats;

    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    conn->borrowed = 0;
    conn->refuse = 1;
    with = cluster_db(conn, TEST_ISSUER, gate, pool);
    ck_assert_int_eq(read_with(with), OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(read_with(with), OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(conn->borrowed, 1);
    expect_log("cannot be reached");
    oas_gate_stats(gate, &stats);
    ck_assert_int_eq(stats.in_flight, 0);
    ck_assert_int_eq(stats.away, 1);
}
END_TEST

START_TEST(test_gate_is_full)
{
    oas_gate_place_t place;
    int tries, took = 450;

    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_enter(gate, 0, &place), APR_SUCCESS);
    conn->borrowed = 0;
    for (tries = 0; tries < 10 && took >= 450;
         tries++) { /* a busy machine adds to it, but not each time */
        oas_db_t *with = cluster_db(conn, TEST_ISSUER, gate, pool);
        apr_time_t start = apr_time_now();

        ck_assert_int_eq(read_with(with), OAS_DB_UNAVAILABLE);
        ck_assert_int_eq(read_with(with), OAS_DB_UNAVAILABLE); /* waits once only */
        took = (int)apr_time_as_msec(apr_time_now() - start);
    }
    ck_assert_int_lt(took, 450);
    ck_assert_int_eq(conn->borrowed, 0);
    expect_log("came free in time");
}
END_TEST

START_TEST(test_gate_learns_its_size)
{
    cluster_conn_t *sized = cluster_connect(pool, cluster_params(0), 1);
    oas_gate_stats_t stats;

    oas_db_connected(&sized->dbd, sized, 7, NULL, NULL, NULL);
    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    ck_assert_int_eq(read_with(cluster_db(sized, TEST_ISSUER, gate, pool)), APR_SUCCESS);
    oas_gate_stats(gate, &stats);
    ck_assert_int_eq(stats.max, 7);
}
END_TEST

START_TEST(test_untold_connection)
{
    conn = cluster_connect(pool, cluster_params(0), 1);
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    terminate();
    ck_assert_int_eq(read_once(), APR_SUCCESS);
}
END_TEST

static int resets;

static void count_reset(void *baton, const oas_dbd_t *dbd)
{
    ck_assert_ptr_eq(dbd->handle, ((cluster_conn_t *)baton)->dbd.handle);
    resets++;
}

START_TEST(test_reset_hook)
{
    conn = cluster_connect(pool, cluster_params(0), 1);
    oas_db_connected(&conn->dbd, NULL, 0, count_reset, conn, NULL);
    resets = 0;
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    ck_assert_int_eq(resets, 0);
    terminate();
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    ck_assert_int_eq(resets, 1);
}
END_TEST

START_TEST(test_statements_forgotten)
{
    int backend = cluster_backend(conn);

    PQclear(PQexec(native(), "DEALLOCATE ALL"));
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    ck_assert_int_eq(cluster_backend(conn), backend);
}
END_TEST

START_TEST(test_transaction_left_open)
{
    PQclear(PQexec(native(), "BEGIN"));
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    PQclear(PQexec(native(), "BEGIN; SELECT no_such_thing"));
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    PQsendQuery(native(), "SELECT pg_sleep(0.01)");
    ck_assert_int_eq(read_once(), APR_SUCCESS);
}
END_TEST

START_TEST(test_other_users_of_the_connection)
{
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;

    ck_assert_int_eq(read_once(), APR_SUCCESS);
    ck_assert_int_eq(apr_dbd_select(conn->dbd.driver, pool, conn->dbd.handle, &results,
                                    "SELECT 'still here'", 1),
                     0);
    ck_assert_int_eq(apr_dbd_get_row(conn->dbd.driver, pool, results, &row, 1), 0);
    ck_assert_str_eq(apr_dbd_get_entry(conn->dbd.driver, row, 0), "still here");
}
END_TEST

/* The server ends what waits too long, and says so; the connection lives on. */
START_TEST(test_lock_is_not_waited_for_forever)
{
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);
    oas_redeem_outcome_t outcome;
    int backend = cluster_backend(conn);
    apr_time_t start;
    oas_grant_t grant;

    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    cluster_sql(owner, "BEGIN");
    cluster_sql(owner, "LOCK TABLE oas_grants IN ACCESS EXCLUSIVE MODE");
    start = apr_time_now();
    ck_assert_int_eq(oas_store_code_redeem(db, &in, &outcome, &grant, pool), OAS_DB_UNAVAILABLE);
    ck_assert_int_lt((int)apr_time_as_msec(apr_time_now() - start), 20000);
    expect_log("57014");
    cluster_sql(owner, "ROLLBACK");
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_int_eq(cluster_backend(conn), backend);
}
END_TEST

/* A server that says nothing at all: the call ends, the connection is thrown away. */
START_TEST(test_silent_server)
{
    int backend = cluster_backend(conn);
    apr_time_t start = apr_time_now();
    int took;

    ck_assert_int_eq(kill(backend, SIGSTOP), 0);
    ck_assert_int_eq(read_once(), OAS_DB_UNAVAILABLE);
    took = (int)apr_time_as_msec(apr_time_now() - start);
    kill(backend, SIGCONT);
    ck_assert_int_ge(took, 4900);
    ck_assert_int_lt(took, 9900); /* it is not tried a second time */
    expect_log("did not answer in time");
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    ck_assert_int_ne(cluster_backend(conn), backend);
}
END_TEST

START_TEST(test_read_only)
{
    oas_code_put_t code = new_code(&login);
    oas_code_put_outcome_t outcome;
    oas_grant_t grant;
    cluster_conn_t *standby =
        cluster_connect(pool,
                        apr_pstrcat(pool, cluster_params(0),
                                    " options='-c default_transaction_read_only=on'", NULL),
                        0);
    oas_db_t *with = cluster_db(standby, TEST_ISSUER, NULL, pool);

    ck_assert_int_eq(oas_store_code_put(with, &code, &outcome, &grant, pool), OAS_DB_UNAVAILABLE);
    expect_log("25006");
}
END_TEST

START_TEST(test_serializable_by_default)
{
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);
    oas_grant_t grant;

    conn = cluster_connect(pool,
                           apr_pstrcat(pool, cluster_params(0),
                                       " options='-c default_transaction_isolation=serializable'",
                                       NULL),
                           0);
    db = cluster_db(conn, TEST_ISSUER, NULL, pool);
    put_code(&code);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
}
END_TEST

START_TEST(test_own_statement_timeout_is_kept)
{
    conn = cluster_connect(
        pool, apr_pstrcat(pool, cluster_params(0), " options='-c statement_timeout=1500'", NULL),
        0);
    ck_assert_str_eq(cluster_sql(native(), "SHOW statement_timeout"), "1500ms");
    conn = cluster_connect(pool, cluster_params(0), 0);
    ck_assert_str_eq(cluster_sql(native(), "SHOW statement_timeout"), "4s");
}
END_TEST

/* A connection as mod_dbd lends it without DBDPersist: in a pool below that of the request. */
typedef struct {
    apr_pool_t *request, *own;
    int given_back;
} once_t;

static apr_status_t forget_once(void *data)
{
    ((once_t *)data)->own = NULL;
    return APR_SUCCESS;
}

static apr_status_t borrow_once(void *baton, oas_dbd_t *out)
{
    once_t *once = baton;

    apr_pool_create(&once->own, once->request);
    *out = cluster_connect(once->own, cluster_params(0), 0)->dbd;
    apr_pool_cleanup_register(once->own, once, forget_once, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static void give_back_once(void *baton, oas_dbd_t *dbd)
{
    once_t *once = baton;

    ck_assert_ptr_nonnull(once->own);
    once->given_back++;
    apr_pool_destroy(once->own);
}

/* It is given back while it is there, whoever forgets to. */
START_TEST(test_connection_below_the_request)
{
    static const oas_db_source_t source = {borrow_once, give_back_once};
    oas_gate_stats_t stats;
    once_t once = {NULL, NULL, 0};

    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&once.request, pool), APR_SUCCESS);
    ck_assert_int_eq(
        read_with(oas_db_create(once.request, &source, &once, TEST_ISSUER, gate, 0, NULL)),
        APR_SUCCESS);
    apr_pool_destroy(once.request);
    ck_assert_int_eq(once.given_back, 1);
    oas_gate_stats(gate, &stats);
    ck_assert_int_eq(stats.in_flight, 0);
}
END_TEST

/* One that is longer than ours would let the server go on with what we gave up. */
START_TEST(test_own_statement_timeout_is_bounded)
{
    static const char *const longer[] = {"30s", "4001", "5min", "1d"};
    apr_size_t i;

    for (i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
        conn = cluster_connect(pool,
                               apr_psprintf(pool, "%s options='-c statement_timeout=%s'",
                                            cluster_params(0), longer[i]),
                               0);
        ck_assert_str_eq(cluster_sql(native(), "SHOW statement_timeout"), "4s");
    }
}
END_TEST

/* A host whose machine is dead: from now on it takes connections in this folder and says nothing.
 */
static int fall_silent(const char *folder)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    apr_snprintf(name.sun_path, sizeof(name.sun_path), "%s/.s.PGSQL.5432", folder);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(chmod(name.sun_path, 0777), 0);
    ck_assert_int_eq(listen(listener, 64), 0);
    return listener;
}

/* To connect takes longer than statements may; what comes of it is used all the same. */
START_TEST(test_silent_first_host)
{
    char folder[] = "/tmp/oas-silent.XXXXXX";
    int listener;
    oas_db_t *with;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    conn = cluster_connect(
        pool, apr_psprintf(pool, "host=%s,%s", folder, cluster_params(0) + strlen("host=")), 0);
    listener = fall_silent(folder);
    terminate();
    with = cluster_db(conn, TEST_ISSUER, NULL, pool);
    oas_db_limit(with, apr_time_from_sec(1));
    ck_assert_int_eq(read_with(with), APR_SUCCESS);
    ck_assert_int_eq(read_with(with), APR_SUCCESS); /* nor does it count for what follows */
    close(listener);
    ck_assert_int_eq(unlink(apr_pstrcat(pool, folder, "/.s.PGSQL.5432", NULL)), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* Who has no time left sends nothing, and leaves the connection to others. */
START_TEST(test_no_time_left)
{
    int backend = cluster_backend(conn);
    oas_db_t *with = cluster_db(conn, TEST_ISSUER, NULL, pool);

    oas_db_limit(with, 0);
    ck_assert_int_eq(read_with(with), OAS_DB_UNAVAILABLE);
    expect_log("did not answer in time");
    ck_assert_int_eq(read_once(), APR_SUCCESS);
    ck_assert_int_eq(cluster_backend(conn), backend);
}
END_TEST

/* What runs in the background gives it back after each statement: it may be the only one. */
START_TEST(test_background_leaves_it_to_others)
{
    static const oas_db_source_t source = {borrow_once, give_back_once};
    once_t once = {NULL, NULL, 0};
    oas_measured_t measured;
    oas_db_t *with;
    int ended;

    ck_assert_int_eq(apr_pool_create(&once.request, pool), APR_SUCCESS);
    with = oas_db_create(once.request, &source, &once, TEST_ISSUER, NULL, 0, NULL);
    ck_assert_int_eq(oas_store_limit_families(with, 1000, &ended, pool), APR_SUCCESS);
    ck_assert_int_eq(once.given_back, 1);
    ck_assert_int_eq(oas_store_measure(with, &measured, pool), APR_SUCCESS);
    ck_assert_int_eq(once.given_back, 2);
    apr_pool_destroy(once.request);
    ck_assert_int_eq(once.given_back, 3);
}
END_TEST

Suite *store_runner_suite(void)
{
    Suite *suite = suite_create("runner");
    TCase *tcase = tcase_create("runner");

    tcase_add_checked_fixture(tcase, login_setup, db_teardown);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_terminated_between);
    tcase_add_test(tcase, test_all_that_are_lent_die);
    tcase_add_test(tcase, test_restarted);
    tcase_add_test(tcase, test_away_and_back);
    tcase_add_test(tcase, test_nothing_lent);
    tcase_add_test(tcase, test_gate_is_full);
    tcase_add_test(tcase, test_gate_learns_its_size);
    tcase_add_test(tcase, test_untold_connection);
    tcase_add_test(tcase, test_connection_below_the_request);
    tcase_add_test(tcase, test_background_leaves_it_to_others);
    tcase_add_test(tcase, test_reset_hook);
    tcase_add_test(tcase, test_statements_forgotten);
    tcase_add_test(tcase, test_transaction_left_open);
    tcase_add_test(tcase, test_other_users_of_the_connection);
    tcase_add_test(tcase, test_lock_is_not_waited_for_forever);
    tcase_add_test(tcase, test_silent_server);
    tcase_add_test(tcase, test_read_only);
    tcase_add_test(tcase, test_serializable_by_default);
    tcase_add_test(tcase, test_own_statement_timeout_is_kept);
    tcase_add_test(tcase, test_own_statement_timeout_is_bounded);
    tcase_add_test(tcase, test_silent_first_host);
    tcase_add_test(tcase, test_no_time_left);
    return suite;
}
