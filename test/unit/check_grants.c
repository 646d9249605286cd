/* SPDX-License-Identifier: Apache-2.0 */
#include "check_test.h"

#include "../../lib/check/body.h"
#include "../../lib/check/grant_type.h"
#include "../../lib/check/password.h"
#include "../../lib/check/refresh.h"
#include "../../lib/check/scope.h"

#define TOKEN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ALL_GRANTS                                                                                 \
    (OAS_GRANT_AUTHORIZATION_CODE | OAS_GRANT_REFRESH_TOKEN | OAS_GRANT_CLIENT_CREDENTIALS |       \
     OAS_GRANT_PASSWORD | OAS_GRANT_PASSWORD_REALM)

static oas_tx_t *token_tx(oas_profile_t profile)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->endpoint = OAS_EP_TOKEN;
    ((oas_issuer_t *)tx->issuer)->profile = profile;
    return tx;
}

/* ---- grant_type ---- */

#define REALM "http%3A%2F%2Fauth0.com%2Foauth%2Fgrant-type%2Fpassword-realm"

static const struct {
    const char *params;
    oas_profile_t profile;
    int confidential, first_party;
    oas_error_id_t error;
    unsigned mask;
} grant_types[] = {
    {"grant_type=refresh_token", OAS_PROFILE_OAUTH21, 0, 0, OAS_E_NONE, OAS_GRANT_REFRESH_TOKEN},
    {"grant_type=client_credentials", OAS_PROFILE_OAUTH21, 1, 0, OAS_E_NONE,
     OAS_GRANT_CLIENT_CREDENTIALS},
    {"grant_type=client_credentials", OAS_PROFILE_OAUTH21, 0, 0, OAS_E_GRANT_TYPE_UNAUTHORIZED, 0},
    {"grant_type=password", OAS_PROFILE_AUTH0, 1, 1, OAS_E_NONE, OAS_GRANT_PASSWORD},
    {"grant_type=" REALM, OAS_PROFILE_AUTH0, 1, 1, OAS_E_NONE, OAS_GRANT_PASSWORD_REALM},
    {"grant_type=password", OAS_PROFILE_AUTH0, 1, 0, OAS_E_GRANT_TYPE_UNAUTHORIZED, 0},
    {"grant_type=password", OAS_PROFILE_AUTH0, 0, 1, OAS_E_GRANT_TYPE_UNAUTHORIZED, 0},
    {"grant_type=password", OAS_PROFILE_OAUTH21, 1, 1, OAS_E_GRANT_TYPE_UNSUPPORTED, 0},
    {"grant_type=" REALM, OAS_PROFILE_OAUTH21, 1, 1, OAS_E_GRANT_TYPE_UNSUPPORTED, 0},
    {"grant_type=implicit", OAS_PROFILE_AUTH0, 1, 1, OAS_E_GRANT_TYPE_UNSUPPORTED, 0},
};

START_TEST(grants_by_client_and_profile)
{
    oas_tx_t *tx = token_tx(grant_types[_i].profile);
    oas_client_t *client = (oas_client_t *)tx->client;
    case_t test = {grant_types[_i].params, grant_types[_i].error};

    client->grant_types = ALL_GRANTS;
    client->first_party = grant_types[_i].first_party;
    if (grant_types[_i].confidential) {
        client->auth_methods = OAS_AUTH_SECRET_BASIC;
    }
    run_case(tx, oas_check_grant_type, &test);
    ck_assert_uint_eq(tx->mask, grant_types[_i].mask);
}
END_TEST

/* ---- refresh_token ---- */

static const struct {
    const char *params;
    oas_error_id_t error;
    const char *scope, *resource;
} refreshes[] = {
    {"refresh_token=" TOKEN, OAS_E_NONE, NULL, NULL},
    {"refresh_token=" TOKEN "&scope=", OAS_E_NONE, NULL, NULL},
    {"refresh_token=" TOKEN "&scope=b++a", OAS_E_NONE, "b a", NULL},
    {"refresh_token=" TOKEN "&audience=https://as.example/userinfo", OAS_E_NONE, NULL, ""},
    {"refresh_token=" TOKEN "&resource=https://as.example/", OAS_E_NONE, NULL, ""},
    {"refresh_token=" TOKEN "&resource=https://api.example/&audience=https://api.example/",
     OAS_E_NONE, NULL, "https://api.example/"},
    {"refresh_token=" TOKEN "&resource=https://unknown.example/", OAS_E_NONE, NULL,
     "https://unknown.example/"},
    {"refresh_token=" TOKEN "&redirect_uri=x&code=y&nonce=z", OAS_E_NONE, NULL, NULL},
    {"", OAS_E_REFRESH_MISSING, NULL, NULL},
    {"refresh_token=", OAS_E_REFRESH_MISSING, NULL, NULL},
    {"refresh_token=x", OAS_E_REFRESH_INVALID, NULL, NULL},
    {"refresh_token=" TOKEN "A", OAS_E_REFRESH_INVALID, NULL, NULL},
    {"refresh_token=" TOKEN "&scope=%22", OAS_E_SCOPE_MALFORMED, NULL, NULL},
    {"refresh_token=" TOKEN "&resource=a:b&resource=a:b", OAS_E_TARGET_SEVERAL, NULL, NULL},
    {"refresh_token=" TOKEN "&resource=a:b&audience=a:c", OAS_E_TARGET_SEVERAL, NULL, NULL},
};

