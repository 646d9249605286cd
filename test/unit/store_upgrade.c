/* SPDX-License-Identifier: Apache-2.0 */
/* From version 1 to 2 with data, and modules of version 1 on a schema of version 2. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include "../../lib/store/schema.h"
#include "store_db.h"

static oas_db_t *tool;
static PGconn *former; /* a module of version 1, with the rights it has */
static int from, to;
static const char *why;

static const char *shipped(void)
{
    const char *source = getenv("srcdir");

    return apr_pstrcat(pool, source ? source : ".", "/schema", NULL);
}

static const char *params_for(const char *schema, int of_owner)
{
    return apr_psprintf(pool, "%s options='-c search_path=%s'", cluster_params(of_owner), schema);
}

static void apply(const char *dir, int expected)
{
    ck_assert_msg(oas_schema_apply(tool, dir, TEST_ISSUER, &from, &to, &why, pool) == APR_SUCCESS,
                  "%s", why);
    ck_assert_int_eq(to, expected);
}

/* An empty schema with the first file alone applied to it. */
static void start_at_version_1(const char *schema)
{
    char dir[] = "/tmp/oas-schema.XXXXXX";
    const char *copy;

    cluster_sql(owner, apr_psprintf(pool, "CREATE SCHEMA %s", schema));
    tool = cluster_db(cluster_connect(pool, params_for(schema, 1), 0), NULL, NULL, pool);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    copy = apr_pstrcat(pool, dir, "/001-base.sql", NULL);
    ck_assert_int_eq(apr_file_copy(apr_pstrcat(pool, shipped(), "/001-base.sql", NULL), copy,
                                   APR_FPROT_OS_DEFAULT, pool),
                     APR_SUCCESS);
    apply(dir, 1);
    ck_assert_int_eq(oas_schema_grant(tool, "oauth2as", &why, pool), APR_SUCCESS);
    unlink(copy);
    rmdir(dir);
    former = PQconnectdb(params_for(schema, 0));
    ck_assert_int_eq(PQstatus(former), CONNECTION_OK);
}

static void upgrade(void)
{
    apply(shipped(), OAS_SCHEMA_VERSION);
    ck_assert_int_eq(from, 1);
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

START_TEST(test_rows_are_kept)
{
    unsigned char grant_id[OAS_ID_LEN] = {0};
    oas_refresh_first_t first = {.lifetime = apr_time_from_sec(600)};
    oas_code_redeem_t in;
    oas_redeem_outcome_t outcome;
    oas_session_t session;
    oas_grant_t grant;
    oas_db_t *with;

    start_at_version_1("upgraded");
    ck_assert_str_eq(old_login(), "00000000-0000-0000-0000-000000000001");
    ck_assert_str_eq(cluster_sql(former, OLD_PUT(2)), "put");
    ck_assert_str_eq(cluster_sql(former, OLD_REDEEM(2)), "done file|alice n-1");
    ck_assert_str_eq(cluster_sql(former, OLD_PUT(3)), "put");
    upgrade();
    ck_assert_int_eq(oas_schema_grant(tool, "oauth2as", &why, pool), APR_SUCCESS);

    with = cluster_db(cluster_connect(pool, params_for("upgraded", 0), 0), TEST_ISSUER, NULL, pool);
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
    grant_id[15] = 1;
    oas_sha256("1", 1, in.code_hash);
    ck_assert_int_eq(oas_store_session_load(with, grant_id, in.code_hash, "shop", "",
                                            apr_time_from_sec(600), &session, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(oas_words_join(session.consented, pool), "offline_access openid");
    PQfinish(former);
}
END_TEST

START_TEST(test_former_module_goes_on)
{
    start_at_version_1("older");
    ck_assert_str_eq(old_login(), "00000000-0000-0000-0000-000000000001");
    ck_assert_str_eq(cluster_sql(former, OLD_PUT(2)), "put");
    upgrade(); /* and the rights are as they were: --grant-to comes later */
    ck_assert_str_eq(cluster_sql(former, OLD_REDEEM(2)), "done file|alice n-1");
    ck_assert_str_eq(cluster_sql(former, OLD_PUT(3)), "put");
    ck_assert_str_eq(cluster_sql(former, OLD_REDEEM(3)), "done file|alice n-1");
    ck_assert_str_eq(old_login(), "00000000-0000-0000-0000-000000000001");
    ck_assert_str_eq(cluster_sql(former, "SELECT sub FROM oas_grant_live_1(" UUID_OF(3) ")"),
                     "file|alice");
    ck_assert_str_eq(
        cluster_sql(former, "SELECT oas_throttle_attempt_1(ARRAY[" HASH_OF(1) "], '{5}', 900)"),
        "0");
    cluster_sql(former, "SELECT oas_throttle_forgive_1(ARRAY[" HASH_OF(1) "])");
    ck_assert_str_eq(cluster_sql(former, "SELECT oas_consent_withdraw_1('file|alice', 'shop', '')"),
                     "t");
    ck_assert_str_eq(cluster_sql(former, "SELECT sub FROM oas_grant_live_1(" UUID_OF(3) ")"), "");
    ck_assert_str_eq(cluster_sql(former, "UPDATE oas_sessions SET ended_at = clock_timestamp() "
                                         "WHERE session_id = " UUID_OF(1) " RETURNING 1"),
                     "1");
    PQfinish(former);
}
END_TEST

Suite *store_upgrade_suite(void)
{
    Suite *suite = suite_create("upgrade");
    TCase *tcase = db_case(suite, "upgrade");

    tcase_add_test(tcase, test_rows_are_kept);
    tcase_add_test(tcase, test_former_module_goes_on);
    return suite;
}
