/* SPDX-License-Identifier: Apache-2.0 */
#include "store_test.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "../../lib/base/tx.h"
#include "../../lib/store/gate.h"
#include "unit.h"

#define LONG_WAIT apr_time_from_sec(20)
#define NO_WAIT   ((apr_interval_time_t)0)

static oas_gate_t *gate;

static void make_gate(int max)
{
    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    oas_gate_size(gate, max);
}

/* Finds the database away or there. */
void store_gate_find(oas_gate_t *of, int reached)
{
    oas_gate_place_t place;

    ck_assert_int_eq(oas_gate_enter(of, NO_WAIT, &place), APR_SUCCESS);
    oas_gate_report(&place, reached);
    oas_gate_leave(&place);
}

static oas_gate_stats_t stats(void)
{
    oas_gate_stats_t out;

    oas_gate_stats(gate, &out);
    return out;
}

static void wait_for_waiting(int n)
{
    int i;

    for (i = 0; i < 2000 && stats().waiting != n; i++)
        usleep(5000);
    ck_assert_int_eq(stats().waiting, n);
}

START_TEST(test_one_until_told)
{
    oas_gate_place_t a, b;

    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &a), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &b), OAS_DB_UNAVAILABLE);
    oas_gate_size(gate, 2);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &b), APR_SUCCESS);
    ck_assert_int_eq(stats().in_flight, 2);
    ck_assert_int_eq((int)stats().refused, 1);
    oas_gate_leave(&a);
    oas_gate_leave(&a); /* nothing is left twice */
    oas_gate_leave(&b);
    ck_assert_int_eq(stats().in_flight, 0);
}
END_TEST

START_TEST(test_half_may_pause)
{
    make_gate(4);
    ck_assert_int_eq(oas_gate_pause(gate), 1);
    ck_assert_int_eq(oas_gate_pause(gate), 1);
    ck_assert_int_eq(oas_gate_pause(gate), 0);
    oas_gate_resume(gate);
    ck_assert_int_eq(oas_gate_pause(gate), 1);
    make_gate(1);
    ck_assert_int_eq(oas_gate_pause(gate), 1);
    ck_assert_int_eq(oas_gate_pause(gate), 0);
}
END_TEST

START_TEST(test_wait_is_bounded)
{
    oas_gate_place_t a, b;
    apr_time_t start;

    make_gate(1);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &a), APR_SUCCESS);
    start = apr_time_now();
    ck_assert_int_eq(oas_gate_enter(gate, apr_time_from_msec(100), &b), OAS_DB_UNAVAILABLE);
    ck_assert_int_ge((int)apr_time_as_msec(apr_time_now() - start), 95);
    ck_assert_int_lt((int)apr_time_as_msec(apr_time_now() - start), 5000);
    ck_assert_int_eq(stats().waiting, 0);
}
END_TEST

/* Threads pass the gate many times; nobody may count more than max inside. */
#define THREADS    16
#define ROUNDS     300
#define MAX_INSIDE 3
static volatile int inside, too_many, passed;

static void *APR_THREAD_FUNC pass_often(apr_thread_t *thread, void *data)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        oas_gate_place_t place;
        int now;

        if (oas_gate_enter(gate, LONG_WAIT, &place) != APR_SUCCESS)
            continue;
        now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        if (now > MAX_INSIDE)
            __atomic_add_fetch(&too_many, 1, __ATOMIC_SEQ_CST);
        if (i % 16 == 0)
            usleep(100);
        oas_gate_report(&place, 1);
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&passed, 1, __ATOMIC_SEQ_CST);
        oas_gate_leave(&place);
    }
    return NULL;
}

START_TEST(test_many_threads)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;
    int i;

    make_gate(MAX_INSIDE);
    inside = too_many = passed = 0;
    for (i = 0; i < THREADS; i++)
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, pass_often, NULL, pool), APR_SUCCESS);
    for (i = 0; i < THREADS; i++)
        apr_thread_join(&rv, threads[i]);
    ck_assert_int_eq(passed, THREADS * ROUNDS);
    ck_assert_int_eq(too_many, 0);
    ck_assert_int_eq(stats().in_flight, 0);
    ck_assert_int_eq(stats().waiting, 0);
}
END_TEST

typedef struct {
    apr_status_t rv;
    oas_gate_place_t place;
    apr_thread_t *thread;
} waiter_t;

static void *APR_THREAD_FUNC wait_once(apr_thread_t *thread, void *data)
{
    waiter_t *waiter = data;

    waiter->rv = oas_gate_enter(gate, LONG_WAIT, &waiter->place);
    return NULL;
}

static void start_waiter(waiter_t *waiter)
{
    ck_assert_int_eq(apr_thread_create(&waiter->thread, NULL, wait_once, waiter, pool),
                     APR_SUCCESS);
}

