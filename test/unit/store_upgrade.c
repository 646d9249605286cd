/* SPDX-License-Identifier: Apache-2.0 */
/* From former versions to this one with data, and modules of the version before on this schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pthread.h>
#include <apr_strings.h>
#include "../../lib/store/account.h"
#include "../../lib/store/schema.h"
#include "../lib/former.h"
#include "store_db.h"

static oas_db_t *tool;
static PGconn *former; /* a former module, with the rights it has */
static int from, to;
static const char *why;

static void apply(const char *dir, int expected)
{
    ck_assert_msg(oas_schema_apply(tool, dir, TEST_ISSUER, &from, &to, &why, pool) == APR_SUCCESS,
                  "%s", why);
    ck_assert_int_eq(to, expected);
}

/* An empty schema with the first versions applied to it, and the runtime role let in. */
static void start_at(int version, const char *schema)
{
    char dir[] = "/tmp/oas-schema.XXXXXX";
    int n;

    tool = schema_make(schema);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    n = system(apr_psprintf(pool, "cp '%s'/00[1-%d]-*.sql '%s'", schema_files(), version, dir));
    ck_assert_int_eq(n, 0);
    apply(dir, version);
    ck_assert_int_eq(oas_schema_grant(tool, "oauth2as", &why, pool), APR_SUCCESS);
    n = system(apr_psprintf(pool, "rm -r '%s'", dir));
    ck_assert_int_eq(n, 0);
    former = PQconnectdb(schema_params(schema, 0));
    ck_assert_int_eq(PQstatus(former), CONNECTION_OK);
}

/* To the newest version; what the runtime role may do comes along. */
static oas_db_t *upgrade(const char *schema, int version)
{
    apply(schema_files(), OAS_SCHEMA_VERSION);
    ck_assert_int_eq(from, version);
    return cluster_db(cluster_connect(pool, schema_params(schema, 0), 0), TEST_ISSUER, NULL, pool);
}

#define UUID_OF(n) "'00000000-0000-0000-0000-00000000000" #n "'::uuid"
#define HASH_OF(n) "sha256('" #n "'::bytea)"

/* What a module of version 1 sends: a login, a code in it, and the code's redemption. */
static const char *old_login(void)
{
    return cluster_sql(
        former, "SELECT session_id FROM oas_session_open_1(" UUID_OF(1) ", " HASH_OF(
                    1) ", 'file|alice', 'file', 'Alice', '{\"email\":\"a@b.test\"}', 'pwd', NULL, "
                       "3600, 600, NULL, NULL, NULL, NULL, NULL, '{}')");
}

#define OLD_PUT(n)                                                                                 \
    "SELECT oas_code_put_1(" UUID_OF(n) ", " HASH_OF(n) ", " UUID_OF(                              \
        1) ", 'shop', "                                                                            \
           "'openid offline_access', NULL, 'https://shop.example/cb', true, NULL, 'n-1', 60, "     \
           "300, "                                                                                 \
           "'allow', oas_epoch(clock_timestamp()))"
#define OLD_REDEEM(n)                                                                              \
    "SELECT outcome || ' ' || sub || ' ' || nonce FROM oas_code_redeem_1(" UUID_OF(                \
        n) ", " HASH_OF(n) ", 'shop', 'https://shop.example/cb', NULL, NULL, " UUID_OF(n) ")"

static oas_session_t session;

/* The session of old_login, as this version sees it. */
static apr_status_t load_session(oas_db_t *with)
{
    unsigned char id[OAS_ID_LEN] = {[15] = 1}, hash[OAS_SHA256_LEN];

    oas_sha256("1", 1, hash);
    return oas_store_session_load(with, id, hash, "shop", "", apr_time_from_sec(600), &session,
                                  pool);
}

