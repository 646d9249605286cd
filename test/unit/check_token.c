/* SPDX-License-Identifier: Apache-2.0 */
#include "check_test.h"

#include "../../lib/check/bearer.h"
#include "../../lib/check/client_auth.h"
#include "../../lib/check/code.h"
#include "../../lib/check/grant_type.h"
#include "../../lib/check/prompt.h"
#include "../../lib/check/token.h"
#include "../../lib/jose/jwt.h"

/* ---- client authentication ---- */

START_TEST(basic_header)
{
    const char *id, *secret;

    ck_assert_int_eq(oas_basic_parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", &id, &secret, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(id, "Aladdin"); /* RFC 7617 section 2 */
    ck_assert_str_eq(secret, "open sesame");
    ck_assert_int_eq(oas_basic_parse("basic YSUzQWI6Yys=", &id, &secret, pool), APR_SUCCESS);
    ck_assert_str_eq(id, "a:b"); /* RFC 6749 section 2.3.1: each half is form-encoded */
    ck_assert_str_eq(secret, "c ");
}
END_TEST

static const struct {
    const char *header;
    apr_status_t status;
} headers[] = {
    {NULL, APR_ENOENT},         {"Bearer x", APR_ENOENT},       {"Basic", APR_ENOENT},
    {"Basic ", APR_EINVAL},     {"Basic !!!!", APR_EINVAL},     {"Basic YWI=", APR_EINVAL},
    {"Basic OmI=", APR_EINVAL}, {"Basic YSU6Yg==", APR_EINVAL}, {"Basic YTpiAA==", APR_EINVAL},
};

START_TEST(basic_refused)
{
    const char *id, *secret;

    ck_assert_int_eq(oas_basic_parse(headers[_i].header, &id, &secret, pool), headers[_i].status);
}
END_TEST

static const struct {
    const char *authorization, *params;
    unsigned methods;
    oas_error_id_t error;
} logins[] = {
    {NULL, "client_id=app", OAS_AUTH_NONE, OAS_E_NONE},
    {NULL, "client_id=app&client_secret=s3cret", OAS_AUTH_SECRET_POST, OAS_E_NONE},
    {"Basic YXBwOnMzY3JldA==", "", OAS_AUTH_SECRET_BASIC, OAS_E_NONE},
    {"Basic YXBwOnMzY3JldA==", "client_id=app", OAS_AUTH_SECRET_BASIC, OAS_E_NONE},
    {NULL, "", OAS_AUTH_NONE, OAS_E_CLIENT_AUTH},
    {NULL, "client_id=app&client_secret=wrong", OAS_AUTH_SECRET_POST, OAS_E_CLIENT_AUTH},
    {"Basic YXBwOndyb25n", "", OAS_AUTH_SECRET_BASIC, OAS_E_CLIENT_AUTH},
    {"Basic YXBwOnMzY3JldA==", "client_secret=s3cret", OAS_AUTH_SECRET_BASIC,
     OAS_E_CLIENT_AUTH_SEVERAL},
    {"Basic YXBwOnMzY3JldA==", "client_id=other", OAS_AUTH_SECRET_BASIC, OAS_E_CLIENT_AUTH_SEVERAL},
    {"Basic ???", "", OAS_AUTH_SECRET_BASIC, OAS_E_CLIENT_AUTH_BASIC},
    {NULL, "client_id=app", OAS_AUTH_SECRET_BASIC, OAS_E_CLIENT_AUTH_METHOD},
    {NULL, "client_id=app&client_secret=s3cret", OAS_AUTH_SECRET_BASIC, OAS_E_CLIENT_AUTH_METHOD},
    {NULL, "client_id=app&client_secret=s3cret", OAS_AUTH_NONE, OAS_E_CLIENT_AUTH_METHOD},
    {NULL, "client_id=app&client_assertion=x", OAS_AUTH_NONE, OAS_E_ASSERTION_TYPE},
};

START_TEST(client_auth_cases)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_client_t *client = (oas_client_t *)tx->client;
    case_t test = {logins[_i].params, logins[_i].error};
    oas_client_secret_t *secret = apr_array_push(client->secrets);

    oas_sha256("old", 3, secret->sha256);
    secret = apr_array_push(client->secrets); /* two live secrets during a change */
    oas_sha256("s3cret", 6, secret->sha256);
    client->auth_methods = logins[_i].methods;
    tx->client = NULL;
    tx->request.authorization = logins[_i].authorization;
    run_case(tx, oas_check_client_auth, &test);
    if (test.error == OAS_E_NONE) {
        ck_assert_uint_eq(tx->auth_method, logins[_i].methods);
    }
}
END_TEST

