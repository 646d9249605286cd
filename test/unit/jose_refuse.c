/* SPDX-License-Identifier: Apache-2.0 */
/* What must never verify. */
#include "jose_test.h"

#include <string.h>
#include <apr_strings.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#define SIG_64                                                                                     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const char *const algs[] = {"RS256", "PS256", "ES256", "EdDSA"};
static const char b64_header[] = "eyJhbGciOiJFZERTQSJ9"; /* {"alg":"EdDSA"} */

static apr_status_t parse_text(const char *text)
{
    oas_jws_t *jws;
    apr_status_t status = oas_jws_parse(&jws, text, strlen(text), pool);

    ck_assert_int_eq(jws != NULL, status == APR_SUCCESS);
    return status;
}

static const char *const bad_texts[] = {
    "",
    ".",
    "..",
    "...",
    "eyJhbGciOiJFZERTQSJ9",
    "eyJhbGciOiJFZERTQSJ9.e30",
    "eyJhbGciOiJFZERTQSJ9.e30.AA.AA",
    "eyJhbGciOiJFZERTQSJ9.e30.AA.",
    "eyJhbGciOiJFZERTQSJ9.e30.AA.AA.AA",
    ".e30.AA",
    "eyJhbGciOiJFZERTQSJ9.e30=.AA",
    "eyJhbGciOiJFZERTQSJ9 .e30.AA",
    " eyJhbGciOiJFZERTQSJ9.e30.AA",
    "eyJhbGciOiJFZERTQSJ9.e30.AA\n",
    "eyJhbGciOiJFZERTQSJ9.e30.AA==",
    "eyJhbGciOiJFZERTQSJ9.e30.AB", /* trailing bits are not zero */
    "eyJhbGciOiJFZERTQSJ9.e31.AA",
    "eyJhbGciOiJFZERTQSJ9.e30.A",
    "eyJhbGciOiJFZERTQSJ9.e30.+/",
    "eyJhbGciOiJFZERTQSJ.e30.AA",
    "{\"payload\":\"e30\",\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"signature\":\"AA\"}",
};

START_TEST(malformed_text)
{
    ck_assert_msg(parse_text(bad_texts[_i]) == APR_EINVAL, "taken: %s", bad_texts[_i]);
}
END_TEST

static const char *const bad_headers[] = {
    "",
    "null",
    "[]",
    "[\"alg\"]",
    "\"alg\"",
    "{}",
    "{\"alg\":null}",
    "{\"alg\":5}",
    "{\"alg\":[\"EdDSA\"]}",
    "{\"ALG\":\"EdDSA\"}",
    "{\"alg\":\"EdDSA\"",
    "{\"alg\":\"EdDSA\"}}",
    "{\"alg\":\"EdDSA\"} x",
    "{\"alg\":\"EdDSA\",}",
    "{'alg':'EdDSA'}",
    "{\"alg\":\"EdDSA\\u0000\"}",
    "{\"alg\":\"EdDSA\",\"alg\":\"none\"}",
    "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\"}",
    "{\"alg\":\"EdDSA\",\"\\u0061lg\":\"EdDSA\"}",
    "{\"alg\":\"EdDSA\",\"jwk\":{\"x\":1,\"x\":2}}",
    "{\"alg\":\"EdDSA\",\"crit\":[]}",
    "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":true}",
    "{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}",
    "{\"alg\":\"EdDSA\",\"crit\":null}",
    "{\"alg\":\"EdDSA\",\"b64\":false}",
    "{\"alg\":\"EdDSA\",\"b64\":null}",
    "{\"alg\":\"EdDSA\",\"b64\":\"true\"}",
    "{\"alg\":\"EdDSA\",\"kid\":1}",
    "{\"alg\":\"EdDSA\",\"kid\":null}",
    "{\"alg\":\"EdDSA\",\"typ\":{}}",
    "{\"alg\":\"EdDSA\",\"x\":\"\xff\"}",
    "{\"alg\":\"EdDSA\",\"x\":\"\xed\xa0\x80\"}",
    "\xef\xbb\xbf{\"alg\":\"EdDSA\"}",
};

START_TEST(malformed_header)
{
    ck_assert_msg(parse_text(compact(bad_headers[_i], "{}", SIG_64)) == APR_EINVAL, "taken: %s",
                  bad_headers[_i]);
}
END_TEST