START_TEST(refresh_cases)
{
    oas_tx_t *tx = token_tx(OAS_PROFILE_OAUTH21);
    case_t test = {refreshes[_i].params, refreshes[_i].error};

    run_case(tx, oas_check_refresh_token, &test);
    if (test.error != OAS_E_NONE) {
        return;
    }
    ck_assert_str_eq(tx->refresh_token, TOKEN);
    ck_assert_pstr_eq(tx->scopes != NULL ? oas_words_join(tx->scopes, pool) : NULL,
                      refreshes[_i].scope);
    ck_assert_pstr_eq(tx->grant_resource, refreshes[_i].resource);
}
END_TEST

/* ---- scopes ---- */

static const struct {
    unsigned grants, response;
    int offline_api; /* -1: no API */
    const char *scopes;
} offline[] = {
    {OAS_GRANT_REFRESH_TOKEN, OAS_PART_CODE, -1, "openid offline_access"},
    {OAS_GRANT_REFRESH_TOKEN, OAS_PART_CODE | OAS_PART_ID_TOKEN, 1, "openid offline_access"},
    {OAS_GRANT_REFRESH_TOKEN, OAS_PART_CODE, 0, "openid"},
    {OAS_GRANT_REFRESH_TOKEN, OAS_PART_ID_TOKEN | OAS_PART_TOKEN, -1, "openid"},
    {OAS_GRANT_AUTHORIZATION_CODE, OAS_PART_CODE, -1, "openid"},
};

START_TEST(offline_access_where_it_can_be)
{
    oas_tx_t *tx = fake_tx(pool);
    case_t test = {"scope=openid+offline_access", OAS_E_NONE};
    oas_resource_t *api = (oas_resource_t *)oas_resource_find(tx->issuer, "https://api.example/");

    ((oas_client_t *)tx->client)->grant_types = offline[_i].grants;
    tx->response = offline[_i].response;
    if (offline[_i].offline_api >= 0) {
        api->offline_access = offline[_i].offline_api;
        tx->resource = api;
    }
    run_case(tx, oas_check_scope, &test);
    ck_assert_str_eq(oas_words_join(tx->scopes, pool), offline[_i].scopes);
}
END_TEST

START_TEST(offline_and_online)
{
    case_t both = {"scope=offline_access+openid+online_access", OAS_E_SCOPE_CONFLICT};
    case_t unknown = {"scope=offline_access+openid+online_access", OAS_E_SCOPE_INVALID};

    run_case(token_tx(OAS_PROFILE_AUTH0), oas_check_scope, &both);
    run_case(token_tx(OAS_PROFILE_OAUTH21), oas_check_scope, &unknown);
}
END_TEST

static const struct {
    const char *params;
    oas_profile_t profile;
    int api;
    oas_error_id_t error;
    const char *scopes;
} own_scopes[] = {
    {"", OAS_PROFILE_OAUTH21, 1, OAS_E_NONE, "read:items"},
    {"scope=read:items", OAS_PROFILE_OAUTH21, 1, OAS_E_NONE, "read:items"},
    {"scope=write:items", OAS_PROFILE_OAUTH21, 1, OAS_E_SCOPE_INVALID, NULL},
    {"scope=openid", OAS_PROFILE_OAUTH21, 1, OAS_E_SCOPE_INVALID, NULL},
    {"scope=read:items+offline_access", OAS_PROFILE_OAUTH21, 1, OAS_E_SCOPE_INVALID, NULL},
    {"scope=read:items+openid+write:items", OAS_PROFILE_AUTH0, 1, OAS_E_NONE, "read:items"},
    {"scope=openid", OAS_PROFILE_AUTH0, 1, OAS_E_SCOPE_INVALID, NULL},
    {"scope=%5C", OAS_PROFILE_AUTH0, 1, OAS_E_SCOPE_MALFORMED, NULL},
    {"", OAS_PROFILE_OAUTH21, 0, OAS_E_TARGET_MISSING, NULL},
};

START_TEST(own_scope_cases)
{
    oas_tx_t *tx = token_tx(own_scopes[_i].profile);
    case_t test = {own_scopes[_i].params, own_scopes[_i].error};

    if (own_scopes[_i].api) {
        tx->resource = oas_resource_find(tx->issuer, "https://api.example/");
    }
    run_case(tx, oas_check_own_scope, &test);
    if (test.error == OAS_E_NONE) {
        ck_assert_str_eq(oas_words_join(tx->scopes, pool), own_scopes[_i].scopes);
    }
}
END_TEST

/* ---- password ---- */

