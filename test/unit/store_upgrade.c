/* SPDX-License-Identifier: Apache-2.0 */
/* From former versions to this one with data, and modules of the version before on this schema. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../../lib/store/account.h"
#include "../../lib/store/schema.h"
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

/* What a module of version 2 prepares, and what it puts in. */
static const struct {
    const char *name, *sql;
} version_2[] = {
    {"open(uuid, bytea, text, text, text)",
     "SELECT session_id FROM oas_session_open_2($1, $2, $3, 'oauth2as', $4, '{\"email\": "
     "\"b@c.test\"}', 'pwd', NULL, 3600, 600, NULL, NULL, NULL, NULL, NULL, '{}', $5)"},
    {"load(uuid, bytea)",
     "SELECT s.sub || ' ' || s.amr FROM oas_sessions AS s JOIN oas_subjects AS p ON p.sub = s.sub "
     "LEFT JOIN oas_consents AS c ON c.sub = s.sub AND c.client_id = 'shop' AND c.live "
     "WHERE s.session_id = $1 AND s.secret_hash = $2 AND s.ended_at IS NULL"},
    {"finish(uuid, bytea)", "SELECT oas_session_end_1($1, $2)"},
    {"put(uuid, bytea, uuid)",
     "SELECT a.outcome || ' ' || a.sub FROM oas_grant_for_1($1, oas_code_put_2($1, $2, $3, "
     "'shop', 'openid offline_access', NULL, 'https://shop.example/cb', true, NULL, 'n-1', 60, "
     "300, 'allow', oas_epoch(clock_timestamp()) + 1, false)) AS a"},
    {"redeem(uuid, bytea, bytea)",
     "SELECT a.outcome || ' ' || a.nonce || ' ' || (a.refresh_expires > a.now) "
     "FROM oas_grant_for_1($1, oas_code_redeem_2($1, $2, 'shop', 'https://shop.example/cb', NULL, "
     "NULL, $1, $3, 600, 300, NULL)) AS a"},
    {"refresh(uuid, bytea, bytea)",
     "SELECT a.outcome || ' ' || a.name FROM oas_refresh_1($1, $2, 'shop', "
     "ARRAY['\\x0102030405060708'::bytea], ARRAY[$3], NULL, NULL, '{\"\": [\"openid\"]}', NULL, "
     "true, 10, 600, false, gen_random_uuid()) AS r, LATERAL oas_grant_for_1($1, r.outcome) AS a"},
    {"direct(uuid, text)",
     "SELECT a.outcome FROM oas_grant_for_1($1, oas_password_grant_1($1, 'shop', 'openid', NULL, "
     "'oauth2as|bob', 'oauth2as', 'bob', '{}', 'pwd', NULL, NULL, 300, NULL, NULL, '{}', $2)) AS "
     "a"},
    {"purge", "SELECT deleted >= 0 FROM oas_purge_1(10)"},
    {"ration", "SELECT ended FROM oas_limit_families_1(200, 10)"},
    {"withdraw", "SELECT oas_consent_withdraw_1('oauth2as|bob', 'shop', '')"},
};

static void prepare_version_2(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(version_2) / sizeof(version_2[0]); i++)
        cluster_sql(former,
                    apr_psprintf(pool, "PREPARE %s AS %s", version_2[i].name, version_2[i].sql));
}

#define BOB_PROOF "encode(sha256('$y$hash'), 'hex')"

/* One life of a session, as a module of version 2 sends it: `n` makes it different from others. */
static void live_version_2(int n)
{
    const char *id = apr_psprintf(pool, "'00000000-0000-0000-0000-0000000000%02d'", n);
    const char *hash = apr_psprintf(pool, "sha256('%d')", n);
    const struct {
        const char *call, *answer;
    } steps[] = {
        {apr_psprintf(pool, "open(%s, %s, 'oauth2as|bob', 'bob', " BOB_PROOF ")", id, hash),
         apr_psprintf(pool, "%.36s", id + 1)},
        {apr_psprintf(pool, "load(%s, %s)", id, hash), "oauth2as|bob pwd"},
        {apr_psprintf(pool, "put(%s, %s, %s)", id, hash, id), "put oauth2as|bob"},
        {apr_psprintf(pool, "redeem(%s, %s, sha256('first%d'))", id, hash, n), "done n-1 true"},
        {apr_psprintf(pool, "refresh(%s, sha256('first%d'), sha256('next%d'))", id, n, n),
         "rotated bob"},
        {apr_psprintf(pool, "direct(gen_random_uuid(), " BOB_PROOF ")"), "put"},
        {apr_psprintf(pool, "direct(gen_random_uuid(), 'wrong')"), "wrong"},
        {"purge", "t"},
        {"ration", "0"},
        {"withdraw", "t"},
        {apr_psprintf(pool, "finish(%s, %s)", id, hash), "t"},
        {apr_psprintf(pool, "load(%s, %s)", id, hash), ""},
    };
    apr_size_t i;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        ck_assert_str_eq(cluster_sql(former, apr_psprintf(pool, "EXECUTE %s", steps[i].call)),
                         steps[i].answer);
}

