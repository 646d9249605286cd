/* SPDX-License-Identifier: Apache-2.0 */
/* Grants of somebody's password, and logins that come too late. */
#include <apr_strings.h>
#include "../../lib/store/throttle.h"
#include "../../lib/store/user.h"
#include "store_db.h"

static oas_session_t session;
static oas_grant_t grant;

static oas_password_grant_t password_grant(const char *sub, const oas_refresh_first_t *first)
{
    oas_password_grant_t in;

    memset(&in, 0, sizeof(in));
    fill_random(in.grant_id, OAS_ID_LEN);
    in.client_id = "shop";
    in.scope = "openid offline_access email";
    in.resource = "https://api.example/";
    in.sub = sub;
    in.provider = "file";
    in.name = "Alice";
    in.claims = "{\"email\":\"alice@example.test\"}";
    in.amr = "pwd";
    in.refresh = first;
    in.access_lifetime = apr_time_from_sec(300);
    return in;
}

START_TEST(test_password_grant)
{
    oas_refresh_first_t first = {.lifetime = apr_time_from_sec(600), .cnf = "thumb"};
    oas_password_grant_t in;

    fill_random(first.token_hash, OAS_SHA256_LEN);
    in = password_grant("file|ropc", &first);
    ck_assert_int_eq(oas_store_password_grant(db, &in, &grant, pool), APR_SUCCESS);
    ck_assert_str_eq(grant.sub, "file|ropc");
    ck_assert_str_eq(grant.resource, "https://api.example/");
    ck_assert_str_eq(grant.amr, "pwd");
    ck_assert_ptr_null(grant.sid);
    ck_assert_ptr_null(grant.nonce);
    ck_assert(grant.auth_time == grant.now || grant.auth_time == grant.now - 1);
    ck_assert_int_eq(grant.offline, 1);
    ck_assert_ptr_nonnull(json_object_get(grant.claims, "email"));
    ck_assert_int_eq(oas_store_grant_load(db, in.grant_id, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_refresh_load(db, in.grant_id, first.token_hash,
                                            apr_time_from_sec(60), &grant, NULL, NULL, pool),
                     APR_SUCCESS);
    /* a repetition finds its own commit, another client's does not */
    ck_assert_int_eq(oas_store_password_grant(db, &in, &grant, pool), APR_SUCCESS);
    ck_assert_str_eq(grant.sub, "file|ropc");
    in.client_id = "other";
    ck_assert_int_eq(oas_store_password_grant(db, &in, &grant, pool), APR_EEXIST);

    in = password_grant("file|ropc", NULL);
    ck_assert_int_eq(oas_store_password_grant(db, &in, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(grant.offline, 0);
    ck_assert_str_eq(oas_words_join(grant.scopes, pool), "openid email");
}
END_TEST

/* A password was right when it was checked: the login that comes of it comes too late. */
static void refuse_login(const char *name)
{
    const char *sub = apr_pstrcat(pool, "oauth2as|", name, NULL);
    oas_password_grant_t in = password_grant(sub, NULL);
    oas_session_new_t login = new_builtin_login(name);
    const char *before = apr_pstrdup(pool, cluster_sql(owner, "SELECT count(*) FROM oas_subjects"));

    in.provider = login.provider;
    in.name = name;
    in.proof = login.proof;
    ck_assert_int_eq(oas_store_session_open(db, &login, &session, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_password_grant(db, &in, &grant, pool), APR_ENOENT);
    ck_assert_str_eq(
        cluster_sql(owner, apr_psprintf(pool,
                                        "SELECT (SELECT count(*) FROM oas_sessions WHERE sub = "
                                        "'%s' AND ended_at IS NULL) + (SELECT count(*) FROM "
                                        "oas_grants WHERE sub = '%s' AND revoked_at IS NULL)",
                                        sub, sub)),
        "0");
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM oas_subjects"), before);
    /* another provider's user of that name is somebody else */
    in.provider = login.provider = "file";
    in.sub = login.sub = apr_pstrcat(pool, "file|", name, NULL);
    in.proof = login.proof = NULL;
    ck_assert_int_eq(oas_store_session_open(db, &login, &session, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_password_grant(db, &in, &grant, pool), APR_SUCCESS);
}

START_TEST(test_login_that_was_overtaken)
{
    static const char *const names[] = {"helga", "ingo", "jana", "kuno", "lisa"};
    oas_db_t *tool = cluster_db(cluster_connect(pool, cluster_params(1), 0), NULL, NULL, pool);
    oas_session_new_t login;
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_int_eq(oas_store_user_add(tool, names[i], "$y$hash", "{}", pool), APR_SUCCESS);
    login = new_builtin_login("helga"); /* who has signed in before; the others have not */
    ck_assert_int_eq(oas_store_session_open(db, &login, &session, pool), APR_SUCCESS);
    for (i = 0; i < 2; i++)
        ck_assert_int_eq(oas_store_user_passwd(tool, names[i], "$y$new", pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_user_lock(tool, names[2], 1, pool), APR_SUCCESS);
    cluster_sql(owner, "DELETE FROM oas_users WHERE name = 'kuno'");
    for (i = 0; i < 4; i++)
        refuse_login(names[i]);
    login = new_builtin_login("lisa");
    login.proof = NULL;
    ck_assert_int_eq(oas_store_session_open(db, &login, &session, pool), APR_ENOENT);
    login.proof = proof_of("$y$hash");
    ck_assert_int_eq(oas_store_session_open(db, &login, &session, pool), APR_SUCCESS);
    /* sent again after the change, its own session is not opened again */
    ck_assert_int_eq(oas_store_user_passwd(tool, "lisa", "$y$new", pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_session_open(db, &login, &session, pool), APR_ENOENT);
}
END_TEST

START_TEST(test_password_grant_forgives)
{
    oas_password_grant_t in = password_grant("file|tried", NULL);
    oas_throttle_attempt_t attempt = three_failures();
    int i;

    attempt.forgets = 1;
    in.attempt = &attempt;
    for (i = 0; i < 2; i++)
        ck_assert_int_eq(oas_store_password_grant(db, &in, &grant, pool), APR_SUCCESS);
    ck_assert_str_eq(failures_left(&attempt), "2,2");
}
END_TEST

Suite *store_login_suite(void)
{
    Suite *suite = suite_create("login");
    TCase *tcase = db_case(suite, "login");

    tcase_add_test(tcase, test_password_grant);
    tcase_add_test(tcase, test_login_that_was_overtaken);
    tcase_add_test(tcase, test_password_grant_forgives);
    return suite;
}