static const case_t passwords[] = {
    {"username=a&password=b", OAS_E_NONE},
    {"password=b", OAS_E_USERNAME_MISSING},
    {"username=&password=b", OAS_E_USERNAME_MISSING},
    {"username=a", OAS_E_PASSWORD_MISSING},
};

START_TEST(password_cases)
{
    run_case(token_tx(OAS_PROFILE_AUTH0), oas_check_password, &passwords[_i]);
}
END_TEST

static const case_t realms[] = {
    {"realm=ldap", OAS_E_NONE},
    {"", OAS_E_REALM_MISSING},
    {"realm=LDAP", OAS_E_REALM_INVALID},
    {"realm=file+ldap", OAS_E_REALM_INVALID},
};

START_TEST(realm_cases)
{
    oas_tx_t *tx = token_tx(OAS_PROFILE_AUTH0);

    oas_words_parse(&((oas_issuer_t *)tx->issuer)->password_providers, "file ldap", pool);
    run_case(tx, oas_check_realm, &realms[_i]);
}
END_TEST

/* ---- bodies ---- */

static oas_tx_t *json_tx(oas_profile_t profile, const char *body)
{
    oas_tx_t *tx = token_tx(profile);

    tx->request.method = "POST";
    tx->request.content_type = "application/json";
    tx->request.body = apr_pstrdup(pool, body);
    tx->request.body_len = strlen(body);
    return tx;
}

START_TEST(json_members_are_parameters)
{
    oas_tx_t *tx =
        json_tx(OAS_PROFILE_AUTH0, "{\"client_id\":\"a\\u00e4\",\"max_age\":-12,\"state\":true,"
                                   "\"nonce\":null,\"code\":1.5,\"other\":{\"scope\":[\"x\"]}}");

    ck_assert_int_eq(oas_load_body(tx), OAS_NEXT);
    ck_assert_str_eq(oas_params_get(tx->params, "client_id"), "a\xc3\xa4");
    ck_assert_str_eq(oas_params_get(tx->params, "max_age"), "-12");
    ck_assert_str_eq(oas_params_get(tx->params, "state"), "true");
    ck_assert_str_eq(oas_params_get(tx->params, "code"), "1.5");
    ck_assert_ptr_null(oas_params_get(tx->params, "nonce"));
    ck_assert_ptr_null(oas_params_get(tx->params, "scope"));
    ck_assert_int_eq(oas_params_count(tx->params, "other"), 0);
}
END_TEST

static const struct {
    const char *body;
    oas_error_id_t error;
} bodies[] = {
    {"{}", OAS_E_NONE},
    {"{\"scope\":[]}", OAS_E_JSON_MEMBER},
    {"{\"resource\":[\"a\"]}", OAS_E_JSON_MEMBER},
    {"{\"password\":{}}", OAS_E_JSON_MEMBER},
    {"{\"code\":1,\"code\":1}", OAS_E_DUPLICATE_PARAMETER},
    {"{\"x\":{\"y\":1,\"y\":1}}", OAS_E_DUPLICATE_PARAMETER},
    {"{\"code\":\"\\u0000\"}", OAS_E_JSON_MALFORMED},
    {"{\"code\":\"\xff\"}", OAS_E_JSON_MALFORMED},
    {"[]", OAS_E_JSON_MALFORMED},
    {"{\"code\":1} x", OAS_E_JSON_MALFORMED},
    {"code=1", OAS_E_JSON_MALFORMED},
};

START_TEST(json_body_cases)
{
    oas_tx_t *tx = json_tx(OAS_PROFILE_AUTH0, bodies[_i].body);

    oas_load_body(tx);
    ck_assert_int_eq(tx->error, bodies[_i].error);
}
END_TEST

START_TEST(json_in_profile_auth0_only)
{
    oas_tx_t *tx = json_tx(OAS_PROFILE_OAUTH21, "{}");

    ck_assert_int_eq(oas_load_body(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_CONTENT_TYPE);
    tx = json_tx(OAS_PROFILE_AUTH0, "a=b");
    tx->request.content_type = "application/x-www-form-urlencoded";
    ck_assert_int_eq(oas_load_body(tx), OAS_NEXT);
    ck_assert_str_eq(oas_params_get(tx->params, "a"), "b");
    tx->request.content_type = "application/jsonp";
    ck_assert_int_eq(oas_load_body(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_CONTENT_TYPE_JSON);
}
END_TEST

void add_grant_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "grants");

    LOOP(tcase, grants_by_client_and_profile, grant_types);
    LOOP(tcase, refresh_cases, refreshes);
    LOOP(tcase, offline_access_where_it_can_be, offline);
    tcase_add_test(tcase, offline_and_online);
    LOOP(tcase, own_scope_cases, own_scopes);
    LOOP(tcase, password_cases, passwords);
    LOOP(tcase, realm_cases, realms);
    tcase_add_test(tcase, json_members_are_parameters);
    LOOP(tcase, json_body_cases, bodies);
    tcase_add_test(tcase, json_in_profile_auth0_only);
}
