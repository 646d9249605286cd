/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing public keys and building key sets. */
#include "jose_test.h"

#include <string.h>
#include <apr_strings.h>
#include <openssl/pem.h>

#define EC_OTHER(members) "{\"kty\":\"EC\",\"crv\":\"P-256\"," members "}"
#define RSA_WITH(members) "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQAB\"," members "}"
#define ZERO_32           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const char *const good_keys[] = {
    RFC_RSA_JWK,
    RFC_EC_JWK,
    RFC_ED_JWK,
    RSA_WITH("\"use\":\"sig\""),
    RSA_WITH("\"alg\":\"RS256\""),
    RSA_WITH("\"alg\":\"PS256\""),
    RSA_WITH("\"key_ops\":[\"verify\"]"),
    RSA_WITH("\"key_ops\":[\"sign\",\"verify\"]"),
    RSA_WITH("\"d\":\"AQ\""),     /* private members are ignored */
    RSA_WITH("\"x5c\":[\"AQ\"]"), /* and so are unknown ones */
};

START_TEST(good_key_is_taken)
{
    oas_jwk_t *jwk = public_of(good_keys[_i]);
    json_t *json = oas_jwk_public(jwk, oas_jwk_default_alg(jwk), pool);

    ck_assert_ptr_null(json_object_get(json, "d"));
    ck_assert_str_eq(oas_jwk_thumbprint(public_of(oas_json_text(pool, json))),
                     oas_jwk_thumbprint(jwk));
}
END_TEST

static const char *const bad_keys[] = {
    "{}",
    "[]",
    "{\"kty\":\"RSA\"}",
    "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\"}",
    "{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
    "{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}",
    "{\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\"}",
    "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "=\",\"e\":\"AQAB\"}",
    "{\"kty\":\"RSA\",\"n\":\" " RFC_RSA_N "\",\"e\":\"AQAB\"}",
    "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AAEAAQ\"}", /* leading zero */
    "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQ\"}",     /* 1 */
    "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"Aw\"}",     /* 3 */
    "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQAA\"}",   /* 65536 */
    "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQAAAAAAAAAB\"}",
    "{\"kty\":\"rsa\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQAB\"}",
    "{\"kty\":\"oct\",\"k\":\"" RFC_RSA_N "\"}",
    "{\"kty\":\"EC\",\"x\":\"" RFC_EC_X "\",\"y\":\"" RFC_EC_Y "\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" RFC_EC_X "\",\"y\":\"" RFC_EC_Y "\"}",
    "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" RFC_EC_X "\",\"y\":\"" RFC_EC_Y "\"}",
    EC_OTHER("\"x\":\"" RFC_EC_X "\""),
    EC_OTHER("\"x\":\"" RFC_EC_Y "\",\"y\":\"" RFC_EC_X "\""), /* not on the curve */
    EC_OTHER("\"x\":\"" ZERO_32 "\",\"y\":\"" ZERO_32 "\""),
    EC_OTHER("\"x\":\"" RFC_EC_X "\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5Q\""),
    EC_OTHER("\"x\":\"AH_Nzidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF\",\"y\":\"" RFC_EC_Y "\""),
    EC_OTHER("\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEUA\",\"y\":\"" RFC_EC_Y
             "\""), /* a byte too many */
    "{\"kty\":\"OKP\",\"x\":\"" RFC_ED_X "\"}",
    "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" RFC_ED_X "\"}",
    "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" RFC_ED_X "\"}",
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}",
    RSA_WITH("\"use\":\"enc\""),
    RSA_WITH("\"use\":1"),
    RSA_WITH("\"key_ops\":[]"),
    RSA_WITH("\"key_ops\":[\"sign\"]"),
    RSA_WITH("\"key_ops\":[\"verify\",1]"),
    RSA_WITH("\"key_ops\":\"verify\""),
    RSA_WITH("\"alg\":\"ES256\""),
    RSA_WITH("\"alg\":\"EdDSA\""),
    RSA_WITH("\"alg\":\"RS384\""),
    RSA_WITH("\"alg\":\"HS256\""),
    RSA_WITH("\"alg\":\"none\""),
    RSA_WITH("\"alg\":null"),
    RSA_WITH("\"kid\":5"),
};

START_TEST(bad_key_is_refused)
{
    ck_assert_msg(parse_status(bad_keys[_i]) == APR_EINVAL, "taken: %s", bad_keys[_i]);
}
END_TEST