/* Unknown members are ignored (RFC 7515 section 4), b64 true is what everybody does anyway. */
START_TEST(harmless_header)
{
    ck_assert_int_eq(parse_text(compact("{\"alg\":\"x\",\"b64\":true,\"zip\":1}", "", "")),
                     APR_SUCCESS);
    ck_assert_int_eq(parse_text(compact(" { \"alg\" : \"x\" } ", "", SIG_64)), APR_SUCCESS);
}
END_TEST

START_TEST(length_is_bounded)
{
    apr_size_t rest = OAS_JWS_MAX - strlen(b64_header) - 2;
    char *payload = apr_palloc(pool, rest + 2);
    oas_jws_t *jws;
    char *text;

    memset(payload, 'A', rest + 1);
    payload[rest - rest % 4] = '\0';
    text = apr_pstrcat(pool, b64_header, ".", payload, ".", NULL);
    ck_assert_int_eq(parse_text(text), APR_SUCCESS);
    payload[rest - rest % 4] = 'A';
    payload[rest + 1] = '\0';
    text = apr_pstrcat(pool, b64_header, ".", payload, ".", NULL);
    ck_assert_uint_eq(strlen(text), OAS_JWS_MAX + 1);
    ck_assert_int_eq(parse_text(text), APR_ENOSPC);
    ck_assert_int_eq(oas_jws_parse(&jws, "e30.e30.\0", 9, pool), APR_EINVAL);
}
END_TEST

START_TEST(deep_nesting)
{
    char *deep = apr_palloc(pool, 10001);
    char *header;

    memset(deep, '[', 10000);
    deep[10000] = '\0';
    header = apr_pstrcat(pool, "{\"alg\":\"EdDSA\",\"x\":", deep, NULL);
    ck_assert_int_eq(parse_text(compact(header, "{}", SIG_64)), APR_EINVAL);
}
END_TEST

/* Each single character counts, those of the signature's last partly used byte included. */
START_TEST(every_changed_character)
{
    oas_keyset_t *set = full_set();
    const char *good;
    char *text;
    apr_size_t i;

    ck_assert_int_eq(
        oas_jws_sign(&good, oas_keyset_signer(set, algs[_i]), "JWT", "{\"a\":1}", 7, pool),
        APR_SUCCESS);
    for (i = 0; good[i] != '\0'; i++) {
        text = apr_pstrdup(pool, good);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        ck_assert_msg(check_own(text, set) != APR_SUCCESS, "changed at %zu: %s", (size_t)i, text);
        text[i] = '\0';
        ck_assert_msg(check_own(text, set) != APR_SUCCESS, "cut at %zu", (size_t)i);
    }
}
END_TEST

START_TEST(algorithm_none)
{
    static const char *const names[] = {"none", "None", "NONE", "nOnE", ""};
    static const char *const keys[] = {RFC_RSA_JWK, RFC_EC_JWK, RFC_ED_JWK};
    apr_size_t i, k;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *header = apr_psprintf(pool, "{\"alg\":\"%s\"}", names[i]);
        for (k = 0; k < 3; k++) {
            oas_jwk_t *jwk = public_of(keys[k]);
            ck_assert_int_eq(check_with(compact(header, "{}", ""), jwk), APR_EACCES);
            ck_assert_int_eq(check_with(compact(header, "{}", SIG_64), jwk), APR_EACCES);
        }
    }
}
END_TEST

/* The classic: the public key as an HMAC secret, with the kid of that key. */
START_TEST(hmac_with_a_public_key)
{
    oas_keyset_t *set = full_set();
    const char *secret = RFC_RSA_N;
    const char *header = apr_psprintf(pool, "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
                                      oas_signer_kid(oas_keyset_signer(set, "RS256")));
    char *text = compact(header, "{}", "");
    unsigned char mac[32];

    ck_assert_ptr_nonnull(HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)text,
                               strlen(text) - 1, mac, NULL));
    text = apr_pstrcat(pool, text, oas_base64url_encode(pool, mac, sizeof(mac)), NULL);
    ck_assert_int_eq(parse_text(text), APR_SUCCESS);
    ck_assert_int_eq(check_own(text, set), APR_EACCES);
    ck_assert_int_eq(check_with(text, public_of(RFC_RSA_JWK)), APR_EACCES);
}
END_TEST

