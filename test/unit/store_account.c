/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody sees and ends on the account page; the password changed by its owner; what a
 * session remembers. */
#include <apr_strings.h>
#include <stdlib.h>
#include "../../lib/store/account.h"
#include "../../lib/store/consent.h"
#include "../../lib/store/pairwise.h"
#include "../../lib/store/user.h"
#include "store_db.h"

static oas_session_t session;
static oas_grant_t grant;

static apr_status_t load(const oas_session_new_t *in)
{
    return oas_store_session_load(db, in->session_id, in->secret_hash, "", "",
                                  apr_time_from_sec(600), &session, pool);
}

START_TEST(test_session_remembers_how)
{
    oas_session_new_t in = new_login("kerberos|how"), again;
    oas_code_put_t code;

    in.provider = "kerberos";
    in.option = "kerberos";
    in.persistent = 1;
    in.auth_time = now() - 1000;
    ck_assert_int_eq(oas_store_session_open(db, &in, &session, pool), APR_SUCCESS);
    ck_assert_int_eq(session.auth_time, in.auth_time);
    ck_assert_str_eq(session.option, "kerberos");
    ck_assert_int_eq(load(&in), APR_SUCCESS);
    ck_assert_int_eq(session.auth_time, in.auth_time);
    ck_assert_str_eq(session.provider, "kerberos");
    ck_assert_str_eq(session.option, "kerberos");
    ck_assert_int_eq(session.persistent, 1);
    ck_assert_ptr_null(session.consented);

    /* it continues by another option, and nobody knows since when */
    again = new_login("kerberos|how");
    again.provider = "kerberos";
    again.option = "sso";
    again.amr = NULL;
    again.auth_time = 0;
    again.old_session_id = in.session_id;
    again.old_secret_hash = in.secret_hash;
    ck_assert_int_eq(oas_store_session_open(db, &again, &session, pool), APR_SUCCESS);
    memcpy(again.session_id, in.session_id, OAS_ID_LEN);
    ck_assert_int_eq(load(&again), APR_SUCCESS);
    ck_assert_int_eq(session.auth_time, 0);
    ck_assert_str_eq(session.option, "sso");
    ck_assert_ptr_null(session.amr);
    ck_assert_int_eq(session.persistent, 0);
    code = new_code(&again);
    code.activate = 1;
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(grant.auth_time, 0);
    ck_assert_ptr_null(grant.amr);
}
END_TEST

START_TEST(test_auth_time_is_never_ahead)
{
    oas_session_new_t in = new_login("file|ahead");

    in.auth_time = now() + 1000;
    ck_assert_int_eq(oas_store_session_open(db, &in, &session, pool), APR_SUCCESS);
    ck_assert(session.auth_time <= now() && session.auth_time >= now() - 5);
    ck_assert_ptr_null(session.option);
}
END_TEST

START_TEST(test_claims_request_stays_with_the_grant)
{
    oas_session_new_t login = open_session("file|asked", &session);
    oas_code_put_t code = new_code(&login);
    oas_refresh_child_t child;
    oas_refresh_result_t result;
    oas_code_put_outcome_t outcome;
    oas_refresh_t family;

    code.claims_request = "{\"userinfo\": {\"email\": {\"essential\": true}}}";
    new_children(&child, 1);
    family = start_family_bound(&code, &child, 1, NULL, &grant);
    ck_assert_ptr_nonnull(json_object_get(grant.claims_request, "userinfo"));
    ck_assert_int_eq(oas_store_refresh(db, &family, &result, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(result.outcome, OAS_REFRESH_ROTATED);
    ck_assert_ptr_nonnull(json_object_get(grant.claims_request, "userinfo"));
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &grant, pool), APR_SUCCESS);
    ck_assert_ptr_nonnull(json_object_get(grant.claims_request, "userinfo"));

    code = new_code(&login);
    ck_assert_int_eq(oas_store_code_put(db, &code, &outcome, &grant, pool), APR_SUCCESS);
    ck_assert_ptr_null(grant.claims_request);
    code = new_code(&login);
    code.claims_request = "[";
    ck_assert_int_eq(oas_store_code_put(db, &code, &outcome, &grant, pool), APR_EINVAL);
}
END_TEST

/* What may be known of a claim by itself is asked for and remembered, and is no scope of the grant.
 */
