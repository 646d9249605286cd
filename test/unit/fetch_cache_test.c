/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of key sets, with a clock and a network of the test's own. */
#include "unit.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "../../lib/base/json.h"
#include "../../lib/fetch/fetch.h"
#include "../../lib/fetch/jwks.h"

#define URI  "https://app.example/keys"
#define SET  "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}]}"
#define KEY1 "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

apr_time_t __wrap_apr_time_now(void) __attribute__((visibility("default")));
apr_time_t __real_apr_time_now(void);
apr_status_t __wrap_oas_fetch_json(json_t **out, const char *url, const oas_issuer_t *issuer,
                                   const char **why, apr_pool_t *p);

/* What the clock is ahead of the real one, and what the network does. */
static apr_interval_time_t ahead;
static struct {
    int calls;
    apr_status_t status;
    const char *text;
    apr_interval_time_t takes;
    int busy, away; /* how many were sent away; a fetch goes on until so many were */
} net;

static oas_issuer_t issuer = {.url = "https://as.example/"};
static oas_jwks_cache_t *cache;

apr_time_t __wrap_apr_time_now(void)
{
    return __real_apr_time_now() + ahead;
}

apr_status_t __wrap_oas_fetch_json(json_t **out, const char *url, const oas_issuer_t *from,
                                   const char **why, apr_pool_t *p)
{
    int i;

    __atomic_add_fetch(&net.calls, 1, __ATOMIC_SEQ_CST);
    if (net.takes > 0) {
        apr_sleep(net.takes);
    }
    for (i = 0; i < 2000 && __atomic_load_n(&net.busy, __ATOMIC_SEQ_CST) < net.away; i++) {
        apr_sleep(apr_time_from_msec(10));
    }
    *why = "the network of the test says so";
    *out = NULL;
    return net.status != APR_SUCCESS
               ? net.status
               : oas_json_parse(out, net.text, strlen(net.text), OAS_FETCH_MAX, p);
}

static void fresh_cache(void)
{
    ahead = 0;
    memset(&net, 0, sizeof(net));
    net.text = apr_psprintf(pool, SET, KEY1);
    ck_assert_int_eq(oas_jwks_cache_create(&cache, &issuer, pool), APR_SUCCESS);
}

static apr_status_t get(const char *uri, const oas_jwks_t *lacking, const oas_jwks_t **out)
{
    const char *why = NULL;
    apr_status_t rv = oas_jwks_cache_get(cache, uri, lacking, out, &why, NULL, pool);

    ck_assert((rv == APR_SUCCESS) == (*out != NULL));
    ck_assert(rv == APR_SUCCESS || why != NULL);
    return rv;
}

static void later(apr_interval_time_t by)
{
    ahead += by;
}

START_TEST(fetched_once)
{
    const oas_jwks_t *first, *second;

    fresh_cache();
    ck_assert_int_eq(get(URI, NULL, &first), APR_SUCCESS);
    later(OAS_JWKS_FRESH - apr_time_from_sec(1));
    ck_assert_int_eq(get(URI, NULL, &second), APR_SUCCESS);
    ck_assert_ptr_eq(first, second);
    ck_assert_int_eq(net.calls, 1);
    later(apr_time_from_sec(2));
    ck_assert_int_eq(get(URI, NULL, &second), APR_SUCCESS);
    ck_assert_int_eq(net.calls, 2);
}
END_TEST