/* The signature of one algorithm under the name of each other, over the very same bytes. */
START_TEST(signature_under_another_name)
{
    const oas_alg_t *made = oas_alg_at(_i / 4), *named = oas_alg_at(_i % 4);
    oas_jwk_t *signing = private_for(oas_alg_name(made));
    oas_jwk_t *checking = private_for(oas_alg_name(named));
    char *header = apr_psprintf(pool, "{\"alg\":\"%s\"}", oas_alg_name(named));
    char *text = compact(header, "{}", "");
    oas_bytes_t sig;

    ck_assert_int_eq(oas_alg_sign(&sig, made, signing->key, NULL, text, strlen(text) - 1, pool),
                     APR_SUCCESS);
    text = apr_pstrcat(pool, text, oas_base64url_encode(pool, sig.data, sig.len), NULL);
    ck_assert_int_eq(check_with(text, checking), made == named ? APR_SUCCESS : APR_EACCES);
}
END_TEST

/* Lengthens, shortens and pads a good signature. */
START_TEST(signature_of_wrong_size)
{
    const oas_alg_t *alg = oas_alg_at(_i);
    oas_jwk_t *jwk = private_for(oas_alg_name(alg));
    unsigned char bytes[600] = {0};
    oas_bytes_t sig, wrong;

    ck_assert_int_eq(oas_alg_sign(&sig, alg, jwk->key, NULL, "abc", 3, pool), APR_SUCCESS);
    memcpy(bytes + 1, sig.data, sig.len);
    wrong.data = bytes + 1;
    for (wrong.len = 0; wrong.len <= sig.len + 2; wrong.len++) {
        ck_assert_int_eq(oas_alg_verify(alg, jwk->key, NULL, "abc", 3, wrong),
                         wrong.len == sig.len ? APR_SUCCESS : APR_EACCES);
    }
    wrong.data = bytes;
    wrong.len = sig.len + 1;
    ck_assert_int_eq(oas_alg_verify(alg, jwk->key, NULL, "abc", 3, wrong), APR_EACCES);
    wrong.len = sig.len;
    ck_assert_int_eq(oas_alg_verify(alg, jwk->key, NULL, "abc", 3, wrong), APR_EACCES);
}
END_TEST

/* ECDSA as OpenSSL writes it (DER) is not what JWS wants, whatever its length. */
START_TEST(es256_in_der)
{
    oas_jwk_t *jwk = private_for("ES256");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char der[80];
    size_t len = sizeof(der);
    oas_bytes_t sig = {der, 0};

    ck_assert_int_eq(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, jwk->key, NULL), 1);
    ck_assert_int_eq(EVP_DigestSign(ctx, der, &len, (const unsigned char *)"abc", 3), 1);
    EVP_MD_CTX_free(ctx);
    sig.len = len;
    ck_assert_int_eq(oas_alg_verify(oas_alg_find("ES256"), jwk->key, NULL, "abc", 3, sig),
                     APR_EACCES);
    sig.len = 64;
    ck_assert_int_eq(oas_alg_verify(oas_alg_find("ES256"), jwk->key, NULL, "abc", 3, sig),
                     APR_EACCES);
}
END_TEST

/* Zero, the order of the group and what lies above it (RFC 7518 section 3.4, CVE-2022-21449). */
START_TEST(es256_out_of_range)
{
    static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                            0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    unsigned char raw[64];
    oas_bytes_t sig = {raw, sizeof(raw)};
    oas_jwk_t *jwk = private_for("ES256");
    int fill;

    for (fill = 0; fill < 3; fill++) {
        memset(raw, fill == 1 ? 0xff : 0, sizeof(raw));
        if (fill == 2) {
            memcpy(raw, order, 32);
            memcpy(raw + 32, order, 32);
        }
        ck_assert_int_eq(oas_alg_verify(oas_alg_find("ES256"), jwk->key, NULL, "abc", 3, sig),
                         APR_EACCES);
    }
}
END_TEST