/* "PREFIX0 PREFIX1 ..." */
static const char *many_words(const char *prefix, int count)
{
    apr_array_header_t *words = apr_array_make(pool, count, sizeof(const char *));
    int i;

    for (i = 0; i < count; i++)
        APR_ARRAY_PUSH(words, const char *) = apr_psprintf(pool, "%s%d", prefix, i);
    return apr_array_pstrcat(pool, words, ' ');
}

static apr_array_header_t *access_of(const char *sub, int skip, int more)
{
    apr_array_header_t *list;
    int is_more;

    ck_assert_int_eq(oas_store_access_list(db, sub, skip, &list, &is_more, pool), APR_SUCCESS);
    ck_assert_int_eq(is_more, more);
    return list;
}

START_TEST(test_many_permissions_stay_readable)
{
    oas_session_new_t login = open_session("file|many", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_put_outcome_t outcome;
    apr_array_header_t *list;
    const char *const prefixes[] = {"read", "write"};
    int i;

    code.consent = OAS_CONSENT_ALLOW;
    code.activate = 1;
    for (i = 0; i < 2; i++) {
        fill_random(code.grant_id, OAS_ID_LEN);
        code.form_started = now();
        code.scope = many_words(prefixes[i], 120);
        ck_assert_int_eq(oas_store_code_put(db, &code, &outcome, &grant, pool), APR_SUCCESS);
        ck_assert_int_eq(outcome, OAS_CODE_PUT);
        ck_assert_int_eq(grant.scopes->nelts, 120);
    }
    ck_assert_int_eq(oas_store_session_load(db, login.session_id, login.secret_hash, code.client_id,
                                            "", apr_time_from_sec(600), &session, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(session.consented->nelts, 240);
    list = access_of("file|many", 0, 0);
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, oas_access_row_t).scopes->nelts, 240);
    ck_assert_int_eq(oas_store_access_withdraw(db, "file|many", code.client_id, pool), APR_SUCCESS);
}
END_TEST

START_TEST(test_permissions_are_consented)
{
    oas_session_new_t login = open_session("file|permitted", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_put_outcome_t outcome;

    code.consent = OAS_CONSENT_ALLOW;
    code.scope = "openid";
    code.claims_request = "{\"userinfo\": [\"email\"]}";
    code.permissions = "openid claim:email";
    ck_assert_int_eq(oas_store_code_put(db, &code, &outcome, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(outcome, OAS_CODE_PUT);
    ck_assert_str_eq(oas_words_join(grant.scopes, pool), "openid");
    ck_assert_int_eq(oas_store_session_load(db, login.session_id, login.secret_hash, code.client_id,
                                            code.resource, apr_time_from_sec(600), &session, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(session.consented->nelts, 2);
    ck_assert(oas_words_has(session.consented, "claim:email"));

    login = open_session("file|permitted", &session);
    code = new_code(&login);
    code.consent = OAS_CONSENT_REQUIRE;
    code.scope = "openid";
    code.claims_request = "{\"userinfo\": [\"name\"]}";
    code.permissions = "openid claim:name";
    ck_assert_int_eq(oas_store_code_put(db, &code, &outcome, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(outcome, OAS_CODE_CONSENT_GONE);
    code.permissions = "openid claim:email";
    ck_assert_int_eq(oas_store_code_put(db, &code, &outcome, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(outcome, OAS_CODE_PUT);
    ck_assert_str_eq(oas_words_join(grant.scopes, pool), "openid");
}
END_TEST

static apr_array_header_t *part_of(const char *sub, int skip, int more)
{
    apr_array_header_t *list;
    int is_more;

    ck_assert_int_eq(oas_store_sessions_list(db, sub, skip, &list, &is_more, pool), APR_SUCCESS);
    ck_assert_int_eq(is_more, more);
    return list;
}

static apr_array_header_t *list_of(const char *sub)
{
    return part_of(sub, 0, 0);
}

static const oas_session_row_t *row_at(const apr_array_header_t *list, int i)
{
    ck_assert_int_lt(i, list->nelts);
    return &APR_ARRAY_IDX(list, i, oas_session_row_t);
}

/* Three live sessions of a subject; one that has expired, one that has ended. */
static void sessions_of(const char *sub, oas_session_new_t *login)
{
    oas_session_new_t over;
    int i;

    for (i = 0; i < 3; i++) {
        login[i] = new_login(sub);
        login[i].address = apr_psprintf(pool, "192.0.2.%d", i);
        login[i].user_agent = "Mozilla/5.0";
        login[i].persistent = i == 2;
        ck_assert_int_eq(oas_store_session_open(db, &login[i], &session, pool), APR_SUCCESS);
    }
    over = open_session(sub, &session);
    cluster_sql(owner, apr_psprintf(pool,
                                    "UPDATE oas_sessions SET expires_at = clock_timestamp() WHERE "
                                    "session_id = '%s'",
                                    oas_hex_encode(pool, over.session_id, OAS_ID_LEN)));
    over = open_session(sub, &session);
    ck_assert_int_eq(oas_store_session_end(db, over.session_id, over.secret_hash, pool),
                     APR_SUCCESS);
    open_session("file|stranger", &session);
}

START_TEST(test_sessions_are_listed)
{
    oas_session_new_t login[3];
    apr_array_header_t *list;

    sessions_of("file|lists", login);
    list = list_of("file|lists");
    ck_assert_int_eq(list->nelts, 3);
    ck_assert_str_eq(row_at(list, 0)->address, "192.0.2.2");
    ck_assert_str_eq(row_at(list, 2)->address, "192.0.2.0");
    ck_assert_str_eq(row_at(list, 0)->user_agent, "Mozilla/5.0");
    ck_assert_str_eq(row_at(list, 0)->id,
                     oas_base64url_encode(pool, login[2].session_id, OAS_ID_LEN));
    ck_assert_int_eq(row_at(list, 0)->persistent, 1);
    ck_assert_int_eq(row_at(list, 1)->persistent, 0);
    ck_assert(row_at(list, 0)->created >= now() - 5 && row_at(list, 0)->created <= now());
    ck_assert_int_eq(row_at(list, 0)->created, row_at(list, 0)->auth_time);
    ck_assert_int_eq(list_of("file|nobody")->nelts, 0);
}
END_TEST

START_TEST(test_one_session_is_ended)
{
    oas_session_new_t login[3];

    sessions_of("file|ends", login);
    ck_assert_int_eq(oas_store_session_end_own(db, "file|stranger", login[1].session_id, pool),
                     APR_ENOENT);
    ck_assert_int_eq(oas_store_session_end_own(db, "file|ends", login[1].session_id, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_store_session_end_own(db, "file|ends", login[1].session_id, pool),
                     APR_ENOENT);
    ck_assert_int_eq(load(&login[0]), APR_SUCCESS);
    ck_assert_int_eq(load(&login[1]), APR_ENOENT);
    /* an administrator */
    ck_assert_int_eq(oas_store_session_end_own(db, NULL, login[0].session_id, pool), APR_SUCCESS);
    ck_assert_int_eq(list_of("file|ends")->nelts, 1);
}
END_TEST

START_TEST(test_other_sessions_are_ended)
{
    oas_session_new_t login[3];
    oas_code_put_t front;
    int ended;

    sessions_of("file|others", login);
    front = new_code(&login[0]);
    front.with_code = 0;
    front.activate = 1;
    ck_assert_int_eq(put_code(&front), OAS_CODE_PUT);
    ck_assert_int_eq(
        oas_store_sessions_end_others(db, "file|others", login[1].session_id, &ended, pool),
        APR_SUCCESS);
    ck_assert_int_eq(ended, 2);
    ck_assert_int_eq(list_of("file|others")->nelts, 1);
    ck_assert_int_eq(load(&login[1]), APR_SUCCESS);
    ck_assert_int_eq(list_of("file|stranger")->nelts > 0, 1);
    ck_assert_str_eq(cell_of_grant("revoked_reason", "oas_grants", front.grant_id),
                     "session ended");
    ck_assert_int_eq(
        oas_store_sessions_end_others(db, "file|others", login[1].session_id, &ended, pool),
        APR_SUCCESS);
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(oas_store_sessions_end_others(db, "file|nobody", NULL, &ended, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(ended, 0);
}
END_TEST

/* "client resource scopes offline" of a row. */
static const char *access_at(const apr_array_header_t *list, int i)
{
    const oas_access_row_t *row;

    ck_assert_int_lt(i, list->nelts);
    row = &APR_ARRAY_IDX(list, i, oas_access_row_t);
    ck_assert(row->since >= now() - 5 && row->since <= now());
    return apr_psprintf(pool, "%s %s %s%s%s", row->client_id, row->resource ? row->resource : "-",
                        oas_words_join(row->scopes, pool), row->offline ? " (offline)" : "",
                        row->last_used ? " (used)" : "");
}

static void allow(const oas_session_new_t *login, const char *client, const char *resource,
                  const char *scope)
{
    oas_code_put_t code = new_code(login);

    code.client_id = client;
    code.resource = resource;
    code.scope = scope;
    code.consent = OAS_CONSENT_ALLOW;
    code.form_started = now();
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
}

/* A live grant without a consent, and without a family when `family` is 0. */
static oas_code_put_t use(const oas_session_new_t *login, const char *client, const char *scope,
                          int family)
{
    oas_refresh_child_t child;
    oas_code_put_t code = new_code(login);

    code.client_id = client;
    code.scope = scope;
    new_children(&child, 1);
    if (family) {
        start_family_bound(&code, &child, 1, NULL, &grant);
    } else {
        code.activate = 1;
        code.with_code = 0;
        ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    }
    return code;
}

START_TEST(test_access_is_listed)
{
    oas_session_new_t login = open_session("file|access", &session);
    apr_array_header_t *list;
    oas_code_put_t code;

    ck_assert_int_eq(access_of("file|access", 0, 0)->nelts, 0);
    allow(&login, "mail", "https://api/", "openid read");
    allow(&login, "mail", NULL, "openid");
    use(&login, "mail", "openid", 1);
    use(&login, "own", "openid profile", 0);
    use(&login, "own", "openid email", 0);
    use(&login, "shop", "openid", 1);
    code = new_code(&login); /* put, and never redeemed */
    code.client_id = "idle";
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    allow(&login, "left", NULL, "openid");
    ck_assert_int_eq(oas_store_consent_withdraw(db, "file|access", "left", NULL, pool),
                     APR_SUCCESS);

    list = access_of("file|access", 0, 0);
    ck_assert_int_eq(list->nelts, 4);
    ck_assert_str_eq(access_at(list, 0), "mail - openid (offline) (used)");
    ck_assert_str_eq(access_at(list, 1), "mail https://api/ openid read");
    ck_assert_str_eq(access_at(list, 2), "own - email openid profile (used)");
    ck_assert_str_eq(access_at(list, 3), "shop - offline_access openid (offline) (used)");

    /* what was issued without a family has expired; the family has not */
    cluster_sql(owner,
                "UPDATE oas_grants SET purge_after = clock_timestamp() + interval '23 hours' "
                "WHERE sub = 'file|access'");
    list = access_of("file|access", 0, 0);
    ck_assert_int_eq(list->nelts, 3);
    ck_assert_str_eq(access_at(list, 2), "shop - offline_access openid (offline) (used)");
    cluster_sql(owner, "UPDATE oas_grants SET refresh_expires_at = clock_timestamp() "
                       "WHERE sub = 'file|access'");
    list = access_of("file|access", 0, 0);
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(access_at(list, 0), "mail - openid");
}
END_TEST

START_TEST(test_access_is_withdrawn)
{
    oas_session_new_t login = open_session("file|withdraws", &session);
    oas_code_put_t code;

    allow(&login, "mail", "https://api/", "openid read");
    allow(&login, "mail", NULL, "openid");
    code = use(&login, "mail", "openid", 1);
    use(&login, "shop", "openid", 0);
    ck_assert_int_eq(oas_store_access_withdraw(db, "file|stranger", "mail", pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_access_withdraw(db, "file|withdraws", "mail", pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_access_withdraw(db, "file|withdraws", "mail", pool), APR_ENOENT);
    ck_assert_str_eq(cell_of_grant("revoked_reason", "oas_grants", code.grant_id),
                     "consent withdrawn");
    ck_assert_int_eq(access_of("file|withdraws", 0, 0)->nelts, 1);
    /* a first-party application that never asked */
    ck_assert_int_eq(oas_store_access_withdraw(db, "file|withdraws", "shop", pool), APR_SUCCESS);
    ck_assert_int_eq(access_of("file|withdraws", 0, 0)->nelts, 0);
    /* and an older form revives nothing */
    code = new_code(&login);
    code.client_id = "mail";
    code.consent = OAS_CONSENT_ALLOW;
    code.form_started = now() - 5;
    ck_assert_int_eq(put_code(&code), OAS_CODE_CONSENT_GONE);
}
END_TEST

/* A user of the built-in provider, the password hash is "$y$hash", with so many sessions. */
static void user_with_sessions(const char *name, oas_session_new_t *login, int n)
{
    cluster_sql(
        owner,
        apr_psprintf(pool, "INSERT INTO oas_users VALUES ('%s', '$y$hash', false, '{}')", name));
    for (; n > 0; n--, login++) {
        *login = new_builtin_login(name);
        ck_assert_int_eq(oas_store_session_open(db, login, &session, pool), APR_SUCCESS);
    }
}

START_TEST(test_owner_changes_the_password)
{
    oas_session_new_t login[2], late;
    oas_code_put_t code;

    user_with_sessions("nora", login, 2);
    code = new_code(&login[0]);
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    ck_assert_int_eq(oas_store_user_change(db, "nora", proof_of("$y$wrong"), "$y$new",
                                           login[0].session_id, pool),
                     APR_ENOENT);
    ck_assert_int_eq(
        oas_store_user_change(db, "nora", proof_of("$y$hash"), "$y$new", login[0].session_id, pool),
        APR_SUCCESS);
    ck_assert_int_eq(load(&login[0]), APR_SUCCESS);
    ck_assert_int_eq(load(&login[1]), APR_ENOENT);
    ck_assert_str_eq(cell_of_grant("revoked_reason", "oas_grants", code.grant_id),
                     "password changed");
    ck_assert_str_eq(cluster_sql(owner, "SELECT password_hash || (password_changed > created_at) "
                                        "FROM oas_users WHERE name = 'nora'"),
                     "$y$newtrue");
    /* sent again it is done; with the old password it is too late */
    ck_assert_int_eq(
        oas_store_user_change(db, "nora", proof_of("$y$hash"), "$y$new", login[0].session_id, pool),
        APR_SUCCESS);
    ck_assert_int_eq(oas_store_user_change(db, "nora", proof_of("$y$hash"), "$y$newer", NULL, pool),
                     APR_ENOENT);
    late = new_builtin_login("nora");
    ck_assert_int_eq(oas_store_session_open(db, &late, &session, pool), APR_ENOENT);
    cluster_sql(owner, "UPDATE oas_users SET locked = true WHERE name = 'nora'");
    ck_assert_int_eq(oas_store_user_change(db, "nora", proof_of("$y$new"), "$y$newer", NULL, pool),
                     APR_ENOENT);
}
END_TEST

START_TEST(test_rehash_ends_nothing)
{
    oas_session_new_t login[1], late;

    user_with_sessions("olaf", login, 1);
    ck_assert_int_eq(oas_store_user_rehash(db, "olaf", proof_of("$y$wrong"), "$y$more", pool),
                     APR_ENOENT);
    ck_assert_int_eq(oas_store_user_rehash(db, "olaf", proof_of("$y$hash"), "$y$more", pool),
                     APR_SUCCESS);
    ck_assert_int_eq(load(&login[0]), APR_SUCCESS);
    ck_assert_str_eq(cluster_sql(owner, "SELECT password_hash || (password_changed - created_at < "
                                        "interval '1 ms') FROM oas_users WHERE name = 'olaf'"),
                     "$y$moretrue");
    /* two logins at once: the second one was checked against the hash before */
    late = new_builtin_login("olaf");
    ck_assert_int_eq(oas_store_session_open(db, &late, &session, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_user_rehash(db, "olaf", proof_of("$y$hash"), "$y$again", pool),
                     APR_ENOENT);
    late = new_builtin_login("olaf");
    late.proof = proof_of("$y$more");
    ck_assert_int_eq(oas_store_session_open(db, &late, &session, pool), APR_SUCCESS);
    /* but no longer than that password is there, whoever changed it */
    cluster_sql(owner, "UPDATE oas_users SET password_hash = '$y$other' WHERE name = 'olaf'");
    late = new_builtin_login("olaf");
    ck_assert_int_eq(oas_store_session_open(db, &late, &session, pool), APR_ENOENT);
    late.proof = proof_of("$y$more");
    ck_assert_int_eq(oas_store_session_open(db, &late, &session, pool), APR_ENOENT);
}
END_TEST

START_TEST(test_salt_stays)
{
    unsigned char first[OAS_SALT_LEN] = {0}, again[OAS_SALT_LEN] = {0};
    static const unsigned char zero[OAS_SALT_LEN];

    ck_assert_int_eq(oas_store_pairwise_salt(db, first, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_pairwise_salt(db, again, pool), APR_SUCCESS);
    ck_assert_mem_eq(first, again, sizeof(first));
    ck_assert_mem_ne(first, zero, sizeof(first));
}
END_TEST

/* 250 sessions and, of 150 applications, two APIs each: in parts none is missing, none comes twice.
 */
START_TEST(test_lists_come_in_parts)
{
    oas_session_new_t login = open_session("file|busy", &session);
    int ended;

    cluster_sql(owner,
                "INSERT INTO oas_sessions (session_id, secret_hash, sub, auth_time, amr, "
                "created_at, expires_at, idle_until, "
                "purge_after, last_used) SELECT gen_random_uuid(), sha256(i::text::bytea), "
                "'file|busy', now(), '', now(), "
                "now() + '1 h', now() + '1 h', now() + '1 h', now() - make_interval(secs => i) "
                "FROM generate_series(1, 249) AS i");
    cluster_sql(
        owner,
        "INSERT INTO oas_consents (sub, client_id, resource, scopes, granted_at, live) SELECT "
        "'file|busy', 'app' || to_char(i / 2, 'FM000'), 'https://api' || i % 2, '{read}', now(), "
        "true "
        "FROM generate_series(0, 299) AS i");
    ck_assert_int_eq(part_of("file|busy", 0, 1)->nelts, 100);
    ck_assert_int_eq(part_of("file|busy", 100, 1)->nelts, 100);
    ck_assert_int_eq(part_of("file|busy", 150, 0)->nelts, 100);
    ck_assert_int_eq(part_of("file|busy", 200, 0)->nelts, 50);
    ck_assert_int_eq(part_of("file|busy", 250, 0)->nelts, 0);
    ck_assert_str_ne(row_at(part_of("file|busy", 0, 1), 99)->id,
                     row_at(part_of("file|busy", 100, 1), 0)->id);
    ck_assert_int_eq(access_of("file|busy", 0, 1)->nelts, 200);
    ck_assert_int_eq(access_of("file|busy", 50, 0)->nelts, 200);
    ck_assert_int_eq(access_of("file|busy", 100, 0)->nelts, 100);
    ck_assert_str_eq(APR_ARRAY_IDX(access_of("file|busy", 100, 0), 0, oas_access_row_t).client_id,
                     "app100");
    ck_assert_int_eq(access_of("file|busy", 150, 0)->nelts, 0);
    ck_assert_int_eq(oas_store_sessions_end_others(db, "file|busy", login.session_id, &ended, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(ended, 249);
    ck_assert_int_eq(list_of("file|busy")->nelts, 1);
}
END_TEST

Suite *store_account_suite(void)
{
    Suite *suite = suite_create("account");
    TCase *tcase = db_case(suite, "account");

    tcase_add_test(tcase, test_session_remembers_how);
    tcase_add_test(tcase, test_auth_time_is_never_ahead);
    tcase_add_test(tcase, test_claims_request_stays_with_the_grant);
    tcase_add_test(tcase, test_permissions_are_consented);
    tcase_add_test(tcase, test_many_permissions_stay_readable);
    if (getenv("OAS_FORMER") == NULL) /* whose statements know no parts */
        tcase_add_test(tcase, test_lists_come_in_parts);
    tcase_add_test(tcase, test_sessions_are_listed);
    tcase_add_test(tcase, test_one_session_is_ended);
    tcase_add_test(tcase, test_other_sessions_are_ended);
    tcase_add_test(tcase, test_access_is_listed);
    tcase_add_test(tcase, test_access_is_withdrawn);
    tcase_add_test(tcase, test_owner_changes_the_password);
    tcase_add_test(tcase, test_rehash_ends_nothing);
    tcase_add_test(tcase, test_salt_stays);
    return suite;
}
