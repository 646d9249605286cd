/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file unit.h
 * What the unit tests share: a pool for each test, and a main that runs one suite.
 */
#ifndef OAS_TEST_UNIT_H
#define OAS_TEST_UNIT_H

#include <stdlib.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <check.h>

/** The pool of the running test. */
static apr_pool_t *pool __attribute__((unused));

static void unit_setup(void)
{
    apr_initialize();
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
}

static void unit_teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

/** Adds a test case with pool set-up to a suite. */
static inline TCase *unit_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, unit_setup, unit_teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/** Runs a suite; the exit status of the program. */
static inline int unit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
