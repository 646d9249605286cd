/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: audience, dates, payloads that are no claims. */
#include "jose_test.h"

#include <string.h>

static const struct {
    const char *claims;
    int expected;
} audiences[] = {
    {"{\"aud\":\"https://api.test/\"}", 1},
    {"{\"aud\":[\"https://api.test/\"]}", 1},
    {"{\"aud\":[\"x\",\"https://api.test/\",\"y\"]}", 1},
    {"{\"aud\":\"https://api.test\"}", 0},
    {"{\"aud\":\"HTTPS://API.TEST/\"}", 0},
    {"{\"aud\":\"https://api.test/ x\"}", 0},
    {"{\"aud\":[]}", 0},
    {"{\"aud\":[[\"https://api.test/\"]]}", 0},
    {"{\"aud\":[5,null]}", 0},
    {"{\"aud\":{\"https://api.test/\":\"https://api.test/\"}}", 0},
    {"{\"aud\":null}", 0},
    {"{\"aud\":7}", 0},
    {"{}", 0},
    {"[]", 0},
};

START_TEST(audience)
{
    ck_assert_msg(oas_jwt_has_audience(json_of(audiences[_i].claims), "https://api.test/") ==
                      audiences[_i].expected,
                  "%s", audiences[_i].claims);
}
END_TEST

static const struct {
    const char *claims;
    apr_status_t status;
    apr_int64_t value;
} dates[] = {
    {"{\"exp\":1300819380}", APR_SUCCESS, 1300819380},
    {"{\"exp\":0}", APR_SUCCESS, 0},
    {"{\"exp\":-5}", APR_SUCCESS, -5},
    {"{\"exp\":1300819380.75}", APR_SUCCESS, 1300819380},
    {"{\"exp\":1.3e9}", APR_SUCCESS, 1300000000},
    {"{\"exp\":9007199254740992}", APR_SUCCESS, 9007199254740992},
    {"{\"exp\":-9007199254740992}", APR_SUCCESS, -9007199254740992},
    {"{\"exp\":9007199254740993}", APR_EINVAL, 0},
    {"{\"exp\":9223372036854775807}", APR_EINVAL, 0},
    {"{\"exp\":-9223372036854775808}", APR_EINVAL, 0},
    {"{\"exp\":1e300}", APR_EINVAL, 0},
    {"{\"exp\":-1e300}", APR_EINVAL, 0},
    {"{\"exp\":\"1300819380\"}", APR_EINVAL, 0},
    {"{\"exp\":true}", APR_EINVAL, 0},
    {"{\"exp\":null}", APR_EINVAL, 0},
    {"{\"exp\":[1]}", APR_EINVAL, 0},
    {"{}", APR_ENOENT, 0},
    {"[]", APR_ENOENT, 0},
};

START_TEST(date)
{
    apr_int64_t value = 0;

    ck_assert_int_eq(oas_jwt_date(json_of(dates[_i].claims), "exp", &value), dates[_i].status);
    ck_assert_msg(value == dates[_i].value, "%s", dates[_i].claims);
}
END_TEST

static const char *const no_claims[] = {
    "",
    "x",
    "[]",
    "null",
    "1",
    "{} {}",
    "{\"a\":1",
    "{\"a\":01}",
    "{\"a\":NaN}",
    "{\"a\":\"\\u0000\"}",
    "{\"a\"",
    "{\"a\":\"\xff\"}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1e999}",
    "{\"a\":\"\\ud800\"}",
};

START_TEST(payload_is_no_claims)
{
    const char *text = compact("{\"alg\":\"EdDSA\"}", no_claims[_i], "");
    oas_jws_t *jws;
    json_t *claims;

    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_msg(oas_jwt_claims(&claims, jws, pool) == APR_EINVAL, "taken: %s", no_claims[_i]);
    ck_assert_ptr_null(claims);
}
END_TEST

Suite *claims_suite(void)
{
    Suite *suite = suite_create("claims");
    TCase *tcase = add_case(suite, "claims");

    tcase_add_loop_test(tcase, audience, 0, sizeof(audiences) / sizeof(audiences[0]));
    tcase_add_loop_test(tcase, date, 0, sizeof(dates) / sizeof(dates[0]));
    tcase_add_loop_test(tcase, payload_is_no_claims, 0, sizeof(no_claims) / sizeof(no_claims[0]));
    return suite;
}
