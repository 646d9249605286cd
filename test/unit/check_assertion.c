/* SPDX-License-Identifier: Apache-2.0 */
/* private_key_jwt and client_secret_jwt: what an assertion must say and who must have signed it. */
#include "check_test.h"

#include <openssl/hmac.h>
#include "../../lib/base/json.h"
#include "../../lib/check/assertion.h"
#include "../../lib/check/client_auth.h"
#include "../../lib/jose/jwks.h"
#include "../../lib/store/jti.h"

#define SECRET "a secret of the client, longer than 32 bytes"

apr_status_t __wrap_oas_store_jti_use(oas_db_t *db, const unsigned char key[OAS_SHA256_LEN],
                                      apr_int64_t expires, const unsigned char attempt[OAS_ID_LEN],
                                      apr_pool_t *p);

/* What the list of used assertions was asked, and what it answers. */
static struct {
    int calls;
    unsigned char key[OAS_SHA256_LEN];
    apr_int64_t expires;
    apr_status_t answer;
} list;

apr_status_t __wrap_oas_store_jti_use(oas_db_t *db, const unsigned char key[OAS_SHA256_LEN],
                                      apr_int64_t expires, const unsigned char attempt[OAS_ID_LEN],
                                      apr_pool_t *p)
{
    list.calls++;
    memcpy(list.key, key, OAS_SHA256_LEN);
    list.expires = expires;
    return list.answer;
}

static const char *const key_types[] = {"RSA", "EC", "ED25519"};

static EVP_PKEY *generate(const char *type)
{
    return strcmp(type, "RSA") == 0  ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
           : strcmp(type, "EC") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                     : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* A set with one signer for each algorithm that a key of this type has. */
static oas_keyset_t *keys_of(const char *type)
{
    oas_keyset_t *set = oas_keyset_create(pool);
    const oas_alg_t *alg;
    const char *why;
    oas_jwk_t *jwk;
    int i;

    ck_assert_int_eq(oas_jwk_create(&jwk, generate(type), &why, pool), APR_SUCCESS);
    for (i = 0; (alg = oas_alg_at(i)) != NULL; i++) {
        if (oas_jwk_fits(jwk, alg)) {
            ck_assert_int_eq(oas_keyset_add(set, jwk, alg, OAS_KEY_ACTIVE), APR_SUCCESS);
        }
    }
    return set;
}

static oas_jwks_t *public_half(const oas_keyset_t *set)
{
    const char *why;
    oas_jwks_t *jwks;

    ck_assert_int_eq(oas_jwks_parse(&jwks, oas_keyset_public(set, pool), &why, pool), APR_SUCCESS);
    return jwks;
}

/*
 * The claims of a good assertion, changed by `patch` ('null' takes a member away; quotes are single
 * ones). Whole numbers count from now.
 */
static const char *claims_with(const char *patch)
{
    char *text = apr_pstrdup(pool, patch);
    apr_int64_t now = apr_time_sec(apr_time_now());
    json_t *claims = oas_json_object(pool);
    json_t *changes, *value;
    const char *name;
    char *p;

    for (p = text; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_object_update_new(claims, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "iss", "app", "sub",
                                             "app", "aud", "https://as.example/", "jti", "j1",
                                             "exp", (json_int_t)now + 60, "iat", (json_int_t)now));
    ck_assert_int_eq(oas_json_parse(&changes, text, strlen(text), strlen(text), pool), APR_SUCCESS);
    json_object_foreach(changes, name, value)
    {
        if (json_is_null(value)) {
            json_object_del(claims, name);
        } else if (json_is_integer(value)) {
            json_object_set_new(claims, name, json_integer(json_integer_value(value) + now));
        } else {
            json_object_set(claims, name, value);
        }
    }
    return oas_json_text(pool, claims);
}

static const char *signed_by(const oas_keyset_t *keys, const char *alg, const char *typ,
                             const char *claims)
{
    const char *out;

    ck_assert_int_eq(
        oas_jws_sign(&out, oas_keyset_signer(keys, alg), typ, claims, strlen(claims), pool),
        APR_SUCCESS);
    return out;
}

static const char *with_header(const char *header, const char *claims, const void *key, int key_len)
{
    const char *text = apr_pstrcat(pool, oas_base64url_encode(pool, header, strlen(header)), ".",
                                   oas_base64url_encode(pool, claims, strlen(claims)), NULL);
    unsigned char mac[OAS_SHA256_LEN];

    HMAC(EVP_sha256(), key, key_len, (const unsigned char *)text, strlen(text), mac, NULL);
    return apr_pstrcat(pool, text, ".", oas_base64url_encode(pool, mac, sizeof(mac)), NULL);
}

static const char *signed_with_secret(const char *secret, const char *claims)
{
    return with_header("{\"alg\":\"HS256\"}", claims, secret, (int)strlen(secret));
}

/* A token request of a client that is registered for `methods`. */
static oas_tx_t *tx_for(unsigned methods, const oas_keyset_t *keys)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_client_t *client = (oas_client_t *)tx->client;
    oas_bytes_t *secret;

    ((oas_issuer_t *)tx->issuer)->endpoint_urls[OAS_EP_TOKEN] = "https://as.example/oauth/token";
    tx->endpoint = OAS_EP_TOKEN;
    client->auth_methods = methods;
    client->jwks = keys != NULL ? public_half(keys) : NULL;
    client->hmac_secrets = apr_array_make(pool, 2, sizeof(oas_bytes_t));
    secret = apr_array_push(client->hmac_secrets);
    *secret = (oas_bytes_t){(const unsigned char *)"another one, during a change of secret", 38};
    secret = apr_array_push(client->hmac_secrets);
    *secret = (oas_bytes_t){(const unsigned char *)SECRET, sizeof(SECRET) - 1};
    client = apr_pmemdup(pool, client, sizeof(*client)); /* a neighbour with keys of its own */
    client->client_id = "other";
    client->jwks = public_half(keys_of("EC"));
    apr_hash_set(tx->issuer->clients, "other", APR_HASH_KEY_STRING, client);
    tx->client = NULL;
    memset(&list, 0, sizeof(list));
    oas_params_add(tx->params, "client_assertion_type", OAS_ASSERTION_TYPE);
    return tx;
}

