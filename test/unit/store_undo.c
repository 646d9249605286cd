/* SPDX-License-Identifier: Apache-2.0 */
/* What processes of a node leave each other to undo, whenever one of them dies. */
#include "store_test.h"

#include <signal.h>
#include "../../lib/base/clock.h"
#include "../../lib/base/shared.h"
#include "../../lib/store/unsettled.h"
#include "unit.h"

#define ROUNDS 40

static oas_undo_area_t *area;
static oas_undo_t undo;

static void area_setup(void)
{
    unit_setup();
    area = oas_shared_map(oas_undo_area_size());
    ck_assert_ptr_nonnull(area);
    ck_assert_int_eq(oas_undo_area_prepare(area), APR_SUCCESS);
}

static oas_undo_t numbered(int number)
{
    return (oas_undo_t){.statement = OAS_STMT_JTI_UNDO, .given = {number}, .params = {"text"}};
}

static apr_status_t put(int number)
{
    const oas_undo_t in = numbered(number);

    return oas_undo_area_put(area, &in);
}

/* Takes one, which has to be there. @return its number */
static int take(void)
{
    ck_assert_int_eq(oas_undo_area_take(area, NULL, &undo), 1);
    ck_assert_int_eq(undo.statement, OAS_STMT_JTI_UNDO);
    ck_assert_str_eq(undo.params[0], "text");
    return undo.given[0];
}

static void end(pid_t child, int signal_number)
{
    int status;

    kill(child, signal_number);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
}

/* Begins a process that does this and waits to be killed; returns when it is done. */
static pid_t begin(void (*work)(void))
{
    int done[2];
    char byte;
    pid_t child;

    ck_assert_int_eq(pipe(done), 0);
    child = fork();
    if (child == 0) {
        work();
        if (write(done[1], "", 1) == 1)
            pause();
        _exit(EXIT_FAILURE);
    }
    ck_assert_int_eq(read(done[0], &byte, 1), 1);
    close(done[0]);
    close(done[1]);
    return child;
}

static void put_two(void)
{
    put(1);
    put(2);
}

static void take_one(void)
{
    oas_undo_area_take(area, NULL, &undo);
}

START_TEST(test_outlives_who_noted_it)
{
    end(begin(put_two), SIGKILL);
    ck_assert_int_eq(oas_undo_area_prepare(area), APR_SUCCESS); /* as at a graceful restart */
    ck_assert_int_eq(oas_undo_area_count(area), 2);
    ck_assert_int_eq(take(), 1);
    oas_undo_area_done(&undo);
    ck_assert_int_eq(take(), 2);
    oas_undo_area_done(&undo);
    oas_undo_area_done(&undo);
    ck_assert_int_eq(oas_undo_area_count(area), 0);
    ck_assert_int_eq(oas_undo_area_take(area, NULL, &undo), 0);
}
END_TEST

START_TEST(test_one_at_a_time_until_he_dies)
{
    pid_t child;

    put(1);
    child = begin(take_one);
    ck_assert_int_eq(oas_undo_area_count(area), 1);
    ck_assert_int_eq(oas_undo_area_take(area, NULL, &undo), 0);
    end(child, SIGKILL);
    ck_assert_int_eq(take(), 1);
    oas_undo_area_done(&undo);
    ck_assert_int_eq(oas_undo_area_count(area), 0);
}
END_TEST

START_TEST(test_back_comes_last)
{
    put(1);
    put(2);
    ck_assert_int_eq(take(), 1);
    oas_undo_area_back(&undo);
    oas_undo_area_done(&undo); /* he has it no more */
    ck_assert_int_eq(oas_undo_area_count(area), 2);
    ck_assert_int_eq(take(), 2);
    ck_assert_int_eq(take(), 1);
    ck_assert_int_eq(oas_undo_area_take(area, NULL, &undo), 0);
}
END_TEST

START_TEST(test_what_somebody_presents)
{
    oas_undo_t other = numbered(2);

    memcpy(other.params[0], "word", sizeof("word"));
    put(1);
    ck_assert_int_eq(oas_undo_area_put(area, &other), APR_SUCCESS);
    put(3);
    ck_assert_int_eq(oas_undo_area_take(area, "word", &undo), 1);
    ck_assert_int_eq(undo.given[0], 2);
    ck_assert_int_eq(oas_undo_area_take(area, "word", &undo), 0);
    ck_assert_int_eq(oas_undo_area_take(area, "tex", &undo), 0);
    ck_assert_int_eq(take(), 1);
    ck_assert_int_eq(take(), 3);
}
END_TEST