/* A key that is not there: asked again at once, then once a minute, whoever wants what. */
START_TEST(lacking_key)
{
    const oas_jwks_t *first, *second, *third;

    fresh_cache();
    ck_assert_int_eq(get(URI, NULL, &first), APR_SUCCESS);
    ck_assert_int_eq(get(URI, first, &second), APR_SUCCESS);
    ck_assert_int_eq(net.calls, 2);
    ck_assert_int_eq(get(URI, first, &third), APR_SUCCESS); /* somebody has fetched since */
    ck_assert_ptr_eq(second, third);
    ck_assert_int_eq(net.calls, 2);
    ck_assert_int_eq(get(URI, second, &third), APR_ENOENT);
    later(OAS_JWKS_AGAIN - apr_time_from_sec(1));
    ck_assert_int_eq(get(URI, second, &third), APR_ENOENT);
    ck_assert_int_eq(net.calls, 2);
    later(apr_time_from_sec(2));
    ck_assert_int_eq(get(URI, second, &third), APR_SUCCESS);
    ck_assert_int_eq(net.calls, 3);
}
END_TEST

START_TEST(failure_keeps_the_old_set)
{
    const oas_jwks_t *first, *second;

    fresh_cache();
    ck_assert_int_eq(get(URI, NULL, &first), APR_SUCCESS);
    net.status = APR_TIMEUP;
    later(OAS_JWKS_FRESH + apr_time_from_sec(1));
    ck_assert_int_eq(get(URI, NULL, &second), APR_SUCCESS);
    ck_assert_ptr_eq(first, second);
    ck_assert_int_eq(net.calls, 2);
    ck_assert_int_eq(get(URI, NULL, &second), APR_SUCCESS); /* not tried again at once */
    ck_assert_int_eq(net.calls, 2);
    later(OAS_JWKS_PAUSE + apr_time_from_sec(1));
    ck_assert_int_eq(get(URI, NULL, &second), APR_SUCCESS);
    ck_assert_int_eq(net.calls, 3);
    later(OAS_JWKS_STALE);
    ck_assert_int_eq(get(URI, NULL, &second), APR_TIMEUP);
    net.status = APR_SUCCESS;
    later(OAS_JWKS_PAUSE + apr_time_from_sec(1));
    ck_assert_int_eq(get(URI, NULL, &second), APR_SUCCESS);
}
END_TEST

/* Who lacks a key, while it cannot be told whether there are newer ones, is told so. */
START_TEST(failure_while_a_key_is_lacking)
{
    const oas_jwks_t *first, *second;

    fresh_cache();
    ck_assert_int_eq(get(URI, NULL, &first), APR_SUCCESS);
    net.status = APR_TIMEUP;
    ck_assert_int_eq(get(URI, first, &second), APR_TIMEUP);
    ck_assert_int_eq(get(URI, first, &second), APR_TIMEUP);
    ck_assert_int_eq(net.calls, 2);
    ck_assert_int_eq(get(URI, NULL, &second), APR_SUCCESS);
    ck_assert_ptr_eq(first, second);
}
END_TEST

START_TEST(failure_without_any_set)
{
    const oas_jwks_t *set;

    fresh_cache();
    net.text = "{\"keys\":[]}";
    ck_assert_int_eq(get(URI, NULL, &set), APR_EINVAL);
    ck_assert_int_eq(get(URI, NULL, &set), APR_EINVAL);
    ck_assert_int_eq(net.calls, 1);
    net.text = apr_psprintf(pool, SET, KEY1);
    later(OAS_JWKS_PAUSE + apr_time_from_sec(1));
    ck_assert_int_eq(get(URI, NULL, &set), APR_SUCCESS);
    ck_assert_int_eq(net.calls, 2);
}
END_TEST

/* A clock that was set back makes what was fetched look like the future. */
START_TEST(clock_set_back)
{
    const oas_jwks_t *set;

    fresh_cache();
    ck_assert_int_eq(get(URI, NULL, &set), APR_SUCCESS);
    later(-apr_time_from_sec(86400));
    ck_assert_int_eq(get(URI, NULL, &set), APR_SUCCESS);
    ck_assert_int_eq(net.calls, 2);
}
END_TEST

