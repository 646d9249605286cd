/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include "../../lib/store/consent.h"
#include "store_db.h"

static oas_session_t session;
static oas_grant_t grant;

static const char *grant_cell(const oas_code_put_t *code, const char *expression)
{
    return cell_of_grant(expression, "oas_grants JOIN oas_codes USING (grant_id)", code->grant_id);
}

START_TEST(test_put_and_redeem)
{
    oas_session_new_t login = open_session("file|redeem", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);
    oas_grant_t loaded;

    code.resource = "https://api.example/";
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &grant, pool), APR_ENOENT);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_str_eq(grant.grant_id, oas_base64url_encode(pool, code.grant_id, OAS_ID_LEN));
    ck_assert_str_eq(grant.client_id, "shop");
    ck_assert_str_eq(grant.sub, "file|redeem");
    ck_assert_str_eq(grant.sid, session.id);
    ck_assert_str_eq(oas_words_join(grant.scopes, pool), "openid email");
    ck_assert_str_eq(grant.resource, "https://api.example/");
    ck_assert_str_eq(grant.nonce, "n-1");
    ck_assert(grant.auth_time == session.auth_time && grant.now >= grant.auth_time);
    ck_assert_str_eq(grant.amr, "pwd");
    ck_assert_ptr_null(grant.acr);
    ck_assert_str_eq(json_string_value(json_object_get(grant.claims, "email")),
                     "alice@example.test");
    /* its own commit is known again */
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_str_eq(grant.nonce, "n-1");
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &loaded, pool), APR_SUCCESS);
    ck_assert_str_eq(loaded.sub, grant.sub);
    ck_assert_ptr_null(loaded.nonce);
    ck_assert_int_eq(oas_store_grant_revoke(db, code.grant_id, "test", 1, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_grant_revoke(db, code.grant_id, "test", 0, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_grant_revoke(db, code.grant_id, "test", 0, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &loaded, pool), APR_ENOENT);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REVOKED);
}
END_TEST

START_TEST(test_replay_revokes)
{
    oas_session_new_t login = open_session("file|replay", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code), again = redeem_for(&code);

    put_code(&code);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_int_eq(redeem(&again, &grant), OAS_REDEEM_REPLAYED);
    ck_assert_str_eq(grant_cell(&code, "revoked_reason"), "code replayed");
    ck_assert_int_eq(redeem(&again, &grant), OAS_REDEEM_REPLAYED);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REVOKED);
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &grant, pool), APR_ENOENT);
}
END_TEST

/* What is wrong with the request, and what it is called; a used code is treated the same. */
static void refuse_all(const oas_code_put_t *code)
{
    oas_code_redeem_t in = redeem_for(code);

    in.code_hash[5] ^= 1;
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_UNKNOWN);
    in = redeem_for(code);
    in.grant_id[5] ^= 1;
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_UNKNOWN);
    in = redeem_for(code);
    in.client_id = "thief";
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_FOREIGN);
    in = redeem_for(code);
    in.redirect_uri = "https://shop.example/cb/";
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REDIRECT_URI);
    in = redeem_for(code);
    in.code_challenge = "wrong";
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_VERIFIER);
    in = redeem_for(code);
    in.code_challenge = NULL;
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_VERIFIER_MISSING);
}

START_TEST(test_refusals_change_nothing)
{
    oas_session_new_t login = open_session("file|refuse", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);

    put_code(&code);
    refuse_all(&code);
    ck_assert_str_eq(grant_cell(&code, "coalesce(used_at, activated_at, revoked_at) IS NULL"), "t");
    in.redirect_uri = NULL; /* a challenge protects the code, so this may be left out */
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    refuse_all(&code);
    ck_assert_str_eq(grant_cell(&code, "revoked_at IS NULL"), "t");
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &grant, pool), APR_SUCCESS);
}
END_TEST

START_TEST(test_without_challenge)
{
    oas_session_new_t login = open_session("file|plain", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);

    code.code_challenge = NULL;
    put_code(&code);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_VERIFIER); /* a verifier nobody asked for */
    in.code_challenge = NULL;
    in.redirect_uri = NULL;
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REDIRECT_URI_MISSING);
    in.redirect_uri = code.redirect_uri;
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);

    code = new_code(&login);
    code.code_challenge = NULL;
    code.redirect_uri_required = 0;
    put_code(&code);
    in = redeem_for(&code);
    in.redirect_uri = NULL;
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
}
END_TEST

START_TEST(test_expired)
{
    oas_session_new_t login = open_session("file|late", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);

    code.code_lifetime = apr_time_from_msec(1);
    put_code(&code);
    cluster_sql(owner, "SELECT pg_sleep(0.01)");
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_EXPIRED);
    ck_assert_str_eq(grant_cell(&code, "used_at IS NULL"), "t");
}
END_TEST

START_TEST(test_revoked_before_use)
{
    oas_session_new_t login = open_session("file|gone", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);

    put_code(&code);
    ck_assert_int_eq(oas_store_grant_revoke(db, code.grant_id, "test", 0, pool), APR_SUCCESS);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REVOKED);
}
END_TEST

