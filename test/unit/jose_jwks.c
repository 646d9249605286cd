/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets of clients. */
#include "jose_test.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/jose/jwks.h"

#define SET(keys) "{\"keys\":[" keys "]}"
#define EC_WITH(more)                                                                              \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_EC_X "\",\"y\":\"" RFC_EC_Y "\"," more "}"
#define ED_WITH(more) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC_ED_X "\"," more "}"
#define P384          "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}"

static oas_jwks_t *set_of(const char *text)
{
    const char *why = "";
    oas_jwks_t *set;

    ck_assert_msg(oas_jwks_parse(&set, json_of(text), &why, pool) == APR_SUCCESS, "%s: %s", why,
                  text);
    return set;
}

static const char *const refused[] = {
    "{}",
    "[]",
    "{\"keys\":{}}",
    RFC_EC_JWK, /* a key is no set */
    SET(""),
    SET("1,null,\"x\""),
    SET(P384),
    SET("{\"kty\":\"oct\",\"k\":\"AQ\"}"),
    SET(RFC_EC_JWK "," EC_WITH("\"d\":\"AQ\"")),
    SET(EC_WITH("\"use\":\"enc\"")),
    SET("{\"x5c\":[\"AQ==\"]}"),
};

START_TEST(set_is_refused)
{
    const char *why = NULL;
    oas_jwks_t *set;

    ck_assert_int_eq(oas_jwks_parse(&set, json_of(refused[_i]), &why, pool), APR_EINVAL);
    ck_assert_ptr_null(set);
    ck_assert_ptr_nonnull(why);
}
END_TEST

/* One key more than the limit, though all but the first are unknown. */
START_TEST(too_many_keys)
{
    const char *text = RFC_EC_JWK;
    const char *why = NULL;
    oas_jwks_t *set;
    int i;

    for (i = 1; i < OAS_JWKS_KEYS_MAX; i++) {
        text = apr_pstrcat(pool, text, ",{}", NULL);
    }
    set_of(apr_pstrcat(pool, "{\"keys\":[", text, "]}", NULL));
    ck_assert_int_eq(oas_jwks_parse(&set,
                                    json_of(apr_pstrcat(pool, "{\"keys\":[", text, ",{}]}", NULL)),
                                    &why, pool),
                     APR_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "32"));
}
END_TEST

/* A JWS made with the RFC's private key for `alg`, with this kid (or none) in its header. */
static oas_jws_t *signed_with(const char *alg, const char *kid)
{
    const char *header = kid != NULL
                             ? apr_psprintf(pool, "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid)
                             : apr_psprintf(pool, "{\"alg\":\"%s\"}", alg);
    const char *text =
        apr_pstrcat(pool, oas_base64url_encode(pool, header, strlen(header)), ".e30", NULL);
    oas_bytes_t signature;
    oas_jws_t *jws;

    ck_assert_int_eq(oas_alg_sign(&signature, oas_alg_find(alg), private_for(alg)->key, NULL, text,
                                  strlen(text), pool),
                     APR_SUCCESS);
    text = apr_pstrcat(pool, text, ".", oas_base64url_encode(pool, signature.data, signature.len),
                       NULL);
    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    return jws;
}

static const struct {
    const char *set;
    const char *alg, *kid;
    apr_status_t expected;
} verifications[] = {
    {SET(RFC_EC_JWK), "ES256", NULL, APR_SUCCESS},
    {SET(P384 "," RFC_EC_JWK), "ES256", NULL, APR_SUCCESS}, /* unknown ones are passed over */
    {SET(RFC_RSA_JWK "," RFC_EC_JWK "," RFC_ED_JWK), "RS256", NULL, APR_SUCCESS},
    {SET(RFC_RSA_JWK "," RFC_EC_JWK "," RFC_ED_JWK), "PS256", NULL, APR_SUCCESS},
    {SET(RFC_RSA_JWK "," RFC_EC_JWK "," RFC_ED_JWK), "EdDSA", NULL, APR_SUCCESS},
    {SET(EC_WITH("\"kid\":\"a\"")), "ES256", "a", APR_SUCCESS},
    {SET(EC_WITH("\"kid\":\"a\"")), "ES256", NULL, APR_SUCCESS},
    {SET(EC_WITH("\"kid\":\"a\"")), "ES256", "b", APR_ENOENT},
    {SET(RFC_EC_JWK), "ES256", "b", APR_SUCCESS}, /* a key without a name may be anybody's */
    {SET(RFC_EC_JWK), "EdDSA", NULL, APR_ENOENT},
    {SET(EC_WITH("\"kid\":\"a\"")), "EdDSA", "a", APR_ENOENT}, /* that name, another kind */
    {SET("{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQAB\",\"alg\":\"RS256\"}"), "PS256",
     NULL, APR_ENOENT},
};

START_TEST(verification)
{
    ck_assert_int_eq(oas_jwks_verify(set_of(verifications[_i].set),
                                     signed_with(verifications[_i].alg, verifications[_i].kid)),
                     verifications[_i].expected);
}
END_TEST

START_TEST(wrong_signature_of_a_named_key)
{
    oas_jws_t *jws = signed_with("ES256", "a");

    ((unsigned char *)jws->signature.data)[5] ^= 1;
    ck_assert_int_eq(oas_jwks_verify(set_of(SET(EC_WITH("\"kid\":\"a\""))), jws), APR_EACCES);
    ck_assert_int_eq(oas_jwks_verify(set_of(SET(EC_WITH("\"kid\":\"b\""))), jws), APR_ENOENT);
}
END_TEST

START_TEST(alg_outside_the_list)
{
    static const char *const names[] = {"none", "HS256", "RS1", "rs256", ""};
    const char *header = apr_psprintf(pool, "{\"alg\":\"%s\"}", names[_i]);
    const char *text = compact(header, "{}", "");
    oas_jws_t *jws;

    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_jwks_verify(set_of(SET(RFC_RSA_JWK)), jws), APR_EACCES);
}
END_TEST

