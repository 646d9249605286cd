/* SPDX-License-Identifier: Apache-2.0 */
#include "check_test.h"

#include "../../lib/check/params.h"
#include "../../lib/check/pkce.h"
#include "../../lib/check/prompt.h"
#include "../../lib/check/redirect_uri.h"
#include "../../lib/check/scope.h"

/* ---- PKCE ---- */

START_TEST(pkce_rfc7636_appendix_b)
{
    const char *challenge;

    ck_assert_int_eq(oas_code_challenge(&challenge, VERIFIER, pool), APR_SUCCESS);
    ck_assert_str_eq(challenge, CHALLENGE);
}
END_TEST

START_TEST(pkce_verifier_form)
{
    char *text = apr_palloc(pool, 130);
    const char *challenge;

    memset(text, 'a', 129);
    text[129] = '\0';
    ck_assert_int_eq(oas_code_challenge(&challenge, text, pool), APR_EINVAL);
    text[128] = '\0';
    ck_assert_int_eq(oas_code_challenge(&challenge, text, pool), APR_SUCCESS);
    text[0] = '/';
    ck_assert_int_eq(oas_code_challenge(&challenge, text, pool), APR_EINVAL);
    text[0] = '~';
    text[43] = '\0';
    ck_assert_int_eq(oas_code_challenge(&challenge, text, pool), APR_SUCCESS);
    text[42] = '\0';
    ck_assert_int_eq(oas_code_challenge(&challenge, text, pool), APR_EINVAL);
}
END_TEST

static const case_t challenges[] = {
    {"code_challenge=" CHALLENGE "&code_challenge_method=S256", OAS_E_NONE},
    {"", OAS_E_CHALLENGE_MISSING},
    {"code_challenge_method=S256", OAS_E_CHALLENGE_MISSING},
    {"code_challenge=" CHALLENGE, OAS_E_CHALLENGE_METHOD},
    {"code_challenge=" CHALLENGE "&code_challenge_method=plain", OAS_E_CHALLENGE_METHOD},
    {"code_challenge=" CHALLENGE "&code_challenge_method=s256", OAS_E_CHALLENGE_METHOD},
    {"code_challenge=short&code_challenge_method=S256", OAS_E_CHALLENGE_MALFORMED},
    {"code_challenge=" CHALLENGE "A&code_challenge_method=S256", OAS_E_CHALLENGE_MALFORMED},
};

START_TEST(challenge_cases)
{
    run_case(fake_tx(pool), oas_check_code_challenge, &challenges[_i]);
}
END_TEST

START_TEST(challenge_optional)
{
    oas_tx_t *tx = fake_tx(pool);

    ((oas_client_t *)tx->client)->require_pkce = 0;
    ck_assert_int_eq(oas_check_code_challenge(tx), OAS_NEXT);
    fake_params(tx, "code_challenge=" CHALLENGE); /* but what is sent must be right */
    ck_assert_int_eq(oas_check_code_challenge(tx), OAS_FAILED);
}
END_TEST

/* ---- redirect_uri ---- */

static const case_t redirect_uris[] = {
    {"redirect_uri=https%3A%2F%2Fapp.example%2Fcb", OAS_E_NONE},
    {"", OAS_E_NONE}, /* the only one, plain OAuth */
    {"scope=openid", OAS_E_REDIRECT_URI_MISSING},
    {"redirect_uri=https%3A%2F%2Fapp.example%2Fcb2", OAS_E_REDIRECT_URI_MISMATCH},
    {"redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1", OAS_E_REDIRECT_URI_MISMATCH},
    {"redirect_uri=https%3A%2F%2Fapp.example%2Fcb%23", OAS_E_REDIRECT_URI_MISMATCH},
    {"redirect_uri=javascript%3Aalert(1)", OAS_E_REDIRECT_URI_MISMATCH},
};

START_TEST(redirect_uri_cases)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->redirect_uri = NULL;
    run_case(tx, oas_check_redirect_uri, &redirect_uris[_i]);
    ck_assert_int_eq(tx->redirect_uri != NULL, redirect_uris[_i].error == OAS_E_NONE);
}
END_TEST

START_TEST(redirect_uri_ambiguous)
{
    oas_tx_t *tx = fake_tx(pool);
    case_t test = {"", OAS_E_REDIRECT_URI_MISSING};

    oas_words_add(tx->client->redirect_uris, "https://app.example/two");
    run_case(tx, oas_check_redirect_uri, &test);
}
END_TEST

START_TEST(redirect_uri_any_port_is_native_only)
{
    oas_tx_t *tx = fake_tx(pool);
    case_t test = {"redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fcb", OAS_E_REDIRECT_URI_MISMATCH};

    oas_words_add(tx->client->redirect_uris, "http://127.0.0.1/cb");
    run_case(tx, oas_check_redirect_uri, &test);
    ((oas_client_t *)tx->client)->type = OAS_CLIENT_NATIVE;
    tx->error = OAS_E_NONE;
    test.error = OAS_E_NONE;
    run_case(tx, oas_check_redirect_uri, &test);
}
END_TEST