static oas_error_id_t outcome(oas_tx_t *tx, const char *assertion)
{
    oas_params_add(tx->params, "client_assertion", assertion);
    ck_assert_int_eq(oas_check_client_auth(tx), tx->error == OAS_E_NONE ? OAS_NEXT : OAS_FAILED);
    return tx->error;
}

static const struct {
    const char *patch;
    int good;
} claims[] = {
    {"{}", 1},
    {"{'aud':'https://as.example/oauth/token'}", 1},
    {"{'aud':['x','https://as.example/']}", 1},
    {"{'aud':['https://as.example/oauth/token']}", 1},
    {"{'aud':'https://as.example'}", 0}, /* without the slash it is another one */
    {"{'aud':'https://as.example/authorize'}", 0},
    {"{'aud':'https://evil.example/'}", 0},
    {"{'aud':[]}", 0},
    {"{'aud':{'https://as.example/':1}}", 0},
    {"{'aud':null}", 0},
    {"{'iss':'other'}", 0},
    {"{'sub':'other'}", 0},
    {"{'iss':'other','sub':'other'}", 0},
    {"{'iss':null}", 0},
    {"{'sub':null}", 0},
    {"{'sub':['app']}", 0},
    {"{'iss':'','sub':''}", 0},
    {"{'jti':null}", 0},
    {"{'jti':''}", 0},
    {"{'jti':5}", 0},
    {"{'exp':null}", 0},
    {"{'exp':'soon'}", 0},
    {"{'exp':-59}", 1}, /* within the skew of 60 s */
    {"{'exp':-61}", 0},
    {"{'exp':3600}", 1},
    {"{'exp':3700}", 0},
    {"{'exp':1e300}", 0},
    {"{'iat':null}", 1},
    {"{'iat':50}", 1},
    {"{'iat':70}", 0},
    {"{'iat':'now'}", 0},
    {"{'nbf':50}", 1},
    {"{'nbf':70}", 0},
    {"{'nbf':true}", 0},
};

START_TEST(claims_of_an_assertion)
{
    const oas_keyset_t *keys = keys_of("EC");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys);
    oas_error_id_t error =
        outcome(tx, signed_by(keys, "ES256", "JWT", claims_with(claims[_i].patch)));

    ck_assert_msg((error == OAS_E_NONE) == claims[_i].good, "%s: %d", claims[_i].patch, error);
    ck_assert_msg(error == OAS_E_NONE || error == OAS_E_ASSERTION_INVALID, "%s: %d",
                  claims[_i].patch, error);
    ck_assert_int_eq(list.calls, claims[_i].good); /* only a good one costs a statement */
}
END_TEST

