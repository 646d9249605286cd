/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Published vectors: Wycheproof (JWS, JWK) and the RFC 7520 cookbook. They lie outside the source
 * tree: $OAS_VECTORS, else "$srcdir/../shared/vectors". Without them these tests say so and pass,
 * unless OAS_REQUIRE_VECTORS=1.
 */
#include "jose_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>

typedef struct {
    int cases, expected, not_offered, wrong;
} tally_t;

static const char *folder(void)
{
    const char *path = getenv("OAS_VECTORS");
    const char *source = getenv("srcdir");
    const char *required = getenv("OAS_REQUIRE_VECTORS");

    if (path == NULL || *path == '\0') {
        path = apr_pstrcat(pool, source != NULL ? source : ".", "/../shared/vectors", NULL);
    }
    if (access(path, R_OK | X_OK) == 0) {
        return path;
    }
    ck_assert_msg(required == NULL || strcmp(required, "1") != 0, "no vectors in %s", path);
    printf("vectors not found: skipped (%s)\n", path);
    fflush(stdout);
    return NULL;
}

static json_t *load(const char *directory, const char *name)
{
    json_error_t error;
    json_t *json = oas_json_own(
        pool, json_load_file(apr_pstrcat(pool, directory, "/", name, NULL), 0, &error));

    ck_assert_msg(json != NULL, "%s: %s", name, error.text);
    return json;
}

/* The keys of a group: the public ones when it has them; a JWK or a JWK Set. */
static json_t *group_keys(json_t *group)
{
    json_t *key = json_object_get(group, "public");
    json_t *keys;

    if (key == NULL || json_is_null(key)) {
        key = json_object_get(group, "private");
    }
    keys = json_object_get(key, "keys");
    if (keys == NULL) {
        keys = oas_json_own(pool, json_array());
        json_array_append(keys, key);
    }
    return keys;
}

/* 1 when the JWS verifies with a key that a client with this JWK Set would use for it. */
static int accepts(const json_t *keys, const json_t *token)
{
    const char *text = json_string_value(token);
    const json_t *key;
    oas_jws_t *jws;
    size_t i;

    if (text == NULL) { /* the JSON serialisation */
        text = oas_json_text(pool, token);
    }
    if (oas_jws_parse(&jws, text, strlen(text), pool) != APR_SUCCESS) {
        return 0;
    }
    json_array_foreach(keys, i, key)
    {
        oas_jwk_t *jwk;

        if (oas_jwk_parse(&jwk, key, pool) != APR_SUCCESS ||
            (json_array_size(keys) > 1 && (jws->kid == NULL || oas_jwk_kid(jwk) == NULL ||
                                           strcmp(jws->kid, oas_jwk_kid(jwk)) != 0))) {
            continue;
        }
        if (oas_jws_verify(jws, jwk) == APR_SUCCESS) {
            return 1;
        }
    }
    return 0;
}

static int key_is_offered(const json_t *key)
{
    static const char *const offered[] = {"P-256", "Ed25519"};
    const char *kty = oas_json_string(key, "kty"), *crv = oas_json_string(key, "crv");
    const char *alg = oas_json_string(key, "alg"), *use = oas_json_string(key, "use");

    if (kty == NULL || strcmp(kty, "oct") == 0) {
        return 0;
    }
    if (crv != NULL && strcmp(crv, offered[0]) != 0 && strcmp(crv, offered[1]) != 0) {
        return 0;
    }
    /* A key meant for something else (use: enc) has to be refused for that, and is counted so. */
    return alg == NULL || oas_alg_find(alg) != NULL || (use != NULL && strcmp(use, "enc") == 0);
}

/* Not offered: encryption, symmetric keys, other curves and algorithms; PS384 for a key of PS256.
 */
static int is_offered(const json_t *keys, const json_t *test)
{
    const char *text = oas_json_string(test, "jws");
    const char *result = oas_json_string(test, "result");
    const json_t *key;
    oas_jws_t *jws;
    size_t i;

    if (json_object_get(test, "jwe") != NULL) {
        return 0;
    }
    json_array_foreach(keys, i, key)
    {
        if (!key_is_offered(key)) {
            return 0;
        }
    }
    return text == NULL || strcmp(result, "invalid") == 0 ||
           oas_jws_parse(&jws, text, strlen(text), pool) != APR_SUCCESS ||
           oas_alg_find(jws->alg) != NULL;
}

