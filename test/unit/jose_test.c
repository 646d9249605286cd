/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_test.h"

#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#define RFC_RSA_D                                                                                  \
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXO" \
    "oAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51" \
    "gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3c" \
    "cPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"
#define RFC_EC_D "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define RFC_ED_D "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"

apr_pool_t *pool;

static void setup(void)
{
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
}

/* No function of the room may leave anything in OpenSSL's queue: mod_ssl would take it for its own.
 */
static void teardown(void)
{
    unsigned long left = ERR_peek_error();

    apr_pool_destroy(pool);
    ck_assert_msg(left == 0, "an error was left in OpenSSL's queue: %lx", left);
}

TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

json_t *json_of(const char *text)
{
    json_t *json;

    ck_assert_msg(oas_json_parse(&json, text, strlen(text), strlen(text), pool) == APR_SUCCESS,
                  "not JSON: %s", text);
    return json;
}

apr_status_t parse_status(const char *text)
{
    oas_jwk_t *jwk;

    return oas_jwk_parse(&jwk, json_of(text), pool);
}

oas_jwk_t *public_of(const char *text)
{
    oas_jwk_t *jwk;

    ck_assert_msg(oas_jwk_parse(&jwk, json_of(text), pool) == APR_SUCCESS, "refused: %s", text);
    return jwk;
}

static BIGNUM *number_of(const char *text)
{
    oas_bytes_t bytes;

    ck_assert_int_eq(oas_base64url_decode(pool, text, strlen(text), &bytes), APR_SUCCESS);
    return BN_bin2bn(bytes.data, (int)bytes.len, NULL);
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *key = NULL;

    ck_assert_int_eq(EVP_PKEY_fromdata_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *rsa_private(void)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = number_of(RFC_RSA_N), *e = number_of("AQAB"), *d = number_of(RFC_RSA_D);
    EVP_PKEY *key;

    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d);
    key = key_from("RSA", build);
    BN_free(n);
    BN_free(e);
    BN_free(d);
    return key;
}

static EVP_PKEY *ec_private(void)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    unsigned char point[65] = {4};
    oas_bytes_t x, y;
    BIGNUM *d = number_of(RFC_EC_D);
    EVP_PKEY *key;

    ck_assert_int_eq(oas_base64url_decode(pool, RFC_EC_X, strlen(RFC_EC_X), &x), APR_SUCCESS);
    ck_assert_int_eq(oas_base64url_decode(pool, RFC_EC_Y, strlen(RFC_EC_Y), &y), APR_SUCCESS);
    memcpy(point + 1, x.data, 32);
    memcpy(point + 33, y.data, 32);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d);
    key = key_from("EC", build);
    BN_free(d);
    return key;
}

static EVP_PKEY *ed_private(void)
{
    oas_bytes_t d;

    ck_assert_int_eq(oas_base64url_decode(pool, RFC_ED_D, strlen(RFC_ED_D), &d), APR_SUCCESS);
    return EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, d.data, d.len);
}

oas_jwk_t *private_for(const char *alg)
{
    static EVP_PKEY *(*const make[OAS_KIND_COUNT])(void) = {rsa_private, ec_private, ed_private};
    const char *why = "";
    oas_jwk_t *jwk;

    ck_assert_int_eq(oas_jwk_create(&jwk, make[oas_alg_find(alg)->kind](), &why, pool),
                     APR_SUCCESS);
    ck_assert_ptr_null(why);
    return jwk;
}

oas_keyset_t *full_set(void)
{
    oas_keyset_t *set = oas_keyset_create(pool);
    const oas_alg_t *alg;
    int i;

    for (i = 0; (alg = oas_alg_at(i)) != NULL; i++) {
        ck_assert_int_eq(oas_keyset_add(set, private_for(oas_alg_name(alg)), alg, OAS_KEY_ACTIVE),
                         APR_SUCCESS);
    }
    return set;
}

char *compact(const char *header, const char *payload, const char *signature)
{
    return apr_pstrcat(pool, oas_base64url_encode(pool, header, strlen(header)), ".",
                       oas_base64url_encode(pool, payload, strlen(payload)), ".", signature, NULL);
}

apr_status_t check_with(const char *text, const oas_jwk_t *jwk)
{
    oas_jws_t *jws;
    apr_status_t status = oas_jws_parse(&jws, text, strlen(text), pool);

    return status == APR_SUCCESS ? oas_jws_verify(jws, jwk) : status;
}

apr_status_t check_own(const char *text, const oas_keyset_t *set)
{
    oas_jws_t *jws;
    apr_status_t status = oas_jws_parse(&jws, text, strlen(text), pool);

    return status == APR_SUCCESS ? oas_jws_verify_own(jws, set) : status;
}

int main(void)
{
    SRunner *runner = srunner_create(rfc_suite());
    int failed;

    srunner_add_suite(runner, key_suite());
    srunner_add_suite(runner, load_suite());
    srunner_add_suite(runner, sealed_suite());
    srunner_add_suite(runner, sign_suite());
    srunner_add_suite(runner, refuse_suite());
    srunner_add_suite(runner, claims_suite());
    srunner_add_suite(runner, vectors_suite());
    srunner_add_suite(runner, jwks_suite());
    apr_initialize();
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
