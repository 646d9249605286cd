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
                                            apr_time_from_sec(60), NULL, &grant, NULL, NULL, pool),
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

/* ---- several ways to sign in that are one person ---- */

static oas_session_new_t way(const char *sub, const char *provider, const char *name,
                             const char *claims)
{
    oas_session_new_t in =
        strcmp(provider, "oauth2as") == 0 ? new_builtin_login(name) : new_login(sub);

    in.sub = sub;
    in.provider = provider;
    in.name = name;
    in.claims = claims;
    return in;
}

static apr_status_t come(const char *sub, const char *provider, const char *name,
                         const char *claims)
{
    oas_session_new_t in = way(sub, provider, name, claims);

    return oas_store_session_open(db, &in, &session, pool);
}

static const char *person(const char *sub)
{
    return cluster_sql(
        owner, apr_psprintf(pool,
                            "SELECT concat_ws(' ', provider, name, claims, builtin::text, (SELECT "
                            "string_agg(i.provider || '|' || i.name, ',' ORDER BY i.updated_at) "
                            "FROM oas_identities AS i WHERE i.sub = s.sub)) FROM oas_subjects AS s "
                            "WHERE s.sub = '%s'",
                            sub));
}

START_TEST(test_claims_of_one_person)
{
    ck_assert_int_eq(come("p:nora", "ldap", "nora", "{\"a\":1,\"b\":1}"), APR_SUCCESS);
    ck_assert_int_eq(come("p:nora", "ldap", "Nora", "{\"a\":2,\"b\":1}"), APR_SUCCESS);
    ck_assert_str_eq(person("p:nora"), "ldap Nora {\"a\": 2, \"b\": 1} false");
    ck_assert_int_eq(come("p:nora", "card", "CN=N", "{\"b\":2,\"c\":2}"), APR_SUCCESS);
    ck_assert_str_eq(person("p:nora"),
                     "card CN=N {\"a\": 2, \"b\": 2, \"c\": 2} false ldap|Nora,card|CN=N");
    /* what a way no longer says is gone, and a new name takes the place of the old one */
    ck_assert_int_eq(come("p:nora", "ldap", "nora.n", "{\"b\":3}"), APR_SUCCESS);
    ck_assert_str_eq(person("p:nora"),
                     "ldap nora.n {\"b\": 3, \"c\": 2} false card|CN=N,ldap|nora.n");
    ck_assert_int_eq(come("p:nora", "card", "CN=N", "{}"), APR_SUCCESS);
    ck_assert_str_eq(person("p:nora"), "card CN=N {\"b\": 3} false ldap|nora.n,card|CN=N");
    /* the same again writes nothing */
    cluster_sql(owner, "CREATE TEMP TABLE seen AS SELECT xmin::text AS x, updated_at FROM "
                       "oas_identities WHERE sub = 'p:nora'");
    ck_assert_int_eq(come("p:nora", "card", "CN=N", "{}"), APR_SUCCESS);
    ck_assert_str_eq(cluster_sql(owner,
                                 "SELECT count(*) FROM oas_identities AS i JOIN seen AS s ON "
                                 "s.x = i.xmin::text AND s.updated_at = i.updated_at"),
                     "2");
    cluster_sql(owner, "DROP TABLE seen");
    cluster_sql(owner, "DELETE FROM oas_subjects WHERE sub = 'p:nora'");
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM oas_identities WHERE sub = 'p:nora'"),
                     "0");
}
END_TEST

/* A family that a login began. */
static oas_password_grant_t family_of(const oas_session_new_t *in, const oas_refresh_first_t *first)
{
    oas_password_grant_t grant_in = password_grant(in->sub, first);

    grant_in.provider = in->provider;
    grant_in.name = in->name;
    grant_in.claims = in->claims;
    grant_in.proof = in->proof;
    return grant_in;
}

static int living(const char *sub)
{
    return atoi(cluster_sql(
        owner, apr_psprintf(pool,
                            "SELECT (SELECT count(*) FROM oas_sessions WHERE sub = '%s' AND "
                            "ended_at IS NULL) + (SELECT count(*) FROM oas_grants WHERE sub = '%s' "
                            "AND revoked_at IS NULL)",
                            sub, sub)));
}