/* ---- API and scope ---- */

#define API "https%3A%2F%2Fapi.example%2F"

static const case_t resources[] = {
    {"", OAS_E_NONE},
    {"audience=" API, OAS_E_NONE},
    {"resource=" API, OAS_E_NONE},
    {"resource=" API "&audience=" API, OAS_E_NONE},
    {"audience=https%3A%2F%2Fas.example%2Fuserinfo", OAS_E_NONE},
    {"audience=https%3A%2F%2Fother.example%2F", OAS_E_TARGET_INVALID},
    {"resource=" API "&resource=" API, OAS_E_TARGET_SEVERAL},
    {"resource=" API "&audience=https%3A%2F%2Fother.example%2F", OAS_E_TARGET_SEVERAL},
};

START_TEST(resource_cases)
{
    run_case(fake_tx(pool), oas_check_resource, &resources[_i]);
}
END_TEST

START_TEST(resource_default)
{
    oas_tx_t *tx = fake_tx(pool);

    ((oas_issuer_t *)tx->issuer)->default_resource = "https://api.example/";
    ck_assert_int_eq(oas_check_resource(tx), OAS_NEXT);
    ck_assert_ptr_nonnull(tx->resource);
    apr_array_clear(tx->client->allow);
    tx->resource = NULL;
    ck_assert_int_eq(oas_check_resource(tx), OAS_NEXT);
    ck_assert_ptr_null(tx->resource);
}
END_TEST

static const struct {
    const char *params;
    oas_profile_t profile;
    oas_error_id_t error;
    const char *granted;
} scopes[] = {
    {"scope=openid%20email", OAS_PROFILE_OAUTH21, OAS_E_NONE, "openid email"},
    {"scope=openid%20openid", OAS_PROFILE_OAUTH21, OAS_E_NONE, "openid"},
    {"scope=openid%20offline_access", OAS_PROFILE_OAUTH21, OAS_E_NONE, "openid"},
    {"scope=openid%20read:items&audience=" API, OAS_PROFILE_OAUTH21, OAS_E_NONE,
     "openid read:items"},
    {"audience=" API, OAS_PROFILE_OAUTH21, OAS_E_NONE, "read:items"},
    {"scope=read:items", OAS_PROFILE_OAUTH21, OAS_E_SCOPE_INVALID, NULL},
    {"scope=write:items&audience=" API, OAS_PROFILE_OAUTH21, OAS_E_SCOPE_INVALID, NULL},
    {"scope=openid%20made:up", OAS_PROFILE_OAUTH21, OAS_E_SCOPE_INVALID, NULL},
    {"scope=openid%20made:up%20write:items&audience=" API, OAS_PROFILE_AUTH0, OAS_E_NONE, "openid"},
    {"scope=made:up", OAS_PROFILE_AUTH0, OAS_E_SCOPE_INVALID, NULL},
    {"", OAS_PROFILE_OAUTH21, OAS_E_SCOPE_MISSING, NULL},
    {"scope=a%22b", OAS_PROFILE_OAUTH21, OAS_E_SCOPE_MALFORMED, NULL},
};

START_TEST(scope_cases)
{
    oas_tx_t *tx = fake_tx(pool);
    case_t test = {scopes[_i].params, scopes[_i].error};

    ((oas_issuer_t *)tx->issuer)->profile = scopes[_i].profile;
    fake_params(tx, test.params);
    ck_assert_int_eq(oas_check_resource(tx), OAS_NEXT);
    run_case(tx, oas_check_scope, &test);
    if (scopes[_i].granted != NULL) {
        ck_assert_str_eq(oas_words_join(tx->scopes, pool), scopes[_i].granted);
    }
}
END_TEST

/* ---- prompt and max_age ---- */

static const case_t prompt_cases[] = {
    {"", OAS_E_NONE},
    {"prompt=none", OAS_E_NONE},
    {"prompt=login%20consent", OAS_E_NONE},
    {"prompt=none%20login", OAS_E_PROMPT},
    {"prompt=create", OAS_E_NONE},
    {"prompt=select_account%20login", OAS_E_NONE},
    {"prompt=none%20select_account", OAS_E_ACCOUNT_SELECTION},
    {"prompt=none%20create", OAS_E_PROMPT},
    {"prompt=Login", OAS_E_PROMPT},
    {"prompt=%09", OAS_E_PROMPT},
};

START_TEST(prompts)
{
    run_case(fake_tx(pool), oas_check_prompt, &prompt_cases[_i]);
}
END_TEST