START_TEST(test_session_gone)
{
    oas_session_new_t login = open_session("file|out", &session);
    oas_code_put_t code = new_code(&login);

    fill_random(code.session_id, OAS_ID_LEN);
    ck_assert_int_eq(put_code(&code), OAS_CODE_SESSION_GONE);
    code = new_code(&login);
    oas_store_session_end(db, login.session_id, login.secret_hash, pool);
    ck_assert_int_eq(put_code(&code), OAS_CODE_SESSION_GONE);
    ck_assert_str_eq(grant_cell(&code, "count(*)"), "0");
}
END_TEST

START_TEST(test_grant_id_taken)
{
    oas_session_new_t login = open_session("file|taken", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_put_outcome_t outcome;

    put_code(&code);
    fill_random(code.code_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(oas_store_code_put(db, &code, &outcome, &grant, pool), APR_EEXIST);
}
END_TEST

static const char *consented(const oas_session_new_t *login, const char *resource)
{
    oas_session_t out;

    ck_assert_int_eq(oas_store_session_load(db, login->session_id, login->secret_hash, "shop",
                                            resource, apr_time_from_sec(600), &out, pool),
                     APR_SUCCESS);
    return out.consented ? oas_words_join(out.consented, pool) : NULL;
}

START_TEST(test_consent_is_remembered_and_widened)
{
    oas_session_new_t login = open_session("file|consent", &session);
    oas_code_put_t code = new_code(&login);

    code.consent = OAS_CONSENT_REQUIRE;
    ck_assert_int_eq(put_code(&code), OAS_CODE_CONSENT_GONE);
    code.consent = OAS_CONSENT_ALLOW;
    code.form_started = now();
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    ck_assert_str_eq(consented(&login, ""), "openid email");
    ck_assert_ptr_null(
        consented(&login, "https://api.example/")); /* another API, another consent */
    code = new_code(&login);
    code.consent = OAS_CONSENT_REQUIRE;
    code.scope = "email";
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    code = new_code(&login);
    code.consent = OAS_CONSENT_REQUIRE;
    code.scope = "email profile";
    ck_assert_int_eq(put_code(&code), OAS_CODE_CONSENT_GONE);
    code.consent = OAS_CONSENT_ALLOW;
    code.form_started = now();
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    ck_assert_str_eq(consented(&login, ""), "email openid profile");
}
END_TEST

START_TEST(test_withdrawal)
{
    oas_session_new_t login = open_session("file|withdraw", &session);
    oas_code_put_t code = new_code(&login), late = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);

    code.consent = OAS_CONSENT_ALLOW;
    code.form_started = now();
    put_code(&code);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_int_eq(oas_store_consent_withdraw(db, "file|withdraw", "other", NULL, pool),
                     APR_ENOENT);
    ck_assert_int_eq(oas_store_consent_withdraw(db, "file|withdraw", "shop", NULL, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_store_consent_withdraw(db, "file|withdraw", "shop", NULL, pool),
                     APR_ENOENT);
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &grant, pool), APR_ENOENT);
    ck_assert_ptr_null(consented(&login, ""));
    late.consent = OAS_CONSENT_REQUIRE;
    ck_assert_int_eq(put_code(&late), OAS_CODE_CONSENT_GONE);
    /* an older form revives nothing */
    late.consent = OAS_CONSENT_ALLOW;
    late.form_started = now() - 600;
    ck_assert_int_eq(put_code(&late), OAS_CODE_CONSENT_GONE);
    late.form_started = now() - 1;
    ck_assert_int_eq(put_code(&late), OAS_CODE_CONSENT_GONE);
    ck_assert_ptr_null(consented(&login, ""));
    late.form_started = now() + 2;
    ck_assert_int_eq(put_code(&late), OAS_CODE_PUT);
    ck_assert_str_eq(consented(&login, ""), "email openid"); /* and only what is new */
    /* given again, but an older form still counts for nothing */
    code = new_code(&login);
    code.consent = OAS_CONSENT_ALLOW;
    code.scope = "openid email phone";
    code.form_started = now() - 600;
    ck_assert_int_eq(put_code(&code), OAS_CODE_CONSENT_GONE);
}
END_TEST

START_TEST(test_erased_subject)
{
    oas_session_new_t login = open_session("file|erased", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);

    put_code(&code);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    cluster_sql(owner, "DELETE FROM oas_subjects WHERE sub = 'file|erased'");
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_REVOKED);
    ck_assert_int_eq(oas_store_grant_load(db, code.grant_id, &grant, pool), APR_ENOENT);
}
END_TEST

Suite *store_grant_suite(void)
{
    Suite *suite = suite_create("grant");
    TCase *tcase = db_case(suite, "grant");

    tcase_add_test(tcase, test_put_and_redeem);
    tcase_add_test(tcase, test_replay_revokes);
    tcase_add_test(tcase, test_refusals_change_nothing);
    tcase_add_test(tcase, test_without_challenge);
    tcase_add_test(tcase, test_expired);
    tcase_add_test(tcase, test_revoked_before_use);
    tcase_add_test(tcase, test_session_gone);
    tcase_add_test(tcase, test_grant_id_taken);
    tcase_add_test(tcase, test_consent_is_remembered_and_widened);
    tcase_add_test(tcase, test_withdrawal);
    tcase_add_test(tcase, test_erased_subject);
    return suite;
}
