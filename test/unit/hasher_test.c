/* SPDX-License-Identifier: Apache-2.0 */
/* Password hashing: hashes, costs, and the bounds of the threads that compute them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "unit.h"
#include "../../lib/login/hash.h"
#include "../../lib/login/hasher.h"

/* ---- hashes ---- */

START_TEST(hashes)
{
    const char *hash, *again;

    ck_assert_int_eq(oas_password_hash(&hash, "correct horse", 0, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_password_hash(&again, "correct horse", 0, pool), APR_SUCCESS);
    ck_assert_str_ne(hash, again);
    ck_assert_int_eq(strncmp(hash, "$y$j9T$", 7), 0);
    ck_assert(oas_password_matches("correct horse", hash, 0));
    ck_assert(!oas_password_matches("correct hors", hash, 0));
    ck_assert(!oas_password_matches("", hash, 0));
    ck_assert(!oas_password_matches("anything", NULL, 0));
    ck_assert(!oas_password_matches("nobody has this.", NULL, 1));
    ck_assert(!oas_password_matches("anything", "*0", 0));
    ck_assert(!oas_password_matches("anything", "", 0));
}
END_TEST

/* The costs are those of libxcrypt: each step has the memory of two of the one before. */
static const struct {
    const char *hash;
    int cost, outdated;
} ages[] = {
    {"$y$j9T$salt$hash", 0, 0},
    {"$y$j9T$salt$hash", 5, 0},
    {"$y$j9T$salt$hash", 6, 1},
    {"$y$jAT$salt$hash", 6, 0},
    {"$y$jAT$salt$hash", 5, 0}, /* a stronger one stays */
    {"$y$jAT$salt$hash", 0, 0},
    {"$y$j75$salt$hash", 1, 0},
    {"$y$j75$salt$hash", 2, 1},
    {"$y$j85$salt$hash", 3, 1},
    {"$y$j85$salt$hash", 0, 1},
    {"$y$jFT$salt$hash", OAS_COST_MAX, 0},
    {"$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m", 1, 1}, /* another method */
    {"$6$salt$hash", 0, 1},
    {"$y$", 1, 1},
    {"$y$j", 1, 1},
    {"$y$j9", 1, 1},
    {"$y$!!!$", 1, 1},
    {"*0", 1, 1},
    {"", 1, 1},
};

START_TEST(outdated)
{
    ck_assert_int_eq(oas_password_outdated(ages[_i].hash, ages[_i].cost), ages[_i].outdated);
}
END_TEST

START_TEST(every_cost_has_its_own_memory)
{
    const char *before = NULL, *hash;
    int cost;

    for (cost = OAS_COST_MIN; cost <= 6; cost++) {
        ck_assert_int_eq(oas_password_hash(&hash, "x", cost, pool), APR_SUCCESS);
        ck_assert(!oas_password_outdated(hash, cost));
        ck_assert(oas_password_outdated(hash, cost + 1));
        ck_assert(before == NULL || oas_password_outdated(before, cost));
        before = hash;
    }
}
END_TEST

/* ---- bounds ---- */

#define CALLERS 12

/* Work that takes as long as the test wants, and what was seen of it. */
static struct {
    volatile apr_uint32_t open, now, most, begun, busy, nice;
} seen;

static void stay(void *baton)
{
    apr_uint32_t now = apr_atomic_inc32(&seen.now) + 1;

    if (now > apr_atomic_read32(&seen.most)) {
        apr_atomic_set32(&seen.most, now);
    }
    apr_atomic_inc32(&seen.begun);
    apr_atomic_set32(&seen.nice, (apr_uint32_t)getpriority(PRIO_PROCESS, (id_t)gettid()));
    while (!apr_atomic_read32(&seen.open)) {
        apr_sleep(1000);
    }
    apr_atomic_dec32(&seen.now);
    ++*(int *)baton;
}

static void *APR_THREAD_FUNC call(apr_thread_t *thread, void *hasher)
{
    int called = 0;
    apr_status_t rv = oas_hasher_run(hasher, stay, &called, NULL);

    if (rv == APR_EAGAIN && !called) {
        apr_atomic_inc32(&seen.busy);
    } else if (rv != APR_SUCCESS || called != 1) {
        abort();
    }
    return NULL;
}

static void until(volatile apr_uint32_t *counter, apr_uint32_t value)
{
    int tries;

    for (tries = 0; apr_atomic_read32(counter) < value; tries++) {
        ck_assert_int_lt(tries, 20000);
        apr_sleep(1000);
    }
}

START_TEST(threads_and_queue_are_bounded)
{
    apr_thread_t *threads[CALLERS];
    oas_hasher_t *hasher;
    apr_status_t rv;
    int i;

    memset((void *)&seen, 0, sizeof(seen));
    ck_assert_int_eq(oas_hasher_create(&hasher, NULL, 2, 3, pool), APR_SUCCESS);
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, call, hasher, pool), APR_SUCCESS);
    }
    until(&seen.begun, 2);
    for (; i < CALLERS; i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, call, hasher, pool), APR_SUCCESS);
    }
    until(&seen.busy, CALLERS - 2 - 3); /* those who found no place are told at once */
    ck_assert_int_eq(seen.begun, 2);
    apr_atomic_set32(&seen.open, 1);
    for (i = 0; i < CALLERS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    ck_assert_int_eq(seen.begun, 5);
    ck_assert_int_eq(seen.most, 2);
    ck_assert_int_eq(seen.busy, CALLERS - 5);
    ck_assert_int_ge(seen.nice, 10);
}
END_TEST