/* EdDSA under the name of its curve (RFC 9864), in the header and in the key. */
START_TEST(ed25519_by_its_curve)
{
    const char *header = "{\"alg\":\"Ed25519\"}";
    const char *text =
        apr_pstrcat(pool, oas_base64url_encode(pool, header, strlen(header)), ".e30", NULL);
    oas_bytes_t signature;
    oas_jws_t *jws;

    oas_alg_sign(&signature, oas_alg_find("EdDSA"), private_for("EdDSA")->key, NULL, text,
                 strlen(text), pool);
    text = apr_pstrcat(pool, text, ".", oas_base64url_encode(pool, signature.data, signature.len),
                       NULL);
    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_jwks_verify(set_of(SET(RFC_ED_JWK)), jws), APR_SUCCESS);
    ck_assert_int_eq(oas_jwks_verify(set_of(SET(ED_WITH("\"alg\":\"Ed25519\""))), jws),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_jwks_verify(set_of(SET(RFC_EC_JWK)), jws), APR_ENOENT);
    ck_assert_ptr_null(oas_alg_find("Ed25519")); /* we do not write it */
}
END_TEST

/* The key that the header brings verifies the signature, and is not one of the client's. */
START_TEST(key_in_the_header)
{
    const char *header = "{\"alg\":\"ES256\",\"jwk\":" RFC_EC_JWK "}";
    const char *text =
        apr_pstrcat(pool, oas_base64url_encode(pool, header, strlen(header)), ".e30", NULL);
    oas_bytes_t signature;
    oas_jws_t *jws;

    oas_alg_sign(&signature, oas_alg_find("ES256"), private_for("ES256")->key, NULL, text,
                 strlen(text), pool);
    text = apr_pstrcat(pool, text, ".", oas_base64url_encode(pool, signature.data, signature.len),
                       NULL);
    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_jwks_verify(set_of(SET(RFC_ED_JWK)), jws), APR_ENOENT);
}
END_TEST

static X509 *certificate_of(EVP_PKEY *key)
{
    X509 *certificate = X509_new();

    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
    X509_set_pubkey(certificate, key);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    return certificate;
}

START_TEST(certificate_by_its_key)
{
    X509 *certificate = certificate_of(private_for("ES256")->key);

    ck_assert_int_eq(oas_jwks_has_certificate(set_of(SET(RFC_ED_JWK "," RFC_EC_JWK)), certificate),
                     1);
    ck_assert_int_eq(oas_jwks_has_certificate(set_of(SET(RFC_ED_JWK "," RFC_RSA_JWK)), certificate),
                     0);
    X509_free(certificate);
}
END_TEST

/* TLS takes kinds of keys with which no assertion can be signed here. */
START_TEST(certificate_by_x5c)
{
    EVP_PKEY *key = EVP_EC_gen("P-384");
    X509 *certificate = certificate_of(key), *other = certificate_of(key);
    unsigned char *der = NULL;
    int len;
    char encoded[4096];
    oas_jwks_t *set;

    ASN1_INTEGER_set(X509_get_serialNumber(other), 2);
    X509_sign(other, key, EVP_sha256());
    len = i2d_X509(certificate, &der);
    EVP_EncodeBlock((unsigned char *)encoded, der, len);
    set = set_of(apr_psprintf(
        pool, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"x5c\":[\"%s\"]}]}", encoded));
    ck_assert_int_eq(oas_jwks_has_certificate(set, certificate), 1);
    ck_assert_int_eq(oas_jwks_has_certificate(set, other), 0);
    OPENSSL_free(der);
    X509_free(certificate);
    X509_free(other);
    EVP_PKEY_free(key);
}
END_TEST

Suite *jwks_suite(void)
{
    Suite *suite = suite_create("jwks");
    TCase *tcase = add_case(suite, "parse");

    tcase_add_loop_test(tcase, set_is_refused, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tcase, too_many_keys);
    tcase = add_case(suite, "verify");
    tcase_add_loop_test(tcase, verification, 0, sizeof(verifications) / sizeof(verifications[0]));
    tcase_add_test(tcase, wrong_signature_of_a_named_key);
    tcase_add_loop_test(tcase, alg_outside_the_list, 0, 5);
    tcase_add_test(tcase, ed25519_by_its_curve);
    tcase_add_test(tcase, key_in_the_header);
    tcase = add_case(suite, "certificates");
    tcase_add_test(tcase, certificate_by_its_key);
    tcase_add_test(tcase, certificate_by_x5c);
    return suite;
}