static void join_waiter(waiter_t *waiter)
{
    apr_status_t rv;

    apr_thread_join(&rv, waiter->thread);
}

START_TEST(test_nobody_overtakes)
{
    oas_gate_place_t a, late;
    waiter_t waiter;

    make_gate(1);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &a), APR_SUCCESS);
    start_waiter(&waiter);
    wait_for_waiting(1);
    oas_gate_leave(&a);
    /* the place belongs to the waiter from now on, awake or not */
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &late), OAS_DB_UNAVAILABLE);
    join_waiter(&waiter);
    ck_assert_int_eq(waiter.rv, APR_SUCCESS);
    oas_gate_leave(&waiter.place);
    ck_assert_int_eq(stats().in_flight, 0);
}
END_TEST

START_TEST(test_growing_serves_waiters)
{
    oas_gate_place_t a;
    waiter_t waiters[3];
    int i;

    make_gate(1);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &a), APR_SUCCESS);
    for (i = 0; i < 3; i++)
        start_waiter(&waiters[i]);
    wait_for_waiting(3);
    oas_gate_size(gate, 4);
    for (i = 0; i < 3; i++) {
        join_waiter(&waiters[i]);
        ck_assert_int_eq(waiters[i].rv, APR_SUCCESS);
    }
    ck_assert_int_eq(stats().in_flight, 4);
}
END_TEST

START_TEST(test_away_lets_one_probe)
{
    oas_gate_place_t a, probe, other;

    make_gate(8);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &a), APR_SUCCESS);
    oas_gate_report(&a, 0);
    ck_assert_int_eq(stats().away, 1);
    oas_gate_leave(&a);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &probe), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &other), OAS_DB_UNAVAILABLE);
    oas_gate_report(&probe, 0);
    oas_gate_leave(&probe);
    ck_assert_int_eq(stats().away, 1);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &probe), APR_SUCCESS);
    oas_gate_report(&probe, 1);
    ck_assert_int_eq(stats().away, 0);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &other), APR_SUCCESS);
    oas_gate_leave(&probe);
    oas_gate_leave(&other);
    ck_assert_int_eq(stats().in_flight, 0);
}
END_TEST

START_TEST(test_silent_probe_lets_next_probe)
{
    oas_gate_place_t probe;

    make_gate(8);
    store_gate_find(gate, 0);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &probe), APR_SUCCESS);
    oas_gate_leave(&probe);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &probe), APR_SUCCESS);
    ck_assert_int_eq(probe.probe, 1);
}
END_TEST

/* Whoever comes while somebody probes is told what he found. */
static void wait_behind(waiter_t *waiter, oas_gate_place_t *probe, int reached)
{
    make_gate(4);
    store_gate_find(gate, 0);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, probe), APR_SUCCESS);
    start_waiter(waiter);
    while (stats().waiting + (int)stats().refused < 1)
        usleep(1000);
    oas_gate_report(probe, reached);
    join_waiter(waiter);
    ck_assert_int_eq(stats().waiting, 0);
}

/* The waiter may have given up before the probe has told him, on a machine that is slow. */
START_TEST(test_probe_is_waited_for)
{
    oas_gate_place_t probe;
    waiter_t waiter;
    int tries = 0;

    do {
        wait_behind(&waiter, &probe, 1);
    } while (waiter.rv != APR_SUCCESS && ++tries < 20);
    ck_assert_int_eq(waiter.rv, APR_SUCCESS);
    ck_assert_int_eq(waiter.place.probe, 0);
    oas_gate_leave(&waiter.place);
    oas_gate_leave(&probe);
    ck_assert_int_eq(stats().in_flight, 0);
}
END_TEST

START_TEST(test_probe_is_waited_for_in_vain)
{
    oas_gate_place_t probe;
    waiter_t waiter;

    wait_behind(&waiter, &probe, 0);
    ck_assert_int_eq(waiter.rv, OAS_DB_UNAVAILABLE);
    ck_assert_int_eq((int)stats().refused, 1);
    oas_gate_leave(&probe);
    ck_assert_int_eq(stats().in_flight, 0);
}
END_TEST

/* The database is silent, so the probe does not come back: nobody stays long, nor do many. */
START_TEST(test_silent_database_keeps_nobody)
{
    apr_time_t start = apr_time_now();
    oas_gate_place_t probe, other;
    waiter_t waiters[2];
    int i, tries = 0;

    make_gate(4);
    store_gate_find(gate, 0);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &probe), APR_SUCCESS);
    for (i = 0; i < 2; i++)
        start_waiter(&waiters[i]);
    while (stats().waiting < 2 && stats().refused < 1)
        usleep(1000);
    while (stats().refused < 1) { /* both wait: one more would be too many */
        ck_assert_int_eq(oas_gate_enter(gate, LONG_WAIT, &other), OAS_DB_UNAVAILABLE);
        tries++;
    }
    for (i = 0; i < 2; i++) {
        join_waiter(&waiters[i]);
        ck_assert_int_eq(waiters[i].rv, OAS_DB_UNAVAILABLE);
    }
    ck_assert_int_eq(oas_gate_enter(gate, LONG_WAIT, &other), OAS_DB_UNAVAILABLE);
    ck_assert_int_eq((int)stats().refused, tries + 3);
    ck_assert_int_lt((int)apr_time_sec(apr_time_now() - start), 10);
    oas_gate_leave(&probe);
}
END_TEST

