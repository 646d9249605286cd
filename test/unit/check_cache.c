/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of the database that a process remembers, with a clock of the test's own. */
#include "check_test.h"

#include "../../lib/check/client_cache.h"

apr_time_t __wrap_apr_time_now(void) __attribute__((visibility("default")));
apr_time_t __real_apr_time_now(void);

static apr_interval_time_t ahead;

apr_time_t __wrap_apr_time_now(void)
{
    return __real_apr_time_now() + ahead;
}

static oas_client_cache_t *new_cache(void)
{
    oas_client_cache_t *cache;

    ahead = 0;
    ck_assert_int_eq(oas_client_cache_create(&cache, pool), APR_SUCCESS);
    return cache;
}

START_TEST(remembered_for_a_while)
{
    oas_client_cache_t *cache = new_cache();
    char text[] = "{\"a\":1}";

    ck_assert_ptr_null(oas_client_cache_get(cache, "app", pool));
    oas_client_cache_put(cache, "app", text, apr_time_now());
    memset(text, 'x', sizeof(text) - 1); /* a copy is kept */
    ck_assert_str_eq(oas_client_cache_get(cache, "app", pool), "{\"a\":1}");
    ck_assert_ptr_null(oas_client_cache_get(cache, "ap", pool));
    ck_assert_ptr_null(oas_client_cache_get(cache, "App", pool));
    ahead = OAS_CLIENT_CACHE_TIME - apr_time_from_msec(500);
    ck_assert_ptr_nonnull(oas_client_cache_get(cache, "app", pool));
    ahead = OAS_CLIENT_CACHE_TIME;
    ck_assert_ptr_null(oas_client_cache_get(cache, "app", pool));
    ahead = -apr_time_from_sec(1); /* a clock that was set back */
    ck_assert_ptr_null(oas_client_cache_get(cache, "app", pool));
}
END_TEST

/* What counts is when it was asked for, not when the answer came. */
START_TEST(age_of_an_answer_that_took_long)
{
    oas_client_cache_t *cache = new_cache();

    oas_client_cache_put(cache, "app", "{}", apr_time_now() - OAS_CLIENT_CACHE_TIME);
    ck_assert_ptr_null(oas_client_cache_get(cache, "app", pool));
}
END_TEST

START_TEST(newer_metadata)
{
    oas_client_cache_t *cache = new_cache();

    oas_client_cache_put(cache, "app", "{\"a\":1}", apr_time_now());
    oas_client_cache_put(cache, "app", "{\"a\":2}", apr_time_now());
    ck_assert_str_eq(oas_client_cache_get(cache, "app", pool), "{\"a\":2}");
}
END_TEST

START_TEST(bounded)
{
    oas_client_cache_t *cache = new_cache();
    char *large = apr_palloc(pool, OAS_CLIENT_CACHE_TEXT + 2);
    int found = 0;
    int i;

    memset(large, 'x', OAS_CLIENT_CACHE_TEXT + 1);
    large[OAS_CLIENT_CACHE_TEXT + 1] = '\0';
    oas_client_cache_put(cache, "app", large, apr_time_now());
    ck_assert_ptr_null(oas_client_cache_get(cache, "app", pool));
    for (i = 0; i < 4 * OAS_CLIENT_CACHE_MAX; i++) {
        const char *id = apr_psprintf(pool, "client-%d", i);
        oas_client_cache_put(cache, id, id, apr_time_now());
        ck_assert_str_eq(oas_client_cache_get(cache, id, pool), id);
    }
    for (i = 0; i < 4 * OAS_CLIENT_CACHE_MAX; i++) {
        const char *id = apr_psprintf(pool, "client-%d", i);
        const char *text = oas_client_cache_get(cache, id, pool);
        ck_assert(text == NULL || strcmp(text, id) == 0);
        found += text != NULL;
    }
    ck_assert_int_gt(found, 0);
    ck_assert_int_le(found, OAS_CLIENT_CACHE_MAX);
}
END_TEST

START_TEST(no_cache)
{
    oas_client_cache_put(NULL, "app", "{}", apr_time_now());
    ck_assert_ptr_null(oas_client_cache_get(NULL, "app", pool));
}
END_TEST

void add_cache_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "client cache");

    tcase_add_test(tcase, remembered_for_a_while);
    tcase_add_test(tcase, age_of_an_answer_that_took_long);
    tcase_add_test(tcase, newer_metadata);
    tcase_add_test(tcase, bounded);
    tcase_add_test(tcase, no_cache);
}