/* ---- code ---- */

#define CODE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const case_t codes[] = {
    {"code=" CODE, OAS_E_NONE},
    {"code=" CODE "&code_verifier=" VERIFIER, OAS_E_NONE},
    {"", OAS_E_CODE_MISSING},
    {"code=x", OAS_E_CODE_INVALID},
    {"code=" CODE "A", OAS_E_CODE_INVALID},
    {"code=" CODE "&code_verifier=short", OAS_E_VERIFIER_MALFORMED},
};

START_TEST(code_cases)
{
    run_case(fake_tx(pool), oas_check_code, &codes[_i]);
}
END_TEST

static const case_t grant_types[] = {
    {"grant_type=authorization_code", OAS_E_NONE},
    {"", OAS_E_GRANT_TYPE_MISSING},
    {"grant_type=made_up", OAS_E_GRANT_TYPE_UNSUPPORTED},
};

START_TEST(grant_type_cases)
{
    run_case(fake_tx(pool), oas_check_grant_type, &grant_types[_i]);
}
END_TEST

START_TEST(grant_type_not_allowed)
{
    oas_tx_t *tx = fake_tx(pool);
    case_t test = {"grant_type=authorization_code", OAS_E_GRANT_TYPE_UNAUTHORIZED};

    ((oas_client_t *)tx->client)->grant_types = 0;
    run_case(tx, oas_check_grant_type, &test);
}
END_TEST

/* ---- access tokens at userinfo ---- */

static oas_keyset_t *new_keys(void)
{
    oas_keyset_t *set = oas_keyset_create(pool);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    const char *why;
    oas_jwk_t *jwk;

    ck_assert_int_eq(oas_jwk_create(&jwk, key, &why, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_keyset_add(set, jwk, oas_alg_find("ES256"), OAS_KEY_ACTIVE), APR_SUCCESS);
    return set;
}

static const struct {
    const char *typ, *claims;
    oas_error_id_t error;
} tokens[] = {
    {"at+jwt",
     "{'iss':'https://as.example/','aud':'https://as.example/','scope':'openid','client_id':'app'}",
     OAS_E_NONE},
    {"at+jwt",
     "{'iss':'https://as.example/','aud':['x','https://as.example/userinfo'],'scope':'a "
     "openid','client_id':'app'}",
     OAS_E_NONE},
    {"JWT",
     "{'iss':'https://as.example/','aud':'https://as.example/','scope':'openid','client_id':'app'}",
     OAS_E_BEARER_INVALID},
    {"at+jwt",
     "{'iss':'https://as2.example/','aud':'https://as.example/"
     "','scope':'openid','client_id':'app'}",
     OAS_E_BEARER_INVALID},
    {"at+jwt",
     "{'iss':'https://as.example/','aud':'https://api.example/"
     "','scope':'openid','client_id':'app'}",
     OAS_E_BEARER_INVALID},
    {"at+jwt",
     "{'iss':'https://as.example/','aud':'https://as.example/','scope':'email','client_id':'app'}",
     OAS_E_BEARER_SCOPE},
    {"at+jwt", "{'iss':'https://as.example/','aud':'https://as.example/','client_id':'app'}",
     OAS_E_BEARER_SCOPE},
    {"at+jwt", "{'aud':'https://as.example/','scope':'openid','client_id':'app'}",
     OAS_E_BEARER_INVALID},
};

static const char *sign(const oas_keyset_t *keys, const char *typ, const char *claims)
{
    char *json = apr_pstrdup(pool, claims);
    const char *token;
    char *p;

    for (p = json; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    ck_assert_int_eq(oas_jws_sign(&token, oas_keyset_default(keys), typ, json, strlen(json), pool),
                     APR_SUCCESS);
    return token;
}

START_TEST(access_token_cases)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_keyset_t *keys = new_keys();

    tx->keys = keys;
    tx->client = NULL;
    tx->request.authorization =
        apr_pstrcat(pool, "bearer ", sign(keys, tokens[_i].typ, tokens[_i].claims), NULL);
    oas_check_access_token(tx);
    ck_assert_int_eq(tx->error, tokens[_i].error);
}
END_TEST

static const struct {
    const char *typ, *claims, *sub;
} hints[] = {
    {"JWT", "{'iss':'https://as.example/','sub':'file|a','aud':'app','exp':1}",
     "file|a"}, /* expired is fine */
    {"JWT", "{'iss':'https://as.example/','sub':'file|a','exp':1}", ""},
    {"JWT", "{'iss':'https://as.example/','sub':'file|a','aud':'a b'}", ""}, /* no such client */
    {"JWT", "{'iss':'https://as2.example/','sub':'file|a'}", ""},
    {"JWT", "{'iss':'https://as.example/'}", ""},
    {"at+jwt", "{'iss':'https://as.example/','sub':'file|a'}", ""},
    {"JWT",
     "{'iss':'https://as.example/','sub':'file|a','aud':'https://api.example/','azp':'app',"
     "'jti':'x','grant_id':'AAAAAAAAAAAAAAAAAAAAAA'}",
     ""}, /* an access token of dialect auth0 */
};

START_TEST(id_token_hint_cases)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_keyset_t *keys = new_keys();

    tx->keys = keys;
    ck_assert_int_eq(oas_load_id_token_hint(tx), OAS_NEXT);
    ck_assert_ptr_null(tx->hinted_sub);
    oas_params_add(tx->params, "id_token_hint", sign(keys, hints[_i].typ, hints[_i].claims));
    ck_assert_int_eq(oas_load_id_token_hint(tx), OAS_NEXT);
    ck_assert_str_eq(tx->hinted_sub, hints[_i].sub);
    tx->keys = new_keys(); /* a foreign signature */
    ck_assert_int_eq(oas_load_id_token_hint(tx), OAS_NEXT);
    ck_assert_str_eq(tx->hinted_sub, "");
}
END_TEST