START_TEST(test_version_1_rows_are_kept)
{
    unsigned char grant_id[OAS_ID_LEN] = {0};
    oas_refresh_first_t first = {.lifetime = apr_time_from_sec(600)};
    oas_code_redeem_t in;
    oas_redeem_outcome_t outcome;
    oas_grant_t grant;
    oas_db_t *with;

    start_at(1, "upgraded");
    ck_assert_str_eq(old_login(), "00000000-0000-0000-0000-000000000001");
    ck_assert_str_eq(cluster_sql(former, OLD_PUT(2)), "put");
    ck_assert_str_eq(cluster_sql(former, OLD_REDEEM(2)), "done file|alice n-1");
    ck_assert_str_eq(cluster_sql(former, OLD_PUT(3)), "put");
    with = upgrade("upgraded", 1);

    grant_id[15] = 2;
    ck_assert_int_eq(oas_store_grant_load(with, grant_id, &grant, pool), APR_SUCCESS);
    ck_assert_str_eq(grant.sub, "file|alice");
    ck_assert_int_eq(grant.offline, 0);
    memset(&in, 0, sizeof(in));
    in.grant_id[15] = 3;
    oas_sha256("3", 1, in.code_hash);
    in.client_id = "shop";
    in.redirect_uri = "https://shop.example/cb";
    fill_random(in.attempt, OAS_ID_LEN);
    fill_random(first.token_hash, OAS_SHA256_LEN);
    in.refresh = &first;
    ck_assert_int_eq(oas_store_code_redeem(with, &in, &outcome, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(outcome, OAS_REDEEM_DONE);
    ck_assert_int_eq(grant.offline, 1);
    ck_assert_int_eq(load_session(with), APR_SUCCESS);
    ck_assert_str_eq(oas_words_join(session.consented, pool), "offline_access openid");
    PQfinish(former);
}
END_TEST

#define BOB_PROOF "encode(sha256('$y$hash'), 'hex')"

/* One life of a session, as the former module sends it: `n` makes it different from others. It
 * stops before the statement that begins with `next`, which it returns. */
static const char *live_until(int n, const char *next)
{
    const char *id = apr_psprintf(pool, "'00000000-0000-0000-0000-0000000000%02d'", n);
    const char *hash = apr_psprintf(pool, "sha256('%d')", n);
    const struct {
        const char *call, *answer;
    } steps[] = {
        {apr_psprintf(pool,
                      "oas_session_open(%s, %s, 'oauth2as|bob', 'oauth2as', 'bob', '{}', 'pwd', "
                      "NULL, -1, 'password', false, 3600, 600, NULL, NULL, NULL, NULL, NULL, "
                      "'{}', " BOB_PROOF ", false)",
                      id, hash),
         apr_psprintf(pool, "%.36s", id + 1)},
        {apr_psprintf(pool, "oas_session_load(%s, %s, 'shop', '', 600)", id, hash),
         apr_psprintf(pool, "%.36s", id + 1)},
        {apr_psprintf(pool,
                      "oas_code_put(%s, %s, %s, 'shop', 'openid offline_access', NULL, "
                      "'https://shop.example/cb', true, NULL, 'n-1', 60, 300, 'allow', "
                      "oas_epoch(clock_timestamp()) + 1, false, NULL, true, true, NULL)",
                      id, hash, id),
         "put"},
        {apr_psprintf(pool,
                      "oas_code_redeem(%s, %s, 'shop', 'https://shop.example/cb', NULL, NULL, %s, "
                      "sha256('first%d'), 600, 300, NULL)",
                      id, hash, id, n),
         "done"},
        {apr_psprintf(pool,
                      "oas_refresh(%s, sha256('first%d'), 'shop', ARRAY['\\x0102030405060708'::"
                      "bytea], ARRAY[sha256('next%d')], NULL, NULL, '{\"\": [\"openid\"]}', NULL, "
                      "true, 10, 600, false, gen_random_uuid())",
                      id, n, n),
         "rotated"},
        {apr_psprintf(pool, "oas_refresh_load(%s, sha256('next%d'), 600)", id, n), "live"},
        {apr_psprintf(pool, "oas_grant_load(%s)", id), "live"},
        {"oas_password_grant(gen_random_uuid(), 'shop', 'openid', NULL, 'oauth2as|bob', "
         "'oauth2as', 'bob', '{}', 'pwd', NULL, NULL, 300, NULL, NULL, '{}', " BOB_PROOF ")",
         "put"},
        {"oas_purge(10)", "0"},
        {"oas_limit_families(200, 10)", "0"},
        {"oas_consent_withdraw('oauth2as|bob', 'shop', '')", "t"},
        {apr_psprintf(pool, "oas_grant_load(%s)", id), ""},
        {apr_psprintf(pool, "oas_session_end(%s, %s)", id, hash), "t"},
        {apr_psprintf(pool, "oas_session_load(%s, %s, 'shop', '', 600)", id, hash), ""},
    };
    apr_size_t i;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const char *call = apr_psprintf(pool, "EXECUTE %s", steps[i].call);

        if (next != NULL && strncmp(steps[i].call, next, strlen(next)) == 0)
            return call;
        ck_assert_str_eq(cluster_sql(former, call), steps[i].answer);
    }
    return NULL;
}

static void live_formerly(int n)
{
    live_until(n, NULL);
}

/* Types of parameters and columns, by which a module knows a statement. */
static const char *describe_former(void)
{
    const char *out = "", *label;
    int i, k;

    for (i = 0; (label = former_label(i)) != NULL; i++) {
        PGresult *result = PQdescribePrepared(former, label);

        ck_assert_int_eq(PQresultStatus(result), PGRES_COMMAND_OK);
        out = apr_pstrcat(pool, out, "\n", label, NULL);
        for (k = 0; k < PQnparams(result); k++)
            out = apr_psprintf(pool, "%s $%u", out, PQparamtype(result, k));
        for (k = 0; k < PQnfields(result); k++)
            out = apr_psprintf(pool, "%s %s %u", out, PQfname(result, k), PQftype(result, k));
        PQclear(result);
    }
    return out;
}

/* A schema of the version before, and bob in it. */
static void start_formerly(const char *schema)
{
    start_at(OAS_SCHEMA_VERSION - 1, schema);
    cluster_sql(owner, apr_psprintf(pool, "SET search_path = %s", schema));
    cluster_sql(owner, "INSERT INTO oas_users VALUES ('bob', '$y$hash', false, '{}')");
    former_prepare(former, 0);
}

START_TEST(test_former_module_goes_on)
{
    const char *before;

    start_formerly("older");
    before = describe_former();
    live_formerly(10);
    upgrade("older", OAS_SCHEMA_VERSION - 1);
    live_formerly(20); /* on the connection that has it all prepared */
    PQfinish(former);
    former = PQconnectdb(schema_params("older", 0));
    former_prepare(former, 0);
    live_formerly(30);
    ck_assert_str_eq(describe_former(), before);
    ck_assert_str_eq(cluster_sql(owner, "SELECT oas_user_passwd_1('bob', '$y$new')"), "t");
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM oas_grants WHERE revoked_at IS NULL"),
                     "0");
    ck_assert_str_eq(cluster_sql(owner, "SELECT oas_user_lock_1('bob', true)"), "t");
    PQfinish(former);
}
END_TEST