/* More URIs than there is room for; a set that was handed out stays as long as its pool. */
START_TEST(more_uris_than_room)
{
    const oas_jwks_t *first, *set;
    int i;

    fresh_cache();
    ck_assert_int_eq(get(URI, NULL, &first), APR_SUCCESS);
    for (i = 0; i < 2 * OAS_JWKS_URIS_MAX; i++) {
        later(1000);
        ck_assert_int_eq(get(apr_psprintf(pool, "https://app.example/%d", i), NULL, &set),
                         APR_SUCCESS);
    }
    ck_assert_int_eq(net.calls, 1 + 2 * OAS_JWKS_URIS_MAX);
    ck_assert_int_eq(get(apr_psprintf(pool, "https://app.example/%d", i - 1), NULL, &set),
                     APR_SUCCESS);
    ck_assert_int_eq(net.calls, 1 + 2 * OAS_JWKS_URIS_MAX);
    ck_assert_int_eq(get(URI, first, &set), APR_SUCCESS);
    ck_assert_ptr_ne(first, set);
}
END_TEST

#define THREADS 8
#define CROWD   64

/** What one thread asks, and is told. */
typedef struct {
    const char *uri;
    const oas_jwks_t *lacking;
    apr_status_t rv;
} question_t;

static void *APR_THREAD_FUNC ask(apr_thread_t *thread, void *baton)
{
    question_t *question = baton;
    const oas_jwks_t *set;
    const char *why;
    apr_pool_t *own;

    apr_pool_create_unmanaged_ex(&own, NULL, NULL);
    question->rv =
        oas_jwks_cache_get(cache, question->uri, question->lacking, &set, &why, NULL, own);
    apr_pool_destroy(own);
    if (question->rv == APR_EBUSY) {
        __atomic_add_fetch(&net.busy, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void ask_all(question_t *questions, int count)
{
    apr_thread_t *threads[CROWD];
    apr_status_t ignored;
    int i;

    for (i = 0; i < count; i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, ask, &questions[i], pool),
                         APR_SUCCESS);
    }
    for (i = 0; i < count; i++) {
        apr_thread_join(&ignored, threads[i]);
    }
}

static void ask_together(apr_status_t results[THREADS])
{
    question_t questions[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) {
        questions[i] = (question_t){URI, NULL, APR_SUCCESS};
    }
    ask_all(questions, THREADS);
    for (i = 0; i < THREADS; i++) {
        results[i] = questions[i].rv;
    }
}

/* How many of a crowd, spread over some URIs, were sent away; the others have got keys. */
static int sent_away(int uris, const oas_jwks_t *lacking)
{
    question_t questions[CROWD];
    int busy = 0;
    int i;

    for (i = 0; i < CROWD; i++) {
        questions[i] = (question_t){uris == 1 ? URI : apr_psprintf(pool, URI "%d", i % uris),
                                    lacking, APR_SUCCESS};
    }
    ask_all(questions, CROWD);
    for (i = 0; i < CROWD; i++) {
        ck_assert(questions[i].rv == APR_SUCCESS || questions[i].rv == APR_EBUSY);
        busy += questions[i].rv == APR_EBUSY;
    }
    return busy;
}

/* Keys that take their time: one fetches, some wait, all others know at once. */
START_TEST(few_wait)
{
    fresh_cache();
    net.away = CROWD - 1 - OAS_JWKS_WAITERS;
    ck_assert_int_eq(sent_away(1, NULL), net.away);
    ck_assert_int_eq(net.calls, 1);
    ck_assert_int_eq(sent_away(1, NULL), 0); /* nobody is left behind in the count */
}
END_TEST

START_TEST(fewer_wait_for_a_server_that_was_ill)
{
    const oas_jwks_t *none;

    fresh_cache();
    net.status = APR_TIMEUP;
    ck_assert_int_eq(get(URI, NULL, &none), APR_TIMEUP);
    later(OAS_JWKS_PAUSE + apr_time_from_sec(1));
    net.status = APR_SUCCESS;
    net.away = CROWD - 1 - OAS_JWKS_WAITERS_ILL;
    ck_assert_int_eq(sent_away(1, NULL), net.away);
}
END_TEST

START_TEST(few_wait_for_a_key_that_lacks)
{
    const oas_jwks_t *first;

    fresh_cache();
    ck_assert_int_eq(get(URI, NULL, &first), APR_SUCCESS);
    net.away = CROWD - 1 - OAS_JWKS_WAITERS;
    ck_assert_int_eq(sent_away(1, first), net.away);
    ck_assert_int_eq(net.calls, 2);
}
END_TEST

START_TEST(few_wait_in_the_process)
{
    enum { URIS = 8 };

    fresh_cache();
    net.away = CROWD - URIS - OAS_JWKS_WAITERS_ALL;
    ck_assert_int_eq(sent_away(URIS, NULL), net.away);
    ck_assert_int_eq(net.calls, URIS);
}
END_TEST

/* At the end of a child process requests may be there longer than its caches. */
START_TEST(keys_outlive_the_cache)
{
    apr_pool_t *child, *own, *next;
    const oas_jwks_t *set;
    const char *why;
    apr_size_t i;

    fresh_cache();
    apr_pool_create(&child, pool);
    apr_pool_create_unmanaged_ex(&own, NULL, NULL);
    ck_assert_int_eq(oas_jwks_cache_create(&cache, &issuer, child), APR_SUCCESS);
    ck_assert_int_eq(oas_jwks_cache_get(cache, URI, NULL, &set, &why, NULL, own), APR_SUCCESS);
    apr_pool_destroy(child);
    apr_pool_create(&next, pool);
    for (i = 1024; i < 1024 * 1024; i *= 2) { /* whatever takes the memory that it had */
        memset(apr_palloc(next, i), 0xff, i);
    }
    apr_pool_destroy(own);
}
END_TEST

/* One fetches; the others wait for it, and share its failure too. */
START_TEST(many_threads)
{
    apr_status_t results[THREADS];
    int i;

    fresh_cache();
    net.takes = apr_time_from_msec(200);
    net.status = _i;
    ask_together(results);
    for (i = 0; i < THREADS; i++) {
        ck_assert_int_eq(results[i], _i);
    }
    ck_assert_int_eq(net.calls, 1);
}
END_TEST

/* While one fetches anew, the others do not wait: they use the old set. */
START_TEST(nobody_waits_for_a_newer_set)
{
    apr_status_t results[THREADS];
    const oas_jwks_t *set;
    apr_time_t started;

    fresh_cache();
    ck_assert_int_eq(get(URI, NULL, &set), APR_SUCCESS);
    later(OAS_JWKS_FRESH + apr_time_from_sec(1));
    net.takes = apr_time_from_sec(1);
    started = __real_apr_time_now();
    ask_together(results);
    ck_assert_int_eq(net.calls, 2);
    ck_assert(__real_apr_time_now() - started < apr_time_from_sec(5));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch cache");
    TCase *tcase = unit_case(suite, "cache");

    tcase_add_test(tcase, fetched_once);
    tcase_add_test(tcase, lacking_key);
    tcase_add_test(tcase, failure_keeps_the_old_set);
    tcase_add_test(tcase, failure_while_a_key_is_lacking);
    tcase_add_test(tcase, failure_without_any_set);
    tcase_add_test(tcase, clock_set_back);
    tcase_add_test(tcase, more_uris_than_room);
    tcase_add_loop_test(tcase, many_threads, 0, 2);
    tcase_add_test(tcase, nobody_waits_for_a_newer_set);
    tcase_add_test(tcase, few_wait);
    tcase_add_test(tcase, fewer_wait_for_a_server_that_was_ill);
    tcase_add_test(tcase, few_wait_for_a_key_that_lacks);
    tcase_add_test(tcase, few_wait_in_the_process);
    tcase_add_test(tcase, keys_outlive_the_cache);
    return unit_run(suite);
}
