/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file unit.h
 * What the unit tests share: a pool for each test, and a main that runs one suite.
 */
#ifndef OAS_TEST_UNIT_H
#define OAS_TEST_UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
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

/** Fills all memory that this process shares with its children. @return how many areas that was */
static inline int unit_fill_shared(int byte)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], mode[8];
    void *begin, *end;
    int count = 0;

    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%p-%p %7s", &begin, &end, mode) == 3 && strcmp(mode, "rw-s") == 0) {
            memset(begin, byte, (size_t)((char *)end - (char *)begin));
            count++;
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return count;
}

/** What a child process can do that somebody else has taken over: it spoils all shared memory. */
static inline void unit_hostile_child(int byte)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        _exit(unit_fill_shared(byte) > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, EXIT_SUCCESS);
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