static oas_refresh_outcome_t refresh(oas_db_t *with, oas_refresh_t *in)
{
    oas_refresh_result_t result;
    oas_grant_t grant;

    fill_random(in->attempt, OAS_ID_LEN);
    ck_assert_int_eq(oas_store_refresh(with, in, &result, &grant, pool), APR_SUCCESS);
    if (result.outcome == OAS_REFRESH_ROTATED || result.outcome == OAS_REFRESH_REPEATED)
        ck_assert_str_eq(grant.sub, "oauth2as|bob");
    return result.outcome;
}

/* Old and new servers share a session and its family; whichever ends it, its applications are told.
 */
START_TEST(test_versions_side_by_side)
{
    cluster_conn_t *old_conn;
    oas_refresh_child_t children[2];
    oas_refresh_t in, again;
    oas_session_new_t login;
    oas_code_put_t code;
    oas_grant_t grant;
    oas_db_t *now_db, *old_db;
    int i;

    start_formerly("mixed");
    now_db = upgrade("mixed", OAS_SCHEMA_VERSION - 1);
    old_conn = cluster_connect(pool, schema_params("mixed", 0), 0);
    former_prepare(apr_dbd_native_handle(old_conn->dbd.driver, old_conn->dbd.handle), 1);
    old_db = cluster_db(old_conn, TEST_ISSUER, NULL, pool);

    login = new_builtin_login("bob");
    ck_assert_int_eq(oas_store_session_open(old_db, &login, &session, pool), APR_SUCCESS);
    code = new_code(&login);
    code.track = code.queue = 1;
    db = now_db;
    new_children(children, 1);
    in = start_family_bound(&code, children, 1, NULL, &grant);
    for (i = 0; i < 4; i++) {
        again = in;
        ck_assert_int_eq(refresh(i % 2 ? now_db : old_db, &in), OAS_REFRESH_ROTATED);
        ck_assert_int_eq(refresh(i % 2 ? old_db : now_db, &again), OAS_REFRESH_REPEATED);
        memcpy(in.token_hash, children->token_hash, OAS_SHA256_LEN);
        new_children(children, 1);
    }
    fill_random(again.token_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(refresh(old_db, &again), OAS_REFRESH_UNKNOWN);
    ck_assert_int_eq(oas_store_grant_load(old_db, in.grant_id, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_session_end(old_db, login.session_id, login.secret_hash, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(cluster_sql(owner, "SELECT client_id || ' ' || sub FROM oas_logouts"),
                     "shop oauth2as|bob");
    ck_assert_int_eq(oas_store_refresh_revoke(now_db, in.grant_id, in.token_hash, "shop", 0, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(refresh(old_db, &in), OAS_REFRESH_REVOKED);
    PQfinish(former);
}
END_TEST

static void say(PGconn *with, const char *sql, const char *expected)
{
    PGresult *result = PQexec(with, sql);
    const char *answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";

    ck_assert_msg(PQresultStatus(result) <= PGRES_TUPLES_OK, "%s", PQerrorMessage(with));
    ck_assert_str_eq(answer, expected);
    PQclear(result);
}

static void *apply_newest(void *data)
{
    apply(schema_files(), OAS_SCHEMA_VERSION);
    return data;
}

/* Returns when somebody waits for a lock in this database. */
static void until_someone_waits(void)
{
    const char *waits = "SELECT EXISTS (SELECT 1 FROM pg_locks AS l WHERE NOT l.granted "
                        "AND l.database = (SELECT oid FROM pg_database WHERE datname = "
                        "current_database()) AND pg_sleep(0.05) IS NOT NULL)";

    while (cluster_sql(owner, waits)[0] != 't')
        ;
}

/* A rotation under way goes on to its end: the upgrade waits for it, and has nothing it waits for.
 */
START_TEST(test_upgrade_under_a_rotation)
{
    pthread_t thread;

    start_formerly("beneath");
    say(former, "BEGIN", "");
    say(former, "SELECT count(*) FROM (SELECT 1 FROM oas_grants FOR UPDATE) AS g", "0");
    say(former, "UPDATE oas_refresh_tokens SET generation = 1 WHERE false", "");
    ck_assert_int_eq(pthread_create(&thread, NULL, apply_newest, NULL), 0);
    until_someone_waits();
    say(former, "UPDATE oas_grants SET scope = scope WHERE false", "");
    say(former, "COMMIT", "");
    pthread_join(thread, NULL);
    ck_assert_int_eq(from, OAS_SCHEMA_VERSION - 1);
    PQfinish(former);
}
END_TEST

/* The files of the newest version, as they stand there. */
static const char *newest_files(void)
{
    FILE *files =
        popen(apr_psprintf(pool, "cat '%s'/%03d-*.sql", schema_files(), OAS_SCHEMA_VERSION), "r");
    const apr_size_t room = 1024 * 1024;
    char *text = apr_pcalloc(pool, room);
    apr_size_t length;

    ck_assert_ptr_nonnull(files);
    length = fread(text, 1, room - 1, files);
    ck_assert_int_eq(pclose(files), 0);
    ck_assert_uint_lt(length, room - 1);
    return text;
}

/* A rotation that has begun by the function of the version before, and waits there for the upgrade,
 * is answered. */
START_TEST(test_upgrade_before_a_rotation)
{
    PGconn *upgrader;
    PGresult *result;
    const char *call;

    start_formerly("before");
    call = live_until(40, "oas_refresh(");
    upgrader = PQconnectdb(schema_params("before", 1));
    cluster_sql(upgrader, "BEGIN");
    cluster_sql(upgrader, "LOCK TABLE oas_grants IN ACCESS EXCLUSIVE MODE");
    ck_assert_int_eq(PQsendQuery(former, call), 1);
    until_someone_waits();
    cluster_sql(upgrader, newest_files());
    cluster_sql(upgrader, "SELECT oas_schema_grant('oauth2as')");
    cluster_sql(upgrader, "COMMIT");
    result = PQgetResult(former);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(former));
    ck_assert_str_eq(PQgetvalue(result, 0, 0), "rotated");
    PQclear(result);
    PQfinish(upgrader);
    PQfinish(former);
}
END_TEST

START_TEST(test_rights_come_along)
{
    const char *rights =
        "SELECT has_table_privilege('oauth2as', 'oas_secrets', 'SELECT') || ' ' || "
        "has_table_privilege('oauth2as', 'oas_secrets', 'UPDATE') || ' ' || "
        "has_table_privilege('oauth2as', 'oas_users', 'UPDATE') || ' ' || "
        "has_column_privilege('oauth2as', 'oas_users', 'password_hash', 'UPDATE') "
        "|| ' ' || (SELECT string_agg(has_function_privilege('oauth2as', oid, "
        "'EXECUTE')::text, ' ') FROM pg_proc WHERE proname = 'oas_refresh_2' AND "
        "pronamespace = current_schema()::regnamespace)";

    start_at(2, "rights");
    PQfinish(former);
    cluster_sql(owner, "SET search_path = rights");
    upgrade("rights", 2);
    ck_assert_str_eq(cluster_sql(owner, rights), "true false false true true");
    /* whoever had no rights has none */
    cluster_sql(owner, "SET search_path = public");
    tool = schema_make("bare");
    apply(schema_files(), OAS_SCHEMA_VERSION);
    ck_assert_str_eq(cluster_sql(owner, "SELECT has_schema_privilege('oauth2as', 'bare', 'USAGE')"),
                     "f");
}
END_TEST

Suite *store_upgrade_suite(void)
{
    Suite *suite = suite_create("upgrade");
    TCase *tcase = db_case(suite, "upgrade");

    tcase_add_test(tcase, test_version_1_rows_are_kept);
    tcase_add_test(tcase, test_former_module_goes_on);
    tcase_add_test(tcase, test_versions_side_by_side);
    tcase_add_test(tcase, test_upgrade_under_a_rotation);
    tcase_add_test(tcase, test_upgrade_before_a_rotation);
    tcase_add_test(tcase, test_rights_come_along);
    return suite;
}