/* A user of ours who came by card last; whatever ends a user ends all of that person. */
START_TEST(test_end_of_one_person)
{
    oas_db_t *tool = cluster_db(cluster_connect(pool, cluster_params(1), 0), NULL, NULL, pool);
    oas_session_new_t in;
    oas_password_grant_t grant_in;

    ck_assert_int_eq(oas_store_user_add(tool, "olga", "$y$hash", "{}", pool), APR_SUCCESS);
    in = way("p:olga", "oauth2as", "olga", "{\"email\":\"o@x\"}");
    grant_in = family_of(&in, NULL);
    ck_assert_int_eq(oas_store_password_grant(db, &grant_in, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(come("p:olga", "card", "CN=O", "{}"), APR_SUCCESS);
    ck_assert_str_eq(person("p:olga"),
                     "card CN=O {\"email\": \"o@x\"} true oauth2as|olga,card|CN=O");
    ck_assert_str_eq(cluster_sql(owner, "SELECT oas_subject_user_1('p:olga')"), "olga");
    ck_assert_int_eq(living("p:olga"), 2);
    ck_assert_int_eq(oas_store_user_passwd(tool, "olga", "$y$new", pool), APR_SUCCESS);
    ck_assert_int_eq(living("p:olga"), 0);

    ck_assert_int_eq(come("p:olga", "card", "CN=O", "{}"), APR_SUCCESS);
    ck_assert_int_eq(oas_store_user_lock(tool, "olga", 1, pool), APR_SUCCESS);
    ck_assert_int_eq(living("p:olga"), 0);
    ck_assert_str_eq(
        cluster_sql(owner, "SELECT lives FROM oas_subject_states WHERE sub = 'p:olga'"), "f");
    ck_assert_int_eq(come("p:olga", "card", "CN=O", "{}"), APR_ENOENT);
    ck_assert_int_eq(come("p:olga", "ldap", "olga", "{}"), APR_ENOENT);
    ck_assert_int_eq(oas_store_user_lock(tool, "olga", 0, pool), APR_SUCCESS);
    ck_assert_int_eq(come("p:olga", "card", "CN=O", "{}"), APR_SUCCESS);

    /* a user who is deleted is locked no more, and never again */
    cluster_sql(owner, "DELETE FROM oas_users WHERE name = 'olga'");
    ck_assert_str_eq(
        cluster_sql(owner, "SELECT lives FROM oas_subject_states WHERE sub = 'p:olga'"), "f");
    ck_assert_int_eq(come("p:olga", "card", "CN=O", "{}"), APR_SUCCESS);
    ck_assert_str_eq(person("p:olga"), "card CN=O {} false card|CN=O");
    ck_assert_str_eq(
        cluster_sql(owner, "SELECT lives FROM oas_subject_states WHERE sub = 'p:olga'"), "t");
}
END_TEST

START_TEST(test_who_is_asked_about)
{
#define ASKED(providers)                                                                           \
    cluster_sql(owner,                                                                             \
                "SELECT provider || ' ' || name FROM oas_subject_asked_1('p:pia', " providers ")")
    ck_assert_int_eq(come("p:pia", "ldap", "pia", "{}"), APR_SUCCESS);
    ck_assert_str_eq(ASKED("'file'"), "ldap pia");
    ck_assert_int_eq(come("p:pia", "card", "CN=P", "{}"), APR_SUCCESS);
    ck_assert_str_eq(ASKED("''"), "card CN=P");
    ck_assert_str_eq(ASKED("E'file\\nldap'"), "ldap pia");
    ck_assert_int_eq(come("p:pia", "file", "p", "{}"), APR_SUCCESS);
    ck_assert_str_eq(ASKED("E'file\\nldap'"), "file p");
    ck_assert_str_eq(ASKED("E'ldap\\nfile'"), "ldap pia");
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
    tcase_add_test(tcase, test_claims_of_one_person);
    tcase_add_test(tcase, test_end_of_one_person);
    tcase_add_test(tcase, test_who_is_asked_about);
    tcase_add_test(tcase, test_password_grant_forgives);
    return suite;
}
