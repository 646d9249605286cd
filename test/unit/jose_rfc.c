/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of the RFCs, letter by letter. */
#include "jose_test.h"

#include <string.h>

#define PAYLOAD                                                                                    \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define RS256_SIG                                                                                  \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5" \
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb" \
    "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO" \
    "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define ES256_SIG                                                                                  \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define EDDSA_SIG                                                                                  \
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

static const char *sign_raw(const char *alg, const char *text)
{
    oas_bytes_t signature;

    ck_assert_int_eq(oas_alg_sign(&signature, oas_alg_find(alg), private_for(alg)->key, NULL, text,
                                  strlen(text), pool),
                     APR_SUCCESS);
    return oas_base64url_encode(pool, signature.data, signature.len);
}

START_TEST(rfc7515_a2_rs256)
{
    static const char text[] = "eyJhbGciOiJSUzI1NiJ9." PAYLOAD;
    oas_jws_t *jws;
    json_t *claims;

    ck_assert_str_eq(sign_raw("RS256", text), RS256_SIG);
    ck_assert_int_eq(oas_jws_parse(&jws, "eyJhbGciOiJSUzI1NiJ9." PAYLOAD "." RS256_SIG,
                                   sizeof(text) + strlen(RS256_SIG), pool),
                     APR_SUCCESS);
    ck_assert_str_eq(jws->alg, "RS256");
    ck_assert_ptr_null(jws->kid);
    ck_assert_ptr_null(jws->typ);
    ck_assert_int_eq(oas_jws_verify(jws, public_of(RFC_RSA_JWK)), APR_SUCCESS);
    ck_assert_int_eq(oas_jwt_claims(&claims, jws, pool), APR_SUCCESS);
    ck_assert_str_eq(oas_json_string(claims, "iss"), "joe");
}
END_TEST

START_TEST(rfc7515_a3_es256)
{
    oas_jwk_t *jwk = public_of(RFC_EC_JWK);

    ck_assert_int_eq(check_with("eyJhbGciOiJFUzI1NiJ9." PAYLOAD "." ES256_SIG, jwk), APR_SUCCESS);
    ck_assert_int_eq(check_with("eyJhbGciOiJSUzI1NiJ9." PAYLOAD "." ES256_SIG, jwk), APR_EACCES);
}
END_TEST

START_TEST(rfc7638_3_1_thumbprint)
{
    oas_jwk_t *jwk = public_of(
        "{\"kty\":\"RSA\",\"n\":"
        "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu"
        "1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6C"
        "f0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD0"
        "8qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}");

    ck_assert_str_eq(oas_jwk_thumbprint(jwk), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    ck_assert_str_eq(oas_jwk_kid(jwk), "2011-04-29");
}
END_TEST

/* The thumbprint of the key of RFC 7515 A.3; RFC 7638 itself has no example for EC. */
START_TEST(thumbprint_of_ec)
{
    unsigned char hash[OAS_SHA256_LEN];

    static const char text[] =
        "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" RFC_EC_X "\",\"y\":\"" RFC_EC_Y "\"}";

    oas_sha256(text, strlen(text), hash);
    ck_assert_str_eq(oas_jwk_thumbprint(public_of(RFC_EC_JWK)),
                     oas_base64url_encode(pool, hash, sizeof(hash)));
}
END_TEST

START_TEST(rfc8037_a1_a3_key)
{
    json_t *json = oas_jwk_public(private_for("EdDSA"), oas_alg_find("EdDSA"), pool);
    static const char thumbprint[] = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    ck_assert_str_eq(oas_json_string(json, "x"), RFC_ED_X); /* A.2: public from private */
    ck_assert_str_eq(oas_json_string(json, "kid"), thumbprint);
    ck_assert_str_eq(oas_jwk_thumbprint(public_of(RFC_ED_JWK)), thumbprint);
}
END_TEST

START_TEST(rfc8037_a4_a5_eddsa)
{
    static const char text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";

    ck_assert_str_eq(sign_raw("EdDSA", text), EDDSA_SIG);
    ck_assert_int_eq(
        check_with("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc." EDDSA_SIG,
                   public_of(RFC_ED_JWK)),
        APR_SUCCESS);
}
END_TEST

/* OpenID Connect Core A.3 and A.4: at_hash and c_hash of its examples. */
START_TEST(oidc_core_half_hashes)
{
    ck_assert_str_eq(
        oas_jwt_half_hash("RS256", "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", pool),
        "77QmUPtjPfzWtF2AnpK9RQ");
    ck_assert_str_eq(oas_jwt_half_hash("RS256",
                                       "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
                                       pool),
                     "LDktKdoQak3Pk0cnXxCltA");
    ck_assert_str_eq(oas_jwt_half_hash("EdDSA", "abc", pool),
                     "3a81oZNherrMQXNJriBBMRLm-k6JqX6iCp7u5ktV05o"); /* FIPS 180: SHA-512("abc") */
    ck_assert_ptr_null(oas_jwt_half_hash("none", "abc", pool));
    ck_assert_ptr_null(oas_jwt_half_hash("HS256", "abc", pool));
}
END_TEST

/* RFC 7515 appendix A.1. */
START_TEST(rfc7515_a1_hs256)
{
    static const char secret[] =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    static const char text[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
        "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_"
        "wW1gFWFOEjXk";
    oas_bytes_t key;
    oas_jws_t *jws;

    ck_assert_int_eq(oas_base64url_decode(pool, secret, strlen(secret), &key), APR_SUCCESS);
    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_jws_verify_hmac(jws, key), APR_SUCCESS);
    ck_assert_int_eq(oas_jws_verify(jws, public_of(RFC_RSA_JWK)), APR_EACCES);
    key.len--;
    ck_assert_int_eq(oas_jws_verify_hmac(jws, key), APR_EACCES);
    key.len = OAS_HMAC_MIN - 1;
    ck_assert_int_eq(oas_jws_verify_hmac(jws, key), APR_EACCES);
}
END_TEST

Suite *rfc_suite(void)
{
    Suite *suite = suite_create("rfc");
    TCase *tcase = add_case(suite, "examples");

    tcase_add_test(tcase, rfc7515_a1_hs256);
    tcase_add_test(tcase, rfc7515_a2_rs256);
    tcase_add_test(tcase, rfc7515_a3_es256);
    tcase_add_test(tcase, rfc7638_3_1_thumbprint);
    tcase_add_test(tcase, thumbprint_of_ec);
    tcase_add_test(tcase, rfc8037_a1_a3_key);
    tcase_add_test(tcase, rfc8037_a4_a5_eddsa);
    tcase_add_test(tcase, oidc_core_half_hashes);
    return suite;
}
