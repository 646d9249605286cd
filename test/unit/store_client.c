/* SPDX-License-Identifier: Apache-2.0 */
#include "store_test.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/store/client.h"
#include "unit.h"

static oas_client_t *sample(void)
{
    oas_client_t *client = apr_pcalloc(pool, sizeof(*client));
    oas_client_secret_t *secret;
    oas_allow_t *allow;
    int i;

    client->client_id = "shop";
    client->name = "Shop \"and\" caf\xc3\xa9";
    client->logo_uri = "https://shop.example.com/logo.png";
    client->type = OAS_CLIENT_SPA;
    client->redirect_uris = oas_words_create(pool);
    oas_words_add(client->redirect_uris, "https://shop.example.com/callback");
    oas_words_add(client->redirect_uris, "com.example.shop:/cb");
    client->web_origins = oas_words_create(pool);
    oas_words_add(client->web_origins, "https://shop.example.com");
    client->post_logout_redirect_uris = oas_words_create(pool);
    oas_words_add(client->post_logout_redirect_uris, "https://shop.example.com/out");
    client->backchannel_logout_uri = "https://shop.example.com/back";
    client->frontchannel_logout_uri = "https://shop.example.com/front?a=b";
    client->secrets = apr_array_make(pool, 1, sizeof(oas_client_secret_t));
    secret = apr_array_push(client->secrets);
    memset(secret->sha256, 0xa5, OAS_SHA256_LEN);
    client->auth_methods = OAS_AUTH_SECRET_BASIC | OAS_AUTH_SECRET_POST;
    client->grant_types = OAS_GRANT_AUTHORIZATION_CODE;
    client->response_types = OAS_RESPONSE_CODE;
    client->allow = apr_array_make(pool, 2, sizeof(oas_allow_t));
    allow = apr_array_push(client->allow);
    allow->resource = "https://api.example.com/";
    allow->scopes = oas_words_create(pool);
    oas_words_add(allow->scopes, "read:orders");
    allow = apr_array_push(client->allow);
    allow->resource = "https://all.example.com/";
    allow->all = 1;
    client->first_party = 1;
    client->id_token_alg = "ES256";
    client->sector = "shop.example.com";
    client->required_acr = oas_words_create(pool);
    oas_words_add(client->required_acr, "urn:example:gold");
    oas_words_add(client->required_acr, "silver");
    for (i = 0; i < OAS_LIFETIME_COUNT; i++)
        client->lifetimes[i] = OAS_LIFETIME_UNSET;
    client->lifetimes[OAS_LIFETIME_CODE] = apr_time_from_msec(1500);
    client->rotation = 1;
    client->reuse_window = OAS_WINDOW_UNSET;
    return client;
}

START_TEST(test_round_trip)
{
    const oas_client_t *in = sample();
    char *json = oas_client_to_json(in, pool);
    const oas_allow_t *allow;
    oas_client_t *out;

    ck_assert_ptr_nonnull(json);
    ck_assert_int_eq(oas_client_from_json(&out, json, pool), APR_SUCCESS);
    ck_assert_str_eq(out->client_id, in->client_id);
    ck_assert_str_eq(out->name, in->name);
    ck_assert_str_eq(out->logo_uri, in->logo_uri);
    ck_assert_ptr_null(out->tos_uri);
    ck_assert_int_eq(out->type, OAS_CLIENT_SPA);
    ck_assert_int_eq(out->redirect_uris->nelts, 2);
    ck_assert_str_eq(OAS_WORD(out->redirect_uris, 1), "com.example.shop:/cb");
    ck_assert_str_eq(OAS_WORD(out->web_origins, 0), "https://shop.example.com");
    ck_assert_int_eq(out->post_logout_redirect_uris->nelts, 1);
    ck_assert_str_eq(OAS_WORD(out->post_logout_redirect_uris, 0), "https://shop.example.com/out");
    ck_assert_str_eq(out->backchannel_logout_uri, in->backchannel_logout_uri);
    ck_assert_str_eq(out->frontchannel_logout_uri, in->frontchannel_logout_uri);
    ck_assert_int_eq(oas_client_tracked(out), 1);
    ck_assert_int_eq(out->secrets->nelts, 1);
    ck_assert_mem_eq(APR_ARRAY_IDX(out->secrets, 0, oas_client_secret_t).sha256,
                     APR_ARRAY_IDX(in->secrets, 0, oas_client_secret_t).sha256, OAS_SHA256_LEN);
    ck_assert_str_eq(out->sector, "shop.example.com");
    ck_assert_str_eq(oas_words_join(out->required_acr, pool), "urn:example:gold silver");
    ck_assert_uint_eq(out->auth_methods, in->auth_methods);
    ck_assert_uint_eq(out->grant_types, in->grant_types);
    ck_assert_uint_eq(out->response_types, in->response_types);
    ck_assert_int_eq(out->allow->nelts, 2);
    allow = &APR_ARRAY_IDX(out->allow, 0, oas_allow_t);
    ck_assert_int_eq(allow->all, 0);
    ck_assert_str_eq(OAS_WORD(allow->scopes, 0), "read:orders");
    ck_assert_int_eq(APR_ARRAY_IDX(out->allow, 1, oas_allow_t).all, 1);
    ck_assert_int_eq(out->first_party, 1);
    ck_assert_int_eq(out->require_pkce, 0);
    ck_assert_str_eq(out->id_token_alg, "ES256");
    ck_assert(out->lifetimes[OAS_LIFETIME_CODE] == apr_time_from_msec(1500));
    ck_assert(out->lifetimes[OAS_LIFETIME_SESSION] == OAS_LIFETIME_UNSET);
    /* the same client has the same text, so that its hash says whether it changed */
    ck_assert_str_eq(oas_client_to_json(out, pool), json);
}
END_TEST