/* A request from before the outage that fails late is not the probe. */
START_TEST(test_late_failure_is_not_the_probe)
{
    oas_gate_place_t a, late, probe, other;

    make_gate(8);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &a), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &late), APR_SUCCESS);
    oas_gate_report(&a, 0);
    oas_gate_leave(&a);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &probe), APR_SUCCESS);
    oas_gate_report(&late, 0);
    oas_gate_leave(&late);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &other), OAS_DB_UNAVAILABLE);
}
END_TEST

START_TEST(test_waiters_are_told)
{
    oas_gate_place_t a;
    waiter_t waiters[4];
    int i;

    make_gate(1);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &a), APR_SUCCESS);
    for (i = 0; i < 4; i++)
        start_waiter(&waiters[i]);
    wait_for_waiting(4);
    oas_gate_report(&a, 0);
    for (i = 0; i < 4; i++) {
        join_waiter(&waiters[i]);
        ck_assert_int_eq(waiters[i].rv, OAS_DB_UNAVAILABLE);
    }
    oas_gate_leave(&a);
    ck_assert_int_eq(stats().in_flight, 0);
    ck_assert_int_eq((int)stats().refused, 4);
}
END_TEST

typedef struct {
    apr_thread_t *thread;
    oas_gate_place_t *place;
    apr_status_t rv;
    int tid;
} borrower_t;

static void *APR_THREAD_FUNC lend_once(apr_thread_t *thread, void *data)
{
    borrower_t *borrower = data;

    __atomic_store_n(&borrower->tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    borrower->rv = oas_gate_lend(borrower->place, LONG_WAIT);
    return NULL;
}

/* Until he has come as far as to wait: his thread sleeps. */
static void wait_for_borrower(const borrower_t *borrower)
{
    char state = 0;
    int i;

    for (i = 0; i < 4000 && state != 'S'; i++) {
        int tid = __atomic_load_n(&borrower->tid, __ATOMIC_ACQUIRE);
        FILE *stat = tid ? fopen(apr_psprintf(pool, "/proc/self/task/%d/stat", tid), "r") : NULL;

        if (stat) {
            if (fscanf(stat, "%*[^)]) %c", &state) != 1)
                state = 0;
            fclose(stat);
        }
        usleep(5000);
    }
    ck_assert_int_eq(state, 'S');
}

/* While one makes a connection, which may take long, the others use those that there are. */
START_TEST(test_one_makes_a_connection)
{
    oas_gate_place_t makes, uses, waits;
    borrower_t borrower = {NULL, &waits, APR_EGENERAL, 0};
    apr_status_t rv;

    make_gate(3);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &uses), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_lend(&uses, NO_WAIT), APR_SUCCESS);
    oas_gate_lent(&uses, 1);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &makes), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_lend(&makes, NO_WAIT), APR_SUCCESS);

    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &waits), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_lend(&waits, apr_time_from_msec(50)), OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(apr_thread_create(&borrower.thread, NULL, lend_once, &borrower, pool),
                     APR_SUCCESS);
    oas_gate_leave(&uses); /* this connection goes to the one who waits */
    apr_thread_join(&rv, borrower.thread);
    ck_assert_int_eq(borrower.rv, APR_SUCCESS);
    oas_gate_lent(&waits, 1);

    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &uses), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_lend(&uses, NO_WAIT), OAS_DB_UNAVAILABLE);
    oas_gate_lent(&makes, 0); /* in vain: the next one may try */
    ck_assert_int_eq(oas_gate_lend(&uses, NO_WAIT), APR_SUCCESS);
    oas_gate_leave(&makes);
    oas_gate_leave(&uses);
    oas_gate_leave(&waits);
    ck_assert_int_eq(stats().in_flight, 0);
}
END_TEST

static void lend_now(oas_gate_place_t *place)
{
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, place), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_lend(place, NO_WAIT), APR_SUCCESS);
    oas_gate_lent(place, 1);
}