START_TEST(access_token_of_foreign_key)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->keys = new_keys();
    tx->request.authorization =
        apr_pstrcat(pool, "Bearer ", sign(new_keys(), "at+jwt", tokens[0].claims), NULL);
    ck_assert_int_eq(oas_check_access_token(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_BEARER_INVALID);
}
END_TEST

/* ---- tokens at revocation and introspection ---- */

#define GRANT "AAECAwQFBgcICQoLDA0ODw"

static const struct {
    const char *typ, *claims;
    oas_token_kind_t kind;
    int has_grant;
    apr_int64_t exp;
} presented[] = {
    {"at+jwt",
     "{'iss':'https://as.example/','client_id':'app','jti':'x','exp':7,'grant_id':'" GRANT "'}",
     OAS_TOKEN_ACCESS, 1, 7},
    {"application/at+jwt", "{'iss':'https://as.example/','azp':'app','jti':'x','exp':7}",
     OAS_TOKEN_ACCESS, 0, 7},
    {"at+jwt", "{'iss':'https://as.example/','client_id':'app','jti':'x','grant_id':'AA'}",
     OAS_TOKEN_ACCESS, 0, 0},
    {"at+jwt", "{'iss':'https://as2.example/','client_id':'app','jti':'x','exp':7}", OAS_TOKEN_NONE,
     0, 0},
    {"JWT", "{'iss':'https://as.example/','aud':'app','azp':'app','exp':7}", OAS_TOKEN_NONE, 0, 0},
    {"JWT", "{'iss':'https://as.example/','aud':['https://api.example/'],'azp':'app','exp':7}",
     OAS_TOKEN_NONE, 0, 0},
    {NULL, "{'iss':'https://as.example/','client_id':'app','exp':7}", OAS_TOKEN_NONE, 0, 0},
};

START_TEST(presented_tokens)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_keyset_t *keys = new_keys();
    oas_token_t token;

    tx->keys = keys;
    oas_token_read(tx, sign(keys, presented[_i].typ, presented[_i].claims), &token);
    ck_assert_int_eq(token.kind, presented[_i].kind);
    ck_assert_int_eq(token.has_grant, presented[_i].has_grant);
    ck_assert_int_eq(token.exp, presented[_i].exp);
    if (token.kind == OAS_TOKEN_ACCESS) {
        ck_assert_str_eq(token.client_id, "app");
        ck_assert_str_eq(token.jti, "x");
    } else {
        ck_assert_ptr_nonnull(token.why);
    }
}
END_TEST

/* Tokens of the dialect auth0 have the type of ID tokens, and must never be taken for each other.
 */