/* There and back once more. */
static oas_client_t *travel(const oas_client_t *in)
{
    char *json = oas_client_to_json(in, pool);
    oas_client_t *out;

    ck_assert_ptr_nonnull(json);
    ck_assert_int_eq(oas_client_from_json(&out, json, pool), APR_SUCCESS);
    ck_assert_str_eq(oas_client_to_json(out, pool), json);
    return out;
}

START_TEST(test_refresh_and_front_channel)
{
    oas_client_t *in = sample();
    oas_client_t *out = travel(in);

    ck_assert_int_eq(out->rotation, 1);
    ck_assert(out->reuse_window == OAS_WINDOW_UNSET);
    ck_assert_int_eq(out->bound_tokens + out->web_message + out->query_token, 0);
    in->rotation = 0;
    in->reuse_window = 0;
    in->bound_tokens = in->web_message = in->query_token = 1;
    in->first_party = in->forwarded_for = 1;
    out = travel(in);
    ck_assert_int_eq(out->rotation, 0);
    ck_assert(out->reuse_window == 0);
    ck_assert_int_eq(out->bound_tokens, 1);
    ck_assert_int_eq(out->web_message, 1);
    ck_assert_int_eq(out->query_token, 1);
    ck_assert_int_eq(out->forwarded_for, 1);
    in->reuse_window = apr_time_from_sec(45);
    ck_assert(travel(in)->reuse_window == apr_time_from_sec(45));
    in->reuse_window = OAS_WINDOW_UNTIL_USED;
    ck_assert(travel(in)->reuse_window == OAS_WINDOW_UNTIL_USED);
}
END_TEST

START_TEST(test_keys_and_certificates)
{
    oas_client_t *in = sample();
    oas_client_t *out;

    in->jwks_json = "{\"keys\": [ {\"kty\": \"EC\"} ]}";
    in->assertion_audience = OAS_ASSERTION_ISSUER;
    in->certificate = OAS_CERTIFICATE_SUBJECT;
    in->certificate_value = "CN=shop,O=Caf\xc3\xa9";
    out = travel(in);
    ck_assert_str_eq(out->jwks_json, "{\"keys\":[{\"kty\":\"EC\"}]}");
    ck_assert_int_eq(out->assertion_audience, OAS_ASSERTION_ISSUER);
    ck_assert_int_eq(out->certificate, OAS_CERTIFICATE_SUBJECT);
    ck_assert_str_eq(out->certificate_value, in->certificate_value);
    in->jwks_json = NULL;
    in->jwks_uri = "https://shop.example.com/jwks";
    in->certificate = OAS_CERTIFICATE_SAN_DNS;
    in->certificate_value = "shop.example.com";
    out = travel(in);
    ck_assert_ptr_null(out->jwks_json);
    ck_assert_str_eq(out->jwks_uri, in->jwks_uri);
    ck_assert_int_eq(out->certificate, OAS_CERTIFICATE_SAN_DNS);
    ck_assert_str_eq(out->certificate_value, "shop.example.com");
}
END_TEST

/* A node without the clear secret could not check it; the other methods still work there. */
START_TEST(test_secret_jwt_stays)
{
    oas_client_t *in = sample();
    apr_array_header_t *clear = apr_array_make(pool, 1, sizeof(oas_bytes_t));
    char *json;

    *(oas_bytes_t *)apr_array_push(clear) =
        (oas_bytes_t){(const unsigned char *)"clear-secret", 12};
    in->hmac_secrets = clear;
    in->auth_methods |= OAS_AUTH_SECRET_JWT;
    json = oas_client_to_json(in, pool);
    ck_assert_ptr_null(strstr(json, "clear-secret"));
    ck_assert_ptr_null(strstr(json, "client_secret_jwt"));
    ck_assert_uint_eq(travel(in)->auth_methods, OAS_AUTH_SECRET_BASIC | OAS_AUTH_SECRET_POST);
    in->auth_methods = OAS_AUTH_SECRET_JWT;
    ck_assert_uint_eq(travel(in)->auth_methods, 0);
    ck_assert_int_eq(oas_client_confidential(travel(in)), 1);
}
END_TEST