/* Just under and over the limits of an RSA modulus: 2047, 1024 and 16392 bits, and an even one. */
START_TEST(modulus_out_of_bounds)
{
    static const struct {
        int bytes;
        unsigned char first, last;
    } cases[] = {{256, 0x7f, 0xff}, {128, 0xff, 0xff}, {2049, 0xff, 0xff}, {256, 0xff, 0xfe}};
    unsigned char modulus[2049];
    char *n;

    memset(modulus, 0xa7, sizeof(modulus));
    modulus[0] = cases[_i].first;
    modulus[cases[_i].bytes - 1] = cases[_i].last;
    n = oas_base64url_encode(pool, modulus, (apr_size_t)cases[_i].bytes);
    ck_assert_int_eq(
        parse_status(apr_psprintf(pool, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}", n)),
        APR_EINVAL);
}
END_TEST

/* A number that is, modulo each small prime, a power of 65537, as the moduli of ROCA are. */
START_TEST(modulus_of_the_faulty_generator)
{
    static const char n[] =
        "7jQLnP-zepicpUTmu3gKLHiQHT-zNzh2hRGjBhevoB1L9RIvNEVUxTveLruM0rfj0WAK1jHDhaXXzOI8"
        "d4VFmtvBtMkA_-SNV1tdpcY4BAEl9l2w_j4kSUt26phkV9mGCE_tCLl4r019GWp0RqhrWACeY2thHbFi"
        "EbZamq3_KcXlLZxQjFAjRzRNjAetkcvWBor8df9ikvBioJyjgcieced7mprp4wsNvbb1EKJk753ngVAd"
        "e2uSronrBZxat0PbZ1humPrSfaC5lovAOaHvNMk5ubjlI6i--J1HhgjF7PbKNYdY9tJ-bPRScpN5d6dI"
        "_Yg5GL6-qMVu2048cvRlpw";
    const char *text = apr_psprintf(pool, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}", n);

    ck_assert_int_eq(parse_status(text), APR_EINVAL);
}
END_TEST

START_TEST(named_algorithm_binds)
{
    const oas_alg_t *rs256 = oas_alg_find("RS256"), *ps256 = oas_alg_find("PS256");
    oas_jwk_t *free_one = public_of(RFC_RSA_JWK);
    oas_jwk_t *bound = public_of(RSA_WITH("\"alg\":\"PS256\""));

    ck_assert_int_eq(oas_jwk_fits(free_one, rs256), 1);
    ck_assert_int_eq(oas_jwk_fits(free_one, ps256), 1);
    ck_assert_int_eq(oas_jwk_fits(free_one, oas_alg_find("ES256")), 0);
    ck_assert_int_eq(oas_jwk_fits(free_one, NULL), 0);
    ck_assert_int_eq(oas_jwk_fits(bound, rs256), 0);
    ck_assert_int_eq(oas_jwk_fits(bound, ps256), 1);
    ck_assert_ptr_eq(oas_jwk_default_alg(free_one), rs256);
    ck_assert_ptr_eq(oas_jwk_default_alg(bound), ps256);
    ck_assert_ptr_eq(oas_jwk_default_alg(public_of(RFC_EC_JWK)), oas_alg_find("ES256"));
    ck_assert_ptr_eq(oas_jwk_default_alg(public_of(RFC_ED_JWK)), oas_alg_find("EdDSA"));
}
END_TEST

START_TEST(only_listed_algorithms)
{
    static const char *const refused[] = {
        "none",  "None",  "NONE",  "",       "rs256", "RS256 ", "RS384", "RS512",   "PS384",
        "PS512", "ES384", "ES512", "ES256K", "HS256", "HS384",  "HS512", "Ed25519", "EdDSA\n"};
    static const char *const listed[] = {"RS256", "PS256", "ES256", "EdDSA"};
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ck_assert_ptr_null(oas_alg_find(refused[i]));
    }
    ck_assert_ptr_null(oas_alg_find(NULL));
    for (i = 0; i < 4; i++) {
        ck_assert_str_eq(oas_alg_name(oas_alg_at((int)i)), listed[i]);
    }
    ck_assert_ptr_null(oas_alg_at(4));
    ck_assert_ptr_null(oas_alg_at(-1));
}
END_TEST

START_TEST(set_publishes_all_without_private_parts)
{
    oas_keyset_t *set = full_set();
    json_t *keys = json_object_get(oas_keyset_public(set, pool), "keys");
    static const char *const allowed[] = {"kty", "crv", "n", "e", "x", "y", "kid", "alg", "use"};
    const char *kids[4], *name;
    json_t *key, *value;
    size_t i, k;

    ck_assert_uint_eq(json_array_size(keys), 4);
    json_array_foreach(keys, i, key)
    {
        kids[i] = oas_json_string(key, "kid");
        ck_assert_str_eq(oas_json_string(key, "use"), "sig");
        ck_assert_str_eq(kids[i],
                         oas_signer_kid(oas_keyset_signer(set, oas_json_string(key, "alg"))));
        json_object_foreach(key, name, value)
        {
            for (k = 0; k < 9 && strcmp(allowed[k], name) != 0; k++) {
            }
            ck_assert_msg(k < 9, "%s is published", name);
        }
        ck_assert_str_eq(oas_jwk_kid(public_of(oas_json_text(pool, key))), kids[i]);
    }
    ck_assert_str_eq(kids[1], apr_pstrcat(pool, kids[0], "-PS256", NULL));
}
END_TEST