static const struct {
    const char *alg;
    int type;
} algs[] = {{"RS256", 0}, {"PS256", 0}, {"ES256", 1}, {"EdDSA", 2}};

START_TEST(algorithms)
{
    const oas_keyset_t *keys = keys_of(key_types[algs[_i].type]);
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys);
    apr_int64_t now = apr_time_sec(apr_time_now());

    ck_assert_int_eq(outcome(tx, signed_by(keys, algs[_i].alg, NULL, claims_with("{}"))),
                     OAS_E_NONE);
    ck_assert_uint_eq(tx->auth_method, OAS_AUTH_PRIVATE_KEY_JWT);
    ck_assert_str_eq(tx->client->client_id, "app");
    /* exp, and the skew of either clock: until then the same one might be taken again */
    ck_assert_int_ge(list.expires, now + 60 + 120);
    ck_assert_int_le(list.expires, now + 62 + 120);
}
END_TEST

START_TEST(foreign_key)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys_of("EC"));

    ck_assert_int_eq(outcome(tx, signed_by(keys_of("EC"), "ES256", NULL, claims_with("{}"))),
                     OAS_E_ASSERTION_INVALID);
    ck_assert_int_eq(list.calls, 0);
}
END_TEST

static const struct {
    const char *typ;
    int good;
} types[] = {
    {"JWT", 1},
    {"jwt", 1},
    {"application/jwt", 1},
    {"client-authentication+jwt", 1},
    {"at+jwt", 0},
    {"logout+jwt", 0},
    {"", 0},
};

START_TEST(type_of_an_assertion)
{
    const oas_keyset_t *keys = keys_of("EC");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys);

    ck_assert_int_eq(outcome(tx, signed_by(keys, "ES256", types[_i].typ, claims_with("{}"))),
                     types[_i].good ? OAS_E_NONE : OAS_E_ASSERTION_INVALID);
}
END_TEST

/* The public key, which anybody can have, is no secret for an HMAC. */
START_TEST(public_key_as_secret)
{
    const oas_keyset_t *keys = keys_of("RSA");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT | OAS_AUTH_SECRET_JWT, keys);
    const char *jwk = oas_json_text(pool, oas_keyset_public(keys, pool));

    ck_assert_int_eq(outcome(tx, signed_with_secret(jwk, claims_with("{}"))),
                     OAS_E_ASSERTION_INVALID);
}
END_TEST

static const char *const unsafe_headers[] = {
    "{\"alg\":\"none\"}",
    "{\"alg\":\"None\"}",
    "{\"alg\":\"HS384\"}",
    "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}",
    "{\"alg\":\"ES256\",\"jku\":\"https://evil.example/keys\"}",
    "{\"alg\":\"ES256\",\"x5u\":\"https://evil.example/cert\"}",
    "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
    "{}",
};

START_TEST(unsafe_header)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT | OAS_AUTH_SECRET_JWT, keys_of("EC"));

    ck_assert_int_eq(
        outcome(tx, with_header(unsafe_headers[_i], claims_with("{}"), SECRET, sizeof(SECRET) - 1)),
        OAS_E_ASSERTION_INVALID);
    ck_assert_int_eq(list.calls, 0);
}
END_TEST

START_TEST(unsigned_assertion)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys_of("EC"));
    const char *text = claims_with("{}");

    ck_assert_int_eq(
        outcome(tx, apr_pstrcat(pool, "eyJhbGciOiJub25lIn0.",
                                oas_base64url_encode(pool, text, strlen(text)), ".", NULL)),
        OAS_E_ASSERTION_INVALID);
}
END_TEST

START_TEST(by_secret)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_SECRET_JWT, NULL);

    ck_assert_int_eq(outcome(tx, signed_with_secret(SECRET, claims_with("{}"))), OAS_E_NONE);
    ck_assert_uint_eq(tx->auth_method, OAS_AUTH_SECRET_JWT);
    ck_assert_int_eq(list.calls, 1);
    tx = tx_for(OAS_AUTH_SECRET_JWT, NULL);
    ck_assert_int_eq(
        outcome(tx, signed_with_secret("wrong, but also longer than 32 bytes", claims_with("{}"))),
        OAS_E_ASSERTION_INVALID);
    ck_assert_int_eq(list.calls, 0);
}
END_TEST