static const struct {
    const char *claims;
    oas_token_kind_t kind;
} untyped[] = {
    {"{'iss':'https://as.example/','aud':'https://api.example/','azp':'app','jti':'x','exp':7,"
     "'grant_id':'AAAAAAAAAAAAAAAAAAAAAA'}",
     OAS_TOKEN_ACCESS},
    {"{'iss':'https://as.example/','aud':'https://api.example/','azp':'app','jti':'x','exp':7,"
     "'gty':'client-credentials'}",
     OAS_TOKEN_ACCESS},
    {"{'iss':'https://as.example/','aud':'app','azp':'app','jti':'x','exp':7,"
     "'grant_id':'AAAAAAAAAAAAAAAAAAAAAA'}",
     OAS_TOKEN_NONE},
    {"{'iss':'https://as.example/','aud':['https://api.example/','app'],'azp':'app','jti':'x',"
     "'exp':7,'gty':'password'}",
     OAS_TOKEN_NONE},
    {"{'iss':'https://as.example/','aud':'https://api.example/','azp':'app','exp':7,"
     "'grant_id':'AAAAAAAAAAAAAAAAAAAAAA'}",
     OAS_TOKEN_NONE},
    {"{'iss':'https://as.example/','aud':'https://api.example/','azp':'app','jti':'x','exp':7}",
     OAS_TOKEN_NONE},
    {"{'iss':'https://as.example/','aud':'https://api.example/','client_id':'app','jti':'x',"
     "'exp':7,'grant_id':'AAAAAAAAAAAAAAAAAAAAAA'}",
     OAS_TOKEN_NONE},
};

START_TEST(presented_token_of_another_dialect)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_keyset_t *keys = new_keys();
    oas_token_t token;

    tx->keys = keys;
    oas_token_read(tx, sign(keys, "JWT", untyped[_i].claims), &token);
    ck_assert_int_eq(token.kind, untyped[_i].kind);
}
END_TEST

START_TEST(presented_text)
{
    oas_tx_t *tx = fake_tx(pool);
    case_t test = {"token_type_hint=access_token", OAS_E_TOKEN_MISSING};
    unsigned char hash[OAS_SHA256_LEN];
    char secret[OAS_SECRET_LEN] = {0};

    tx->keys = new_keys();
    run_case(tx, oas_check_token, &test);
    tx->error = OAS_E_NONE;
    test = (case_t){"token=" CODE, OAS_E_NONE};
    run_case(tx, oas_check_token, &test);
    ck_assert_int_eq(tx->token->kind, OAS_TOKEN_HANDLE);
    oas_sha256(secret, sizeof(secret), hash);
    ck_assert_int_eq(memcmp(tx->token->hash, hash, sizeof(hash)), 0);
    test = (case_t){"token=" CODE "A", OAS_E_NONE};
    run_case(tx, oas_check_token, &test);
    ck_assert_int_eq(tx->token->kind, OAS_TOKEN_NONE);
}
END_TEST

START_TEST(access_token_places)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_keyset_t *keys = new_keys();
    const char *token = sign(keys, "at+jwt", tokens[0].claims);

    tx->keys = keys;
    ck_assert_int_eq(oas_check_access_token(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_BEARER_MISSING);
    oas_params_add(tx->params, "access_token", token);
    ck_assert_int_eq(oas_check_access_token(tx), OAS_FAILED); /* never in a query */
    ck_assert_int_eq(tx->error, OAS_E_BEARER_MISSING);
    tx->request.method = "POST";
    ck_assert_int_eq(oas_check_access_token(tx), OAS_NEXT);
    tx->request.authorization = apr_pstrcat(pool, "Bearer ", token, NULL);
    ck_assert_int_eq(oas_check_access_token(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_BEARER_SEVERAL);
}
END_TEST

void add_token_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "token");

    tcase_add_test(tcase, basic_header);
    LOOP(tcase, basic_refused, headers);
    LOOP(tcase, client_auth_cases, logins);
    LOOP(tcase, code_cases, codes);
    LOOP(tcase, grant_type_cases, grant_types);
    tcase_add_test(tcase, grant_type_not_allowed);
    LOOP(tcase, access_token_cases, tokens);
    LOOP(tcase, id_token_hint_cases, hints);
    tcase_add_test(tcase, access_token_of_foreign_key);
    LOOP(tcase, presented_tokens, presented);
    LOOP(tcase, presented_token_of_another_dialect, untyped);
    tcase_add_test(tcase, presented_text);
    tcase_add_test(tcase, access_token_places);
}
