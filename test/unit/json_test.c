/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out, and digests. */
#include <string.h>
#include "../../lib/base/bytes.h"
#include "../../lib/base/json.h"
#include "../../lib/base/members.h"
#include "unit.h"

/* ---- digests ---- */

START_TEST(digests)
{
    unsigned char out[OAS_SHA512_LEN];

    oas_sha256("abc", 3, out); /* FIPS 180-4 */
    ck_assert_str_eq(oas_hex_encode(pool, out, OAS_SHA256_LEN),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    oas_sha512("abc", 3, out);
    ck_assert_str_eq(oas_hex_encode(pool, out, OAS_SHA512_LEN),
                     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    ck_assert_int_eq(oas_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out),
                     APR_SUCCESS); /* RFC 4231 section 4.3 */
    ck_assert_str_eq(oas_hex_encode(pool, out, OAS_SHA256_LEN),
                     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

/* ---- json ---- */

START_TEST(json_bounds)
{
    json_t *json;

    ck_assert_int_eq(oas_json_parse(&json, "{\"a\":\"b\"}", 9, 100, pool), APR_SUCCESS);
    ck_assert_str_eq(oas_json_string(json, "a"), "b");
    ck_assert_ptr_null(oas_json_string(json, "b"));
    ck_assert_str_eq(oas_json_text(pool, json), "{\"a\":\"b\"}");
    ck_assert_int_eq(oas_json_parse(&json, "{\"a\":1,\"a\":2}", 13, 100, pool), APR_EEXIST);
    ck_assert_int_eq(oas_json_parse(&json, "{\"a\":1}x", 8, 100, pool), APR_EINVAL);
    ck_assert_int_eq(oas_json_parse(&json, "{\"a\":\"\\u0000\"}", 14, 100, pool), APR_EINVAL);
    ck_assert_int_eq(oas_json_parse(&json, "{}", 2, 1, pool), APR_ENOSPC);
}
END_TEST

/** Strangers send these too; a build with sanitizers ends at a sum that does not fit. */
static const char *const too_large[] = {
    "[9223372036854775808]",  "[-9223372036854775809]", "[9999999999999999999]",
    "[-9999999999999999999]", "[10000000000000000000]", "[99999999999999999999999]",
};

START_TEST(json_integers_that_do_not_fit)
{
    json_t *json;

    ck_assert_int_eq(oas_json_parse(&json, too_large[_i], strlen(too_large[_i]), 100, pool),
                     APR_EINVAL);
}
END_TEST

static const char *const json_texts[] = {
    "{}",
    "[]",
    "[{},[],\"\",0,true,false,null]",
    "{\"n\":[1,-1,10,1234567890123,9223372036854775807,-9223372036854775808]}",
    "[999999999999999999,-999999999999999999,1000000000000000000,9123456789012345678]",
    "{\"r\":[0.5,-1e300,1.0,123456.789,5e-324]}",
    "{\"\\\"\\\\\":\"\\b\\f\\n\\r\\t\\u0001\\u001F\x7f/\"}",
    "{\"zoë\":\"\xf0\x9f\x8c\x8d\",\"a\":{\"b\":{\"c\":[[1],[2]]}}}",
};

START_TEST(json_text)
{
    apr_size_t size = 3000;
    char *large = apr_palloc(pool, size + 1);
    char expected[4096];
    json_t *json;

    ck_assert_int_eq(oas_json_parse(&json, json_texts[_i], strlen(json_texts[_i]), 1000, pool),
                     APR_SUCCESS);
    memset(large, 'x', size);
    large[size] = '\0';
    if (json_is_object(json)) { /* grows several times */
        oas_json_set(json, "large", large);
    }
    expected[json_dumpb(json, expected, sizeof(expected), JSON_COMPACT)] = '\0';
    ck_assert_str_eq(oas_json_text(pool, json), expected);
    ck_assert_ptr_null(oas_json_text(pool, NULL));
    ck_assert_ptr_null(oas_json_text(pool, json_true()));
}
END_TEST

START_TEST(json_set)
{
    json_t *json = oas_json_object(pool);

    oas_json_set(json, "ascii", "eight characters and more");
    oas_json_set(json, "utf8", "Zo\xc3\xab");
    oas_json_set(json, "latin1", "long enough, Zo\xeb");
    oas_json_set(json, "none", NULL);
    ck_assert_str_eq(oas_json_text(pool, json),
                     "{\"ascii\":\"eight characters and more\",\"utf8\":\"Zo\xc3\xab\"}");
}
END_TEST

/* ---- members ---- */

static const char *text_of(const oas_members_t *members)
{
    const char *text = oas_members_text(members);
    json_t *back;

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(oas_json_parse(&back, text, strlen(text), 1000, pool), APR_SUCCESS);
    ck_assert_str_eq(oas_json_text(pool, back), text); /* what jansson writes of it */
    return text;
}

START_TEST(members_of_each_kind)
{
    oas_members_t *members = oas_members_create(pool), *inner = oas_members_create(pool);
    oas_words_t *words = oas_words_create(pool);
    static const char any[] = "{\"a\":[1.5,null,{}]}";
    json_t *json;

    ck_assert_str_eq(text_of(members), "{}");
    oas_words_add(words, "pwd");
    oas_words_add(words, "otp");
    oas_members_string(inner, "x5t#S256", "abc");
    ck_assert_int_eq(oas_json_parse(&json, any, strlen(any), 100, pool), APR_SUCCESS);
    oas_members_string(members, "sub", "a\"b\\\n\x01 Zo\xc3\xab");
    oas_members_integer(members, "exp", APR_INT64_MIN);
    oas_members_boolean(members, "yes", 2);
    oas_members_boolean(members, "no", 0);
    oas_members_words(members, "amr", words);
    oas_members_words(members, "empty", oas_words_create(pool));
    oas_members_object(members, "cnf", inner);
    oas_members_object(members, "nothing", oas_members_create(pool));
    oas_members_update(members, json);
    ck_assert_str_eq(text_of(members),
                     "{\"sub\":\"a\\\"b\\\\\\n\\u0001 Zo\xc3\xab\",\"exp\":-9223372036854775808,"
                     "\"yes\":true,\"no\":false,\"amr\":[\"pwd\",\"otp\"],\"empty\":[],"
                     "\"cnf\":{\"x5t#S256\":\"abc\"},\"nothing\":{},\"a\":[1.5,null,{}]}");
}
END_TEST

START_TEST(members_left_out)
{
    oas_members_t *members = oas_members_create(pool);

    oas_members_string(members, "none", NULL);
    oas_members_string(members, "latin1", "long enough, Zo\xeb");
    oas_members_words(members, "none", NULL);
    oas_members_json(members, "none", NULL);
    oas_members_add(members, NULL);
    ck_assert_str_eq(text_of(members), "{}");
    ck_assert_ptr_null(oas_members_get(members, "none"));
    ck_assert_ptr_null(oas_members_get(NULL, "none"));
}
END_TEST

/* A name is there once, wherever its value came from. */
START_TEST(members_set_again)
{
    oas_members_t *members = oas_members_create(pool), *more = oas_members_create(pool);
    int i;

    for (i = 0; i < 40; i++) { /* more than there is room for at first */
        oas_members_integer(members, i % 2 ? "odd" : "even", i);
    }
    oas_members_string(members, "last", "x");
    oas_members_string(more, "odd", "one");
    oas_members_add(members, more);
    ck_assert_str_eq(text_of(members), "{\"even\":38,\"odd\":\"one\",\"last\":\"x\"}");
    ck_assert_str_eq(oas_members_get(members, "odd"), "one");
    ck_assert_ptr_null(oas_members_get(members, "even")); /* no string */
    ck_assert(oas_members_has(members, "even"));
    oas_members_remove(members, "even");
    oas_members_remove(members, "even");
    ck_assert_str_eq(text_of(members), "{\"odd\":\"one\",\"last\":\"x\"}");
    oas_members_remove(members, "last");
    ck_assert_str_eq(text_of(members), "{\"odd\":\"one\"}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = unit_case(suite, "json");

    tcase_add_test(tcase, json_bounds);
    tcase_add_loop_test(tcase, json_text, 0, sizeof(json_texts) / sizeof(json_texts[0]));
    tcase_add_loop_test(tcase, json_integers_that_do_not_fit, 0,
                        sizeof(too_large) / sizeof(too_large[0]));
    tcase_add_test(tcase, json_set);
    tcase_add_test(tcase, members_of_each_kind);
    tcase_add_test(tcase, members_left_out);
    tcase_add_test(tcase, members_set_again);
    tcase_add_test(tcase, digests);
    return unit_run(suite);
}