START_TEST(set_states)
{
    oas_keyset_t *set = oas_keyset_create(pool);
    const oas_alg_t *es256 = oas_alg_find("ES256"), *eddsa = oas_alg_find("EdDSA");
    oas_jwk_t *ec = private_for("ES256"), *ed = private_for("EdDSA");
    apr_array_header_t *algs;

    ck_assert_ptr_null(oas_keyset_default(set));
    ck_assert_int_eq(oas_keyset_state(NULL), OAS_KEYS_NONE);
    ck_assert_int_eq(oas_keyset_state(set), OAS_KEYS_NONE);
    ck_assert_int_eq(oas_keyset_add(set, ec, eddsa, OAS_KEY_ACTIVE), APR_EINVAL);
    ck_assert_int_eq(oas_keyset_add(set, ec, NULL, OAS_KEY_ACTIVE), APR_EINVAL);
    ck_assert_int_eq(oas_keyset_add(set, ec, es256, OAS_KEY_NEXT), APR_SUCCESS);
    ck_assert_int_eq(oas_keyset_add(set, ec, es256, OAS_KEY_ACTIVE), APR_EEXIST);
    ck_assert_ptr_null(oas_keyset_signer(set, "ES256"));
    ck_assert_ptr_null(oas_keyset_default(set));
    ck_assert_int_eq(oas_keyset_state(set), OAS_KEYS_NONE);
    ck_assert_ptr_nonnull(oas_keyset_find(set, oas_jwk_thumbprint(ec), "ES256"));
    ck_assert_ptr_null(oas_keyset_find(set, oas_jwk_thumbprint(ec), "EdDSA"));
    ck_assert_ptr_null(oas_keyset_find(set, NULL, "ES256"));
    ck_assert_int_eq(oas_keyset_add(set, ed, eddsa, OAS_KEY_ACTIVE), APR_SUCCESS);
    ck_assert_str_eq(oas_signer_alg(oas_keyset_default(set)), "EdDSA");
    algs = oas_keyset_algs(set, pool);
    ck_assert_int_eq(algs->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(algs, 0, const char *), "EdDSA");
    ck_assert_uint_eq(json_array_size(json_object_get(oas_keyset_public(set, pool), "keys")), 2);
    ck_assert_int_eq(oas_keyset_state(set), OAS_KEYS_OK);
    oas_keyset_note_gap(set);
    ck_assert_int_eq(oas_keyset_state(set), OAS_KEYS_INCOMPLETE);
}
END_TEST

START_TEST(set_takes_one_active_key_per_algorithm)
{
    oas_keyset_t *set = full_set();
    const char *pem, *why;
    oas_jwk_t *other;
    BIO *bio;

    ck_assert_int_eq(oas_jwk_generate_pem(&pem, oas_alg_find("ES256"), pool), APR_SUCCESS);
    bio = BIO_new_mem_buf(pem, -1);
    ck_assert_int_eq(
        oas_jwk_create(&other, PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL), &why, pool),
        APR_SUCCESS);
    BIO_free(bio);
    ck_assert_int_eq(oas_keyset_add(set, other, oas_alg_find("ES256"), OAS_KEY_ACTIVE), APR_EEXIST);
    ck_assert_int_eq(oas_keyset_add(set, other, oas_alg_find("ES256"), OAS_KEY_RETIRED),
                     APR_SUCCESS);
    ck_assert_str_eq(oas_signer_alg(oas_keyset_default(set)), "RS256");
    ck_assert_int_eq(oas_keyset_algs(set, pool)->nelts, 4);
}
END_TEST

START_TEST(public_key_cannot_be_added)
{
    static const char *const keys[] = {RFC_RSA_JWK, RFC_EC_JWK, RFC_ED_JWK};
    oas_keyset_t *set = oas_keyset_create(pool);
    oas_jwk_t *jwk = public_of(keys[_i]);

    ck_assert_int_eq(oas_keyset_add(set, jwk, oas_jwk_default_alg(jwk), OAS_KEY_ACTIVE),
                     APR_EGENERAL);
    ck_assert_ptr_null(oas_keyset_default(set));
}
END_TEST

Suite *key_suite(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = add_case(suite, "parse");

    tcase_add_loop_test(tcase, good_key_is_taken, 0, sizeof(good_keys) / sizeof(good_keys[0]));
    tcase_add_loop_test(tcase, bad_key_is_refused, 0, sizeof(bad_keys) / sizeof(bad_keys[0]));
    tcase_add_loop_test(tcase, modulus_out_of_bounds, 0, 4);
    tcase_add_test(tcase, modulus_of_the_faulty_generator);
    tcase_add_test(tcase, named_algorithm_binds);
    tcase_add_test(tcase, only_listed_algorithms);
    tcase = add_case(suite, "set");
    tcase_add_test(tcase, set_publishes_all_without_private_parts);
    tcase_add_test(tcase, set_states);
    tcase_add_test(tcase, set_takes_one_active_key_per_algorithm);
    tcase_add_loop_test(tcase, public_key_cannot_be_added, 0, 3);
    return suite;
}