/* A node that has only the hash of the secret, and a secret that is too short to be one. */
START_TEST(without_a_clear_secret)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_SECRET_JWT, NULL);
    oas_client_t *client = apr_hash_get(tx->issuer->clients, "app", APR_HASH_KEY_STRING);
    oas_bytes_t *secret = &APR_ARRAY_IDX(client->hmac_secrets, 1, oas_bytes_t);

    secret->len = 31;
    ck_assert_int_eq(outcome(tx, with_header("{\"alg\":\"HS256\"}", claims_with("{}"), SECRET, 31)),
                     OAS_E_ASSERTION_INVALID);
    tx = tx_for(OAS_AUTH_SECRET_JWT, NULL);
    client = apr_hash_get(tx->issuer->clients, "app", APR_HASH_KEY_STRING);
    client->hmac_secrets = NULL;
    ck_assert_int_eq(outcome(tx, signed_with_secret(SECRET, claims_with("{}"))),
                     OAS_E_ASSERTION_INVALID);
}
END_TEST

START_TEST(method_not_registered)
{
    const oas_keyset_t *keys = keys_of("EC");

    ck_assert_int_eq(outcome(tx_for(OAS_AUTH_SECRET_BASIC | OAS_AUTH_SECRET_JWT, keys),
                             signed_by(keys, "ES256", NULL, claims_with("{}"))),
                     OAS_E_CLIENT_AUTH_METHOD);
    ck_assert_int_eq(outcome(tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys),
                             signed_with_secret(SECRET, claims_with("{}"))),
                     OAS_E_CLIENT_AUTH_METHOD);
}
END_TEST

START_TEST(replay)
{
    const oas_keyset_t *keys = keys_of("EC");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys);
    unsigned char first[OAS_SHA256_LEN];

    list.answer = APR_EEXIST;
    ck_assert_int_eq(outcome(tx, signed_by(keys, "ES256", NULL, claims_with("{}"))),
                     OAS_E_ASSERTION_INVALID);
    memcpy(first, list.key, sizeof(first));
    tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys);
    list.answer = OAS_DB_UNAVAILABLE;
    ck_assert_int_eq(outcome(tx, signed_by(keys, "ES256", NULL, claims_with("{'jti':'j2'}"))),
                     OAS_E_UNAVAILABLE);
    ck_assert(!oas_equal(first, list.key, sizeof(first)));
}
END_TEST

/* Issuer alone, as a string (FAPI 2.0 section 5.3.2.1). */
START_TEST(strict_audience)
{
    static const struct {
        const char *patch;
        int good;
    } cases[] = {
        {"{}", 1},
        {"{'aud':['https://as.example/']}", 0},
        {"{'aud':'https://as.example/oauth/token'}", 0},
    };
    const oas_keyset_t *keys = keys_of("EC");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys);
    oas_client_t *client = apr_hash_get(tx->issuer->clients, "app", APR_HASH_KEY_STRING);

    client->assertion_audience = OAS_ASSERTION_ISSUER;
    ck_assert_int_eq(outcome(tx, signed_by(keys, "ES256", NULL, claims_with(cases[_i].patch))),
                     cases[_i].good ? OAS_E_NONE : OAS_E_ASSERTION_INVALID);
}
END_TEST

/* Beside the assertion. */
static const struct {
    const char *params, *authorization;
    oas_error_id_t error;
} others[] = {
    {"client_id=app", NULL, OAS_E_NONE},
    {"client_id=other", NULL, OAS_E_CLIENT_AUTH_SEVERAL},
    {"client_secret=x", NULL, OAS_E_CLIENT_AUTH_SEVERAL},
    {"", "Basic YXBwOnMzY3JldA==", OAS_E_CLIENT_AUTH_SEVERAL},
    {"", "Bearer x", OAS_E_NONE},
};

START_TEST(several_methods)
{
    const oas_keyset_t *keys = keys_of("EC");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT | OAS_AUTH_SECRET_BASIC, keys);

    fake_params(tx, others[_i].params);
    oas_params_add(tx->params, "client_assertion_type", OAS_ASSERTION_TYPE);
    tx->request.authorization = others[_i].authorization;
    ck_assert_int_eq(outcome(tx, signed_by(keys, "ES256", NULL, claims_with("{}"))),
                     others[_i].error);
    ck_assert_int_eq(list.calls, others[_i].error == OAS_E_NONE);
}
END_TEST

