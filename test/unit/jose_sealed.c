/* SPDX-License-Identifier: Apache-2.0 */
/* A private key as it rests in the database: opened by the secrets of its issuer only, and as no
 * other key. */
#include <string.h>
#include "../../lib/base/box.h"
#include "../../lib/jose/sealed.h"
#include "jose_test.h"

static oas_secret_t *secret_of(char fill)
{
    char bytes[OAS_SECRET_MIN];
    oas_secret_t *secret;

    memset(bytes, fill, sizeof(bytes));
    ck_assert_int_eq(oas_secret_create(&secret, bytes, sizeof(bytes), pool), APR_SUCCESS);
    return secret;
}

/* An issuer with a secret for each character. */
static oas_seal_for_t issuer_with(const char *fills, const char *url)
{
    apr_array_header_t *secrets = apr_array_make(pool, 2, sizeof(oas_secret_t *));
    const oas_seal_for_t issuer = {url, secrets};

    for (; *fills != '\0'; fills++) {
        APR_ARRAY_PUSH(secrets, oas_secret_t *) = secret_of(*fills);
    }
    return issuer;
}

static oas_bytes_t seal(const oas_jwk_t *jwk, const oas_alg_t *alg, const oas_seal_for_t *issuer)
{
    oas_bytes_t sealed;

    ck_assert_int_eq(oas_key_seal(&sealed, jwk, alg, issuer, pool), APR_SUCCESS);
    return sealed;
}

START_TEST(a_key_comes_back_and_signs)
{
    const oas_seal_for_t issuer = issuer_with("a", "https://as.example/");
    const oas_alg_t *alg = oas_alg_at(_i);
    oas_keyset_t *set = oas_keyset_create(pool);
    const char *kid;
    oas_bytes_t sealed;
    oas_jwk_t *jwk, *back;

    ck_assert_int_eq(oas_jwk_generate(&jwk, alg, pool), APR_SUCCESS);
    kid = oas_jwk_kid_for(jwk, alg, pool);
    sealed = seal(jwk, alg, &issuer);
    ck_assert_int_eq(oas_key_open(&back, sealed, kid, alg, &issuer, pool), APR_SUCCESS);
    ck_assert_str_eq(oas_jwk_thumbprint(back), oas_jwk_thumbprint(jwk));
    ck_assert_int_eq(oas_keyset_add(set, back, alg, OAS_KEY_ACTIVE), APR_SUCCESS);
}
END_TEST

START_TEST(nobody_else_opens_it)
{
    const oas_seal_for_t issuer = issuer_with("a", "https://as.example/");
    const oas_seal_for_t elsewhere = issuer_with("a", "https://b.example/");
    const oas_seal_for_t stranger = issuer_with("xy", "https://as.example/");
    const oas_alg_t *rs256 = oas_alg_find("RS256"), *ps256 = oas_alg_find("PS256");
    oas_bytes_t sealed, part, changed;
    unsigned char *bytes;
    const char *kid;
    oas_jwk_t *jwk;

    ck_assert_int_eq(oas_jwk_generate(&jwk, rs256, pool), APR_SUCCESS);
    kid = oas_jwk_kid_for(jwk, rs256, pool);
    changed = part = sealed = seal(jwk, rs256, &issuer);
    changed.data = bytes = apr_pmemdup(pool, sealed.data, sealed.len);
    ck_assert_int_eq(oas_key_open(&jwk, sealed, kid, rs256, &elsewhere, pool), APR_EACCES);
    ck_assert_int_eq(oas_key_open(&jwk, sealed, kid, rs256, &stranger, pool), APR_ENOENT);
    ck_assert_int_eq(oas_key_open(&jwk, sealed, "other", rs256, &issuer, pool), APR_EACCES);
    ck_assert_int_eq(oas_key_open(&jwk, sealed, kid, ps256, &issuer, pool), APR_EACCES);
    bytes[sealed.len / 2] ^= 1;
    ck_assert_int_eq(oas_key_open(&jwk, changed, kid, rs256, &issuer, pool), APR_EACCES);
    for (part.len = 0; part.len < sealed.len; part.len += 61) {
        ck_assert_int_eq(oas_key_open(&jwk, part, kid, rs256, &issuer, pool), APR_EACCES);
    }
}
END_TEST

START_TEST(a_former_secret_opens_and_the_first_one_seals)
{
    const oas_seal_for_t before = issuer_with("a", "https://as.example/");
    const oas_seal_for_t both = issuer_with("ba", "https://as.example/");
    const oas_alg_t *alg = oas_alg_find("ES256");
    const oas_jwk_t *key = private_for("ES256");
    const char *kid = oas_jwk_kid_for(key, alg, pool);
    oas_bytes_t sealed = seal(key, alg, &before);
    oas_jwk_t *jwk;

    ck_assert_int_eq(oas_box_is_current(both.secrets, sealed), 0);
    ck_assert_int_eq(oas_key_open(&jwk, sealed, kid, alg, &both, pool), APR_SUCCESS);
    sealed = seal(jwk, alg, &both);
    ck_assert_int_eq(oas_box_is_current(both.secrets, sealed), 1);
    ck_assert_int_eq(oas_key_open(&jwk, sealed, kid, alg, &before, pool), APR_ENOENT);
}
END_TEST

START_TEST(what_is_no_private_key_is_refused)
{
    const oas_seal_for_t issuer = issuer_with("a", "https://as.example/");
    const oas_bytes_t text = {(const unsigned char *)"no key", 6};
    oas_bytes_t box;
    oas_jwk_t *jwk;

    ck_assert_int_eq(oas_box_close(&box, issuer.secrets, "keyring",
                                   "https://as.example/\nkid\nES256", text, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_key_open(&jwk, box, "kid", oas_alg_find("ES256"), &issuer, pool),
                     APR_EACCES);
    ck_assert_int_eq(oas_jwk_from_der(&jwk, text, pool), APR_EINVAL);
}
END_TEST

Suite *sealed_suite(void)
{
    Suite *suite = suite_create("sealed");
    TCase *tcase = add_case(suite, "keys");

    tcase_add_loop_test(tcase, a_key_comes_back_and_signs, 0, 4);
    tcase_add_test(tcase, nobody_else_opens_it);
    tcase_add_test(tcase, a_former_secret_opens_and_the_first_one_seals);
    tcase_add_test(tcase, what_is_no_private_key_is_refused);
    return suite;
}