START_TEST(test_sparse_client)
{
    oas_client_t *client = sample();
    oas_client_t *out;

    client->redirect_uris = client->web_origins = NULL;
    client->secrets = client->allow = NULL;
    client->auth_methods = OAS_AUTH_NONE;
    ck_assert_int_eq(oas_client_from_json(&out, oas_client_to_json(client, pool), pool),
                     APR_SUCCESS);
    ck_assert_int_eq(out->redirect_uris->nelts, 0);
    ck_assert_int_eq(out->secrets->nelts, 0);
    ck_assert_int_eq(out->allow->nelts, 0);
}
END_TEST

/* Each replaces a piece of a good client. */
typedef struct {
    const char *from, *to;
} change_t;

static const change_t bad[] = {
    {"\"client_id\":\"c\"", "\"client_id\":\"\""},
    {"\"client_id\":\"c\"", "\"client_id\":7"},
    {"\"client_id\":\"c\",", ""},
    {"\"client_name\":\"C\"", "\"client_name\":null"},
    {"\"client_type\":\"web\"", "\"client_type\":\"toaster\""},
    {"[\"https://c.example/cb\"]", "[\"/relative\"]"},
    {"[\"https://c.example/cb\"]", "[\"https://c.example/cb#fragment\"]"},
    {"[\"https://c.example/cb\"]", "\"https://c.example/cb\""},
    {"[\"https://c.example/cb\"]", "[1]"},
    {"[\"code\"]", "[\"token\"]"},
    {"[\"none\"]", "[\"private_key_jwt_of_the_future\"]"},
    {"[\"none\"]", "{}"},
    {"\"client_secret_sha256\":[]", "\"client_secret_sha256\":[\"00\"]"},
    {"\"client_secret_sha256\":[]", "\"client_secret_sha256\":[\"\",\"\",\"\"]"},
    {"\"client_secret_sha256\":[]", "\"client_secret_sha256\":\"x\""},
    {"\"allow\":[]", "\"allow\":[{\"scopes\":[]}]"},
    {"\"allow\":[]", "\"allow\":{}"},
    {"\"lifetimes_ms\":{}", "\"lifetimes_ms\":{\"code\":0}"},
    {"\"lifetimes_ms\":{}", "\"lifetimes_ms\":{\"code\":\"60s\"}"},
    {"\"lifetimes_ms\":{}", "\"lifetimes_ms\":{\"code\":9223372036854775807}"},
    {"\"lifetimes_ms\":{}", "\"lifetimes_ms\":[]"},
    {"\"id_token_signed_response_alg\":\"RS256\"", "\"id_token_signed_response_alg\":[]"},
    {"\"allow\":[]", "\"allow\":[],\"refresh_reuse_window\":-1"},
    {"\"allow\":[]", "\"allow\":[],\"refresh_reuse_window\":3600001"},
    {"\"allow\":[]", "\"allow\":[],\"refresh_reuse_window\":\"always\""},
    {"\"allow\":[]", "\"allow\":[],\"refresh_reuse_window\":true"},
    {"\"allow\":[]", "\"allow\":[],\"assertion_audience\":\"nobody\""},
    {"\"allow\":[]", "\"allow\":[],\"assertion_audience\":1"},
    {"\"allow\":[]", "\"allow\":[],\"jwks\":[]"},
    {"\"allow\":[]", "\"allow\":[],\"jwks\":{\"keys\":{}}"},
    {"\"allow\":[]", "\"allow\":[],\"jwks_uri\":\"http://keys.example/\""},
    {"\"allow\":[]", "\"allow\":[],\"jwks_uri\":\"file:///etc/passwd\""},
    {"\"allow\":[]", "\"allow\":[],\"backchannel_logout_uri\":\"http://app.example/out\""},
    {"\"allow\":[]", "\"allow\":[],\"backchannel_logout_uri\":\"https://app.example/out#x\""},
    {"\"allow\":[]", "\"allow\":[],\"frontchannel_logout_uri\":\"javascript:alert(1)\""},
    {"\"allow\":[]", "\"allow\":[],\"post_logout_redirect_uris\":[\"/out\"]"},
    {"\"allow\":[]", "\"allow\":[],\"post_logout_redirect_uris\":\"https://app.example/out\""},
    {"\"allow\":[]", "\"allow\":[],\"subject_type\":\"pairwise\""},
    {"\"allow\":[]", "\"allow\":[],\"subject_type\":\"secret\""},
    {"\"allow\":[]", "\"allow\":[],\"sector\":\"app.example\""},
    {"\"allow\":[]", "\"allow\":[],\"subject_type\":\"pairwise\",\"sector\":\"App.example\""},
    {"\"allow\":[]", "\"allow\":[],\"required_acr\":[]"},
    {"\"allow\":[]", "\"allow\":[],\"required_acr\":\"gold\""},
    {"\"allow\":[]", "\"allow\":[],\"tls_client_auth_subject_dn\":\"\""},
    {"\"allow\":[]", "\"allow\":[],\"tls_client_auth_san_dns\":[]"},
    {"\"allow\":[]",
     "\"allow\":[],\"tls_client_auth_san_dns\":\"a\",\"tls_client_auth_subject_dn\":\"CN=a\""},
    {"}", ""},
};