static void run_case(tally_t *tally, const json_t *keys, const json_t *test, const char *file)
{
    const char *result = oas_json_string(test, "result");
    const json_t *token = json_object_get(test, "jws");
    int offered = is_offered(keys, test);
    int accepted, right;

    if (token == NULL) {
        token = json_object_get(test, "jwe");
    }
    ck_assert_ptr_nonnull(token);
    ck_assert_ptr_nonnull(result);
    accepted = accepts(keys, token);
    right = !offered
                ? !accepted
                : strcmp(result, "acceptable") == 0 || accepted == (strcmp(result, "valid") == 0);
    tally->cases++;
    tally->expected += offered && right;
    tally->not_offered += !offered && right;
    tally->wrong += !right;
    if (!right) {
        printf("%s tcId %d (%s): %s, but %s\n", file,
               (int)json_integer_value(json_object_get(test, "tcId")),
               oas_json_string(test, "comment"), result, accepted ? "accepted" : "refused");
    }
}

START_TEST(wycheproof)
{
    static const char *const files[] = {"wycheproof/json_web_crypto_test.json",
                                        "wycheproof/json_web_key_test.json",
                                        "wycheproof/json_web_signature_test.json"};
    const char *directory = folder();
    tally_t tally = {0, 0, 0, 0};
    json_t *group, *test;
    size_t i, g, t;

    for (i = 0; directory != NULL && i < sizeof(files) / sizeof(files[0]); i++) {
        json_t *json = load(directory, files[i]);
        int before = tally.cases;

        json_array_foreach(json_object_get(json, "testGroups"), g, group)
        {
            json_t *keys = group_keys(group);
            json_array_foreach(json_object_get(group, "tests"), t, test)
            {
                run_case(&tally, keys, test, files[i]);
            }
        }
        ck_assert_int_eq(tally.cases - before,
                         json_integer_value(json_object_get(json, "numberOfTests")));
    }
    if (directory != NULL) {
        printf("wycheproof: %d cases, %d verified as expected, %d refused as not offered\n",
               tally.cases, tally.expected, tally.not_offered);
        fflush(stdout);
        ck_assert_int_eq(tally.wrong, 0);
        ck_assert_int_gt(tally.expected, 0);
    }
}
END_TEST

/* The example's own compact form, its key, and whether its algorithm is one of ours. */
START_TEST(cookbook)
{
    static const struct {
        const char *file;
        int offered;
    } examples[] = {{"jose-cookbook/4_1.rsa_v15_signature.json", 1},
                    {"jose-cookbook/4_2.rsa-pss_signature.json", 0},
                    {"jose-cookbook/4_3.ecdsa_signature.json", 0},
                    {"jose-cookbook/jws.json", 1}};
    const char *directory = folder();
    int count = (int)(sizeof(examples) / sizeof(examples[0])), i, verified = 0;

    for (i = 0; directory != NULL && i < count; i++) {
        json_t *json = load(directory, examples[i].file);
        json_t *input = json_object_get(json, "input"), *keys = oas_json_own(pool, json_array());
        json_t *token = json_object_get(json_object_get(json, "output"), "compact");
        oas_jws_t *jws;

        json_array_append(keys, json_object_get(input, "key"));
        ck_assert_msg(accepts(keys, token) == examples[i].offered, "%s", examples[i].file);
        ck_assert_int_eq(
            oas_jws_parse(&jws, json_string_value(token), json_string_length(token), pool),
            APR_SUCCESS);
        ck_assert_str_eq((const char *)jws->payload.data, oas_json_string(input, "payload"));
        verified += examples[i].offered;
    }
    if (directory != NULL) {
        printf("cookbook: %d examples, %d verified, %d refused as not offered\n", count, verified,
               count - verified);
        fflush(stdout);
    }
}
END_TEST

START_TEST(cookbook_keys)
{
    const char *directory = folder();
    oas_jwk_t *jwk;

    if (directory != NULL) {
        ck_assert_int_eq(
            oas_jwk_parse(&jwk, load(directory, "jose-cookbook/3_3.rsa_public_key.json"), pool),
            APR_SUCCESS);
        ck_assert_str_eq(oas_jwk_kid(jwk), "bilbo.baggins@hobbiton.example");
        ck_assert_int_eq(
            oas_jwk_parse(&jwk, load(directory, "jose-cookbook/3_1.ec_public_key.json"), pool),
            APR_EINVAL); /* P-521 */
    }
}
END_TEST

Suite *vectors_suite(void)
{
    Suite *suite = suite_create("vectors");
    TCase *tcase = add_case(suite, "published");

    tcase_add_test(tcase, wycheproof);
    tcase_add_test(tcase, cookbook);
    tcase_add_test(tcase, cookbook_keys);
    return suite;
}