START_TEST(test_former_module_goes_on)
{
    const char *set = "SET search_path = older";

    start_at(2, "older");
    cluster_sql(owner, set);
    cluster_sql(owner, "INSERT INTO oas_users VALUES ('bob', '$y$hash', false, '{}')");
    prepare_version_2();
    live_version_2(10);
    upgrade("older", 2);
    live_version_2(20); /* on the connection that has it all prepared */
    PQfinish(former);
    former = PQconnectdb(schema_params("older", 0));
    prepare_version_2();
    live_version_2(30);
    ck_assert_str_eq(cluster_sql(owner, "SELECT oas_user_passwd_1('bob', '$y$new')"), "t");
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM oas_grants WHERE revoked_at IS NULL"),
                     "0");
    ck_assert_str_eq(cluster_sql(owner, "SELECT oas_user_lock_1('bob', true)"), "t");
    PQfinish(former);
}
END_TEST

/* Old and new servers share a session: whichever ends it, its applications are told. */
START_TEST(test_versions_side_by_side)
{
    oas_code_put_t code;
    oas_session_new_t login;
    oas_code_put_outcome_t outcome;
    oas_grant_t grant;
    oas_db_t *with;
    const char *id, *hash;

    start_at(2, "mixed");
    cluster_sql(owner, "SET search_path = mixed");
    cluster_sql(owner, "INSERT INTO oas_users VALUES ('bob', '$y$hash', false, '{}')");
    prepare_version_2();
    ck_assert_str_ne(cluster_sql(former, "EXECUTE open(" UUID_OF(1) ", " HASH_OF(
                                             1) ", "
                                                "'oauth2as|bob', 'bob', " BOB_PROOF ")"),
                     "");
    with = upgrade("mixed", 2);
    ck_assert_int_eq(load_session(with), APR_SUCCESS);
    ck_assert_str_eq(session.provider, "oauth2as");
    ck_assert_ptr_null(session.option);
    ck_assert_int_eq(session.persistent, 0);

    login = new_builtin_login("bob");
    login.option = "password";
    ck_assert_int_eq(oas_store_session_open(with, &login, &session, pool), APR_SUCCESS);
    code = new_code(&login);
    code.track = code.queue = 1;
    code.claims_request = "{}";
    ck_assert_int_eq(oas_store_code_put(with, &code, &outcome, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(outcome, OAS_CODE_PUT);
    id = oas_hex_encode(pool, login.session_id, OAS_ID_LEN);
    hash = oas_hex_encode(pool, login.secret_hash, OAS_SHA256_LEN);
    ck_assert_str_eq(
        cluster_sql(former, apr_psprintf(pool, "EXECUTE load('%s', '\\x%s')", id, hash)),
        "oauth2as|bob pwd");
    ck_assert_str_eq(
        cluster_sql(former, apr_psprintf(pool, "EXECUTE finish('%s', '\\x%s')", id, hash)), "t");
    ck_assert_str_eq(cluster_sql(owner, "SELECT client_id || ' ' || sub FROM oas_logouts"),
                     "shop oauth2as|bob");
    PQfinish(former);
}
END_TEST

START_TEST(test_rights_come_along)
{
    start_at(2, "rights");
    PQfinish(former);
    cluster_sql(owner, "SET search_path = rights");
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM pg_roles WHERE rolname = 'oauth2as' "
                                        "AND has_column_privilege(oid, 'oas_users', "
                                        "'password_hash', 'UPDATE')"),
                     "0");
    upgrade("rights", 2);
    ck_assert_str_eq(
        cluster_sql(owner, "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE NOT rolsuper AND "
                           "rolname !~ '^pg_' AND rolname <> current_user AND "
                           "has_column_privilege(oid, 'oas_users', 'password_hash', 'UPDATE')"),
        "oauth2as");
    ck_assert_str_eq(cluster_sql(owner, "SELECT has_table_privilege('oauth2as', 'oas_users', "
                                        "'UPDATE') OR has_table_privilege('oauth2as', "
                                        "'oas_secrets', 'UPDATE, INSERT, DELETE')"),
                     "f");
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
    tcase_add_test(tcase, test_rights_come_along);
    return suite;
}