static const struct {
    case_t test;
    apr_int64_t max_age;
} max_ages[] = {
    {{"", OAS_E_NONE}, -1},
    {{"max_age=0", OAS_E_NONE}, 0},
    {{"max_age=300", OAS_E_NONE}, 300},
    {{"max_age=-1", OAS_E_MAX_AGE}, -1},
    {{"max_age=1e3", OAS_E_MAX_AGE}, -1},
    {{"max_age=9999999999", OAS_E_NONE}, 9999999999},
    {{"max_age=99999999999999999999", OAS_E_NONE}, APR_INT64_MAX},
    {{"max_age=99999999999999999999x", OAS_E_MAX_AGE}, -1},
};

START_TEST(max_age_cases)
{
    oas_tx_t *tx = fake_tx(pool);

    run_case(tx, oas_check_max_age, &max_ages[_i].test);
    ck_assert_int_eq(tx->max_age, max_ages[_i].max_age);
}
END_TEST

/* ---- parameters ---- */

static const case_t duplicates[] = {
    {"a=1&a=2", OAS_E_NONE},
    {"resource=a&resource=b", OAS_E_NONE}, /* judged as a target */
    {"client_id=a&client_id=a", OAS_E_DUPLICATE_PARAMETER},
    {"state=&state=x", OAS_E_DUPLICATE_PARAMETER},
    {"code_verifier=a&code_verifier=b", OAS_E_DUPLICATE_PARAMETER},
};

START_TEST(duplicate_cases)
{
    run_case(fake_tx(pool), oas_check_duplicates, &duplicates[_i]);
}
END_TEST

static const struct {
    const char *method, *content_type, *body;
    int too_large;
    oas_error_id_t error;
} bodies[] = {
    {"POST", "application/x-www-form-urlencoded", "a=b", 0, OAS_E_NONE},
    {"POST", "Application/X-WWW-Form-URLencoded; charset=UTF-8", "a=b", 0, OAS_E_NONE},
    {"POST", NULL, "", 0, OAS_E_NONE},
    {"POST", NULL, "a=b", 0, OAS_E_CONTENT_TYPE},
    {"POST", "application/json", "{}", 0, OAS_E_CONTENT_TYPE},
    {"POST", "application/x-www-form-urlencodedX", "a=b", 0, OAS_E_CONTENT_TYPE},
    {"POST", "application/x-www-form-urlencoded", "a=%", 0, OAS_E_MALFORMED},
    {"POST", "application/x-www-form-urlencoded", "", 1, OAS_E_BODY_TOO_LARGE},
};

START_TEST(body_cases)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->request.method = bodies[_i].method;
    tx->request.query = "never=read";
    tx->request.content_type = bodies[_i].content_type;
    tx->request.body = bodies[_i].body;
    tx->request.body_len = strlen(bodies[_i].body);
    tx->request.body_too_large = bodies[_i].too_large;
    oas_load_form(tx);
    ck_assert_int_eq(tx->error, bodies[_i].error);
    ck_assert_ptr_null(oas_params_get(tx->params, "never"));
}
END_TEST

START_TEST(methods)
{
    oas_tx_t *tx = fake_tx(pool);

    ck_assert_int_eq(oas_check_method_get(tx), OAS_NEXT);
    ck_assert_int_eq(oas_check_method_post(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_METHOD);
    tx->request.method = "DELETE";
    ck_assert_int_eq(oas_check_method_get_post(tx), OAS_FAILED);
}
END_TEST

START_TEST(length)
{
    oas_tx_t *tx = fake_tx(pool);
    char *state = apr_palloc(pool, 3001);

    memset(state, 's', 3000);
    state[3000] = '\0';
    oas_params_add(tx->params, "state", state);
    ck_assert_int_eq(oas_check_length(tx), OAS_NEXT);
    oas_params_add(tx->params, "nonce", "n");
    ck_assert_int_eq(oas_check_length(tx), OAS_FAILED);
}
END_TEST

void add_authorize_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "authorize");

    tcase_add_test(tcase, pkce_rfc7636_appendix_b);
    tcase_add_test(tcase, pkce_verifier_form);
    LOOP(tcase, challenge_cases, challenges);
    tcase_add_test(tcase, challenge_optional);
    LOOP(tcase, redirect_uri_cases, redirect_uris);
    tcase_add_test(tcase, redirect_uri_ambiguous);
    tcase_add_test(tcase, redirect_uri_any_port_is_native_only);
    LOOP(tcase, resource_cases, resources);
    tcase_add_test(tcase, resource_default);
    LOOP(tcase, scope_cases, scopes);
    LOOP(tcase, prompts, prompt_cases);
    LOOP(tcase, max_age_cases, max_ages);
    LOOP(tcase, duplicate_cases, duplicates);
    LOOP(tcase, body_cases, bodies);
    tcase_add_test(tcase, methods);
    tcase_add_test(tcase, length);
}