START_TEST(test_bounded)
{
    int n = 0;

    while (n < 1 << 20 && put(n) == APR_SUCCESS)
        n++;
    ck_assert_int_ge(n, 256);
    ck_assert_int_eq(put(n), APR_ENOSPC);
    ck_assert_int_eq(take(), 0);
    ck_assert_int_eq(put(n), APR_ENOSPC); /* it is in hand, not gone */
    oas_undo_area_done(&undo);
    ck_assert_int_eq(put(n), APR_SUCCESS);
    ck_assert_int_eq(oas_undo_area_count(area), n);
}
END_TEST

/* A module that was updated by a graceful restart may not know it any more. */
START_TEST(test_unknown_statement_is_dropped)
{
    char *label;

    put(1);
    put(2);
    label = memmem(area, oas_undo_area_size(), oas_statements[OAS_STMT_JTI_UNDO].label, 8);
    ck_assert_ptr_nonnull(label);
    label[0] = 'x';
    ck_assert_int_eq(take(), 2);
    ck_assert_int_eq(oas_undo_area_count(area), 1);
}
END_TEST

/* It has the lock nearly all the time. */
static pid_t begin_hammering(void)
{
    pid_t child = fork();

    while (child == 0) {
        put(1);
        if (oas_undo_area_take(area, NULL, &undo))
            oas_undo_area_back(&undo);
        if (oas_undo_area_take(area, NULL, &undo))
            oas_undo_area_done(&undo);
    }
    return child;
}

/* Killed wherever it may be, with the lock or in the middle of a change: nobody else is stopped,
 * and what is counted is there. */
START_TEST(test_killed_in_the_middle)
{
    int i, left;

    for (i = 0; i < ROUNDS; i++) {
        pid_t hammer = begin_hammering();

        usleep(2000 + i * 100);
        end(hammer, SIGKILL);
        ck_assert_int_eq(put(2), APR_SUCCESS);
    }
    for (left = oas_undo_area_count(area); left > 0; left--) {
        take();
        oas_undo_area_done(&undo);
        ck_assert_int_eq(oas_undo_area_count(area), left - 1);
    }
    ck_assert_int_eq(oas_undo_area_take(area, NULL, &undo), 0);
}
END_TEST

/* The lists of two processes, as the runner has them. */
START_TEST(test_lists_of_a_node)
{
    const oas_undo_t in = numbered(7);
    oas_unsettled_t *ours, *theirs, *late;

    ck_assert_int_eq(oas_unsettled_create(&ours, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_unsettled_create(&theirs, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_unsettled_create(&late, pool), APR_SUCCESS);
    oas_unsettled_share(theirs, area);
    oas_unsettled_share(late, area);
    oas_unsettled_join(late, ours); /* which belonged to no issuer */
    ck_assert_int_eq(oas_unsettled_put(theirs, &in), APR_SUCCESS);
    ck_assert_int_eq(oas_unsettled_count(ours), 1);
    ck_assert_int_eq(oas_unsettled_take(ours, &undo), 1);
    ck_assert_int_eq(undo.given[0], 7);
    ck_assert_int_eq(oas_unsettled_put(ours, &undo), APR_SUCCESS);
    ck_assert_int_eq(oas_unsettled_count(theirs), 1);
    ck_assert_int_eq(oas_unsettled_take(theirs, &undo), 1);
    oas_unsettled_done(&undo);
    ck_assert_int_eq(oas_unsettled_count(late), 0);
    ck_assert_int_eq(oas_unsettled_within(ours, OAS_MOMENT_LOST, apr_time_from_sec(30)), 0);
    oas_unsettled_note(theirs, OAS_MOMENT_LOST);
    ck_assert_int_eq(oas_unsettled_within(ours, OAS_MOMENT_LOST, apr_time_from_sec(30)), 1);
    ck_assert_int_eq(oas_unsettled_within(ours, OAS_MOMENT_BACK, apr_time_from_sec(30)), 0);
    oas_undo_area_note(area, OAS_MOMENT_BACK, oas_clock() - apr_time_from_sec(10));
    ck_assert_int_eq(oas_unsettled_within(ours, OAS_MOMENT_BACK, apr_time_from_sec(10)), 0);
    ck_assert_int_eq(oas_unsettled_within(ours, OAS_MOMENT_BACK, apr_time_from_sec(30)), 1);
}
END_TEST

Suite *store_undo_suite(void)
{
    Suite *suite = suite_create("undo");
    TCase *tcase = tcase_create("undo");

    tcase_add_checked_fixture(tcase, area_setup, unit_teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_outlives_who_noted_it);
    tcase_add_test(tcase, test_one_at_a_time_until_he_dies);
    tcase_add_test(tcase, test_back_comes_last);
    tcase_add_test(tcase, test_what_somebody_presents);
    tcase_add_test(tcase, test_bounded);
    tcase_add_test(tcase, test_unknown_statement_is_dropped);
    tcase_add_test(tcase, test_killed_in_the_middle);
    tcase_add_test(tcase, test_lists_of_a_node);
    return suite;
}