/* A client still, but one that configtest would refuse. */
static const change_t unsound[] = {
    {"[\"none\"]", "[\"none\",\"client_secret_basic\"]"},
    {"[\"none\"]", "[\"tls_client_auth\"]"},
    {"[\"authorization_code\"]", "[\"client_credentials\"]"},
    {"[\"authorization_code\"]", "[\"password\"]"},
    {"[\"authorization_code\"]", "[\"http://auth0.com/oauth/grant-type/password-realm\"]"},
};

static const char good[] =
    "{\"client_id\":\"c\",\"client_name\":\"C\",\"client_type\":\"web\","
    "\"redirect_uris\":[\"https://c.example/cb\"],\"token_endpoint_auth_methods\":[\"none\"],"
    "\"grant_types\":[\"authorization_code\"],\"response_types\":[\"code\"],"
    "\"client_secret_sha256\":[],\"allow\":[],\"lifetimes_ms\":{},"
    "\"id_token_signed_response_alg\":\"RS256\"}";

START_TEST(test_good_text)
{
    oas_client_t *out;

    ck_assert_int_eq(oas_client_from_json(&out, good, pool), APR_SUCCESS);
    ck_assert_int_eq(out->require_pkce, 1);
    ck_assert_int_eq(out->first_party, 0);
}
END_TEST

/* The same by clients that may have it. */
START_TEST(test_trusted_grants)
{
    oas_client_t *client = sample();
    oas_client_t *out;

    client->grant_types = OAS_GRANT_PASSWORD | OAS_GRANT_CLIENT_CREDENTIALS;
    ck_assert_int_eq(oas_client_from_json(&out, oas_client_to_json(client, pool), pool),
                     OAS_CLIENT_UNSOUND); /* no password reaches its acr */
    client->required_acr = NULL;
    ck_assert_uint_eq(travel(client)->grant_types, client->grant_types);
    client->auth_methods = OAS_AUTH_SELF_SIGNED_TLS;
    ck_assert_int_eq(travel(client)->certificate, OAS_CERTIFICATE_SELF_SIGNED);
}
END_TEST

static void expect_refused(const change_t *change, apr_status_t expected)
{
    const char *at = strstr(good, change->from);
    oas_client_t *out;
    char *text;

    ck_assert_ptr_nonnull(at);
    text = apr_pstrcat(pool, apr_pstrmemdup(pool, good, (apr_size_t)(at - good)), change->to,
                       at + strlen(change->from), NULL);
    ck_assert_msg(oas_client_from_json(&out, text, pool) == expected, "%s", text);
    ck_assert_ptr_null(out);
}

START_TEST(test_bad_text)
{
    expect_refused(&bad[_i], APR_EINVAL);
}
END_TEST

START_TEST(test_unsound_client)
{
    expect_refused(&unsound[_i], OAS_CLIENT_UNSOUND);
}
END_TEST

Suite *store_client_suite(void)
{
    Suite *suite = suite_create("client");
    TCase *tcase = unit_case(suite, "json");

    tcase_add_test(tcase, test_round_trip);
    tcase_add_test(tcase, test_refresh_and_front_channel);
    tcase_add_test(tcase, test_keys_and_certificates);
    tcase_add_test(tcase, test_secret_jwt_stays);
    tcase_add_test(tcase, test_sparse_client);
    tcase_add_test(tcase, test_good_text);
    tcase_add_test(tcase, test_trusted_grants);
    tcase_add_loop_test(tcase, test_bad_text, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_loop_test(tcase, test_unsound_client, 0, (int)(sizeof(unsound) / sizeof(unsound[0])));
    return suite;
}