/* Two processes' hashers, here in one. */
START_TEST(slots_are_shared)
{
    apr_thread_t *threads[4];
    oas_hasher_slots_t *slots;
    oas_hasher_t *hashers[2];
    apr_status_t rv;
    int i;

    memset((void *)&seen, 0, sizeof(seen));
    ck_assert_int_eq(oas_hasher_slots_create(&slots, 1, pool), APR_SUCCESS);
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(oas_hasher_create(&hashers[i], slots, 2, 3, pool), APR_SUCCESS);
    }
    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, call, hashers[i % 2], pool),
                         APR_SUCCESS);
    }
    until(&seen.begun, 1);
    apr_sleep(apr_time_from_msec(50));
    ck_assert_int_eq(seen.begun, 1);
    apr_atomic_set32(&seen.open, 1);
    for (i = 0; i < 4; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    ck_assert_int_eq(seen.begun, 4);
    ck_assert_int_eq(seen.most, 1);
}
END_TEST

START_TEST(hashes_within_bounds)
{
    oas_hasher_t *hasher;
    const char *hash;
    int matches, i;

    ck_assert_int_eq(oas_hasher_create(&hasher, NULL, oas_hasher_threads(), 2, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_hasher_hash(hasher, &hash, "open sesame", 1, pool), APR_SUCCESS);
    for (i = 0; i < 3; i++) { /* places are given back */
        ck_assert_int_eq(oas_hasher_matches(hasher, "open sesame", hash, 1, &matches, NULL),
                         APR_SUCCESS);
        ck_assert(matches);
        ck_assert_int_eq(oas_hasher_matches(hasher, "close", hash, 1, &matches, NULL), APR_SUCCESS);
        ck_assert(!matches);
        ck_assert_int_eq(oas_hasher_matches(hasher, "close", NULL, 1, &matches, NULL), APR_SUCCESS);
        ck_assert(!matches);
    }
}
END_TEST

START_TEST(without_threads)
{
    const char *hash;
    int matches;

    ck_assert_int_eq(oas_hasher_hash(NULL, &hash, "open sesame", 1, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_hasher_matches(NULL, "open sesame", hash, 1, &matches, NULL), APR_SUCCESS);
    ck_assert(matches);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hasher");
    TCase *hash = unit_case(suite, "hash");
    TCase *bounds = unit_case(suite, "bounds");

    tcase_add_test(hash, hashes);
    tcase_add_loop_test(hash, outdated, 0, sizeof(ages) / sizeof(ages[0]));
    tcase_add_test(hash, every_cost_has_its_own_memory);
    tcase_add_test(bounds, threads_and_queue_are_bounded);
    tcase_add_test(bounds, slots_are_shared);
    tcase_add_test(bounds, hashes_within_bounds);
    tcase_add_test(bounds, without_threads);
    return unit_run(suite);
}