/* Those that have died are made anew one after the other, and nobody takes them for live ones. */
START_TEST(test_one_makes_anew)
{
    oas_gate_place_t first, second, third;

    make_gate(3);
    lend_now(&first);
    lend_now(&second);
    ck_assert_int_eq(oas_gate_remake(&first), 1);
    ck_assert_int_eq(oas_gate_remake(&second), 0);
    oas_gate_leave(&second);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &third), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_lend(&third, apr_time_from_msec(20)), OAS_DB_UNAVAILABLE);
    oas_gate_lent(&first, 1);
    ck_assert_int_eq(oas_gate_lend(&third, NO_WAIT), APR_SUCCESS); /* the next one to make it */
    ck_assert_int_eq(oas_gate_remake(&third), 1);
    oas_gate_leave(&first);
    lend_now(&second); /* the one that is alive */
    oas_gate_dead(&second);
    oas_gate_leave(&second);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &second), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_lend(&second, NO_WAIT), OAS_DB_UNAVAILABLE);
    oas_gate_leave(&second);
    oas_gate_leave(&third);
    ck_assert_int_eq(stats().in_flight, 0);
}
END_TEST

/* Who waits for a connection gets it before whoever comes later. */
START_TEST(test_lent_in_turn)
{
    oas_gate_place_t uses, waits, late;
    borrower_t borrower = {NULL, &waits, APR_EGENERAL, 0};
    oas_gate_place_t makes;
    apr_status_t rv;

    make_gate(4);
    lend_now(&uses);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &makes), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &waits), APR_SUCCESS);
    ck_assert_int_eq(apr_thread_create(&borrower.thread, NULL, lend_once, &borrower, pool),
                     APR_SUCCESS);
    wait_for_borrower(&borrower);
    oas_gate_leave(&uses);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &late), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_lend(&late, NO_WAIT), OAS_DB_UNAVAILABLE);
    apr_thread_join(&rv, borrower.thread);
    ck_assert_int_eq(borrower.rv, APR_SUCCESS);
    oas_gate_leave(&makes);
    oas_gate_leave(&waits);
    oas_gate_leave(&late);
    ck_assert_int_eq(stats().in_flight, 0);
}
END_TEST

/* While the connections of a new process are made, one waits longer; not once they are there. */
START_TEST(test_patience)
{
    oas_gate_place_t a, b;

    make_gate(2);
    ck_assert_int_eq(oas_gate_patience(gate, 7), 7);
    oas_gate_open(gate, LONG_WAIT);
    ck_assert_int_gt((int)oas_gate_patience(gate, 7), 7);
    ck_assert_int_eq(oas_gate_patience(gate, 2 * LONG_WAIT), 2 * LONG_WAIT);
    lend_now(&a);
    ck_assert_int_gt((int)oas_gate_patience(gate, 7), 7);
    lend_now(&b);
    ck_assert_int_eq(oas_gate_patience(gate, 7), 7);
    oas_gate_leave(&a);
    oas_gate_leave(&b);
    oas_gate_open(gate, apr_time_from_msec(10));
    usleep(20000);
    ck_assert_int_eq(oas_gate_patience(gate, 7), 7);
}
END_TEST

/* A connection that cannot be made says nothing about a database that others have reached since. */
START_TEST(test_others_reach_it)
{
    oas_gate_place_t a, b;

    make_gate(2);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &a), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_enter(gate, NO_WAIT, &b), APR_SUCCESS);
    oas_gate_report(&b, 1);
    oas_gate_report_silence(&a, 1);
    ck_assert_int_eq(stats().away, 0);
    oas_gate_report_silence(&a, apr_time_now() + apr_time_from_sec(1000000));
    ck_assert_int_eq(stats().away, 1);
    oas_gate_leave(&a);
    oas_gate_leave(&b);
}
END_TEST

Suite *store_gate_suite(void)
{
    Suite *suite = suite_create("gate");
    TCase *tcase = unit_case(suite, "gate");

    tcase_add_test(tcase, test_one_until_told);
    tcase_add_test(tcase, test_half_may_pause);
    tcase_add_test(tcase, test_wait_is_bounded);
    tcase_add_test(tcase, test_many_threads);
    tcase_add_test(tcase, test_nobody_overtakes);
    tcase_add_test(tcase, test_growing_serves_waiters);
    tcase_add_test(tcase, test_away_lets_one_probe);
    tcase_add_test(tcase, test_silent_probe_lets_next_probe);
    tcase_add_test(tcase, test_probe_is_waited_for);
    tcase_add_test(tcase, test_probe_is_waited_for_in_vain);
    tcase_add_test(tcase, test_silent_database_keeps_nobody);
    tcase_add_test(tcase, test_late_failure_is_not_the_probe);
    tcase_add_test(tcase, test_waiters_are_told);
    tcase_add_test(tcase, test_one_makes_a_connection);
    tcase_add_test(tcase, test_one_makes_anew);
    tcase_add_test(tcase, test_lent_in_turn);
    tcase_add_test(tcase, test_patience);
    tcase_add_test(tcase, test_others_reach_it);
    return suite;
}