/* PS256 with another salt length is not PS256. */
START_TEST(ps256_with_another_salt)
{
    static const int salts[] = {0, 20, 31, 33};
    oas_jwk_t *jwk = private_for("PS256");
    apr_size_t i;

    for (i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *key_ctx;
        unsigned char out[256];
        size_t len = sizeof(out);
        oas_bytes_t sig = {out, sizeof(out)};

        ck_assert_int_eq(EVP_DigestSignInit_ex(ctx, &key_ctx, "SHA256", NULL, NULL, jwk->key, NULL),
                         1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, salts[i]), 1);
        ck_assert_int_eq(EVP_DigestSign(ctx, out, &len, (const unsigned char *)"abc", 3), 1);
        EVP_MD_CTX_free(ctx);
        ck_assert_int_eq(oas_alg_verify(oas_alg_find("PS256"), jwk->key, NULL, "abc", 3, sig),
                         APR_EACCES);
    }
}
END_TEST

/* Signs with our key under a header of our own making. */
static char *sign_header(const oas_keyset_t *set, const char *alg, const char *header)
{
    const oas_signer_t *signer = oas_keyset_signer(set, alg);
    char *text = compact(header, "{}", "");
    oas_bytes_t sig;

    ck_assert_int_eq(oas_alg_sign(&sig, signer->alg, signer->jwk->key, signer->sign, text,
                                  strlen(text) - 1, pool),
                     APR_SUCCESS);
    return apr_pstrcat(pool, text, oas_base64url_encode(pool, sig.data, sig.len), NULL);
}

/* Even correctly signed, ours name their key by kid and alg and never bring one along. */
START_TEST(own_token_with_foreign_header)
{
    oas_keyset_t *set = full_set();
    const char *kid = oas_signer_kid(oas_keyset_signer(set, "EdDSA"));
    const char *other = oas_signer_kid(oas_keyset_signer(set, "ES256"));
    static const char *const extra[] = {"\"jwk\":" RFC_ED_JWK, "\"jku\":\"https://evil.test/\"",
                                        "\"x5c\":[]", "\"x5u\":\"https://evil.test/\""};
    apr_size_t i;

    ck_assert_int_eq(check_own(sign_header(set, "EdDSA", "{\"alg\":\"EdDSA\"}"), set), APR_EACCES);
    for (i = 0; i < 4; i++) {
        const char *header =
            apr_psprintf(pool, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",%s}", kid, extra[i]);
        ck_assert_int_eq(check_own(sign_header(set, "EdDSA", header), set), APR_EACCES);
    }
    ck_assert_int_eq(
        check_own(sign_header(set, "EdDSA",
                              apr_psprintf(pool, "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", other)),
                  set),
        APR_EACCES);
    ck_assert_int_eq(
        check_own(sign_header(set, "EdDSA",
                              apr_psprintf(pool, "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid)),
                  set),
        APR_SUCCESS);
}
END_TEST

/* A token that carries the key it was signed with proves nothing about the key we hold. */
START_TEST(embedded_key_is_not_believed)
{
    static const char header[] = "{\"alg\":\"EdDSA\",\"jwk\":" RFC_ED_JWK "}";
    oas_keyset_t *attacker = full_set();
    oas_jwk_t *ours = public_of("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
                                "\"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw\"}");

    ck_assert_int_eq(check_with(sign_header(attacker, "EdDSA", header), ours), APR_EACCES);
}
END_TEST

Suite *refuse_suite(void)
{
    Suite *suite = suite_create("refuse");
    TCase *tcase = add_case(suite, "form");

    tcase_add_loop_test(tcase, malformed_text, 0, sizeof(bad_texts) / sizeof(bad_texts[0]));
    tcase_add_loop_test(tcase, malformed_header, 0, sizeof(bad_headers) / sizeof(bad_headers[0]));
    tcase_add_test(tcase, harmless_header);
    tcase_add_test(tcase, length_is_bounded);
    tcase_add_test(tcase, deep_nesting);
    tcase = add_case(suite, "signature");
    tcase_add_loop_test(tcase, every_changed_character, 0, 4);
    tcase_add_test(tcase, algorithm_none);
    tcase_add_test(tcase, hmac_with_a_public_key);
    tcase_add_loop_test(tcase, signature_under_another_name, 0, 16);
    tcase_add_loop_test(tcase, signature_of_wrong_size, 0, 4);
    tcase_add_test(tcase, es256_in_der);
    tcase_add_test(tcase, es256_out_of_range);
    tcase_add_test(tcase, ps256_with_another_salt);
    tcase_add_test(tcase, own_token_with_foreign_header);
    tcase_add_test(tcase, embedded_key_is_not_believed);
    return suite;
}