static const case_t incomplete[] = {
    {"client_assertion=x", OAS_E_ASSERTION_TYPE},
    {"client_assertion=x&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-"
     "bearer",
     OAS_E_ASSERTION_TYPE},
    {"client_assertion_type=" OAS_ASSERTION_TYPE, OAS_E_ASSERTION_INVALID},
    {"client_assertion=x&client_assertion_type=" OAS_ASSERTION_TYPE, OAS_E_ASSERTION_INVALID},
    {"client_assertion=..&client_assertion_type=" OAS_ASSERTION_TYPE, OAS_E_ASSERTION_INVALID},
    {"client_assertion=e30.e30.e30&client_assertion_type=" OAS_ASSERTION_TYPE,
     OAS_E_ASSERTION_INVALID},
};

START_TEST(incomplete_assertion)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, NULL);

    run_case(tx, oas_check_client_auth, &incomplete[_i]);
}
END_TEST

START_TEST(unknown_client)
{
    const oas_keyset_t *keys = keys_of("EC");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys);
    char *id = apr_palloc(pool, 301);

    memset(id, 'x', 300); /* longer than any, so that no database is asked */
    id[300] = '\0';
    ck_assert_int_eq(
        outcome(tx, signed_by(keys, "ES256", NULL,
                              claims_with(apr_psprintf(pool, "{'iss':'%s','sub':'%s'}", id, id)))),
        OAS_E_ASSERTION_INVALID);
}
END_TEST

/* 100 kB, and JSON that is nested deeper than anything sensible. */
START_TEST(huge_assertion)
{
    const oas_keyset_t *keys = keys_of("EC");
    char *padding = apr_palloc(pool, 100001);
    char *nested = apr_palloc(pool, 8001);

    memset(padding, 'x', 100000);
    padding[100000] = '\0';
    ck_assert_int_eq(outcome(tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys),
                             signed_by(keys, "ES256", NULL,
                                       claims_with(apr_psprintf(pool, "{'x':'%s'}", padding)))),
                     OAS_E_ASSERTION_INVALID);
    memset(nested, '[', 8000);
    nested[8000] = '\0';
    ck_assert_int_eq(
        outcome(tx_for(OAS_AUTH_PRIVATE_KEY_JWT, keys), signed_by(keys, "ES256", NULL, nested)),
        OAS_E_ASSERTION_INVALID);
}
END_TEST

/* Keys that would have to be fetched by a process that fetches nothing: not the client's fault. */
START_TEST(keys_cannot_be_fetched)
{
    const oas_keyset_t *keys = keys_of("EC");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, NULL);
    oas_client_t *client = apr_hash_get(tx->issuer->clients, "app", APR_HASH_KEY_STRING);

    client->jwks_uri = "https://app.example/keys";
    tx->db = oas_db_create(pool, NULL, NULL, NULL, NULL, 0, NULL);
    ck_assert_int_eq(outcome(tx, signed_by(keys, "ES256", NULL, claims_with("{}"))),
                     OAS_E_CLIENT_KEYS_UNAVAILABLE);
    ck_assert_int_gt(tx->retry_after, 0);
}
END_TEST

START_TEST(registered_key_set_as_text)
{
    const oas_keyset_t *keys = keys_of("EC");
    oas_tx_t *tx = tx_for(OAS_AUTH_PRIVATE_KEY_JWT, NULL);
    oas_client_t *client = apr_hash_get(tx->issuer->clients, "app", APR_HASH_KEY_STRING);

    client->jwks_json = oas_json_text(pool, oas_keyset_public(keys, pool));
    ck_assert_int_eq(outcome(tx, signed_by(keys, "ES256", NULL, claims_with("{}"))), OAS_E_NONE);
}
END_TEST

void add_assertion_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "assertion");

    LOOP(tcase, claims_of_an_assertion, claims);
    LOOP(tcase, algorithms, algs);
    tcase_add_test(tcase, foreign_key);
    LOOP(tcase, type_of_an_assertion, types);
    tcase_add_test(tcase, public_key_as_secret);
    LOOP(tcase, unsafe_header, unsafe_headers);
    tcase_add_test(tcase, unsigned_assertion);
    tcase_add_test(tcase, by_secret);
    tcase_add_test(tcase, without_a_clear_secret);
    tcase_add_test(tcase, method_not_registered);
    tcase_add_test(tcase, replay);
    tcase_add_loop_test(tcase, strict_audience, 0, 3);
    LOOP(tcase, several_methods, others);
    LOOP(tcase, incomplete_assertion, incomplete);
    tcase_add_test(tcase, unknown_client);
    tcase_add_test(tcase, huge_assertion);
    tcase_add_test(tcase, keys_cannot_be_fetched);
    tcase_add_test(tcase, registered_key_set_as_text);
}
