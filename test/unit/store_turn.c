/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is to look whether the database is back, when no request does. */
#include "store_test.h"

#include <unistd.h>
#include "../../lib/base/clock.h"
#include "../../lib/base/shared.h"
#include "../../lib/store/gate.h"
#include "../../lib/store/undo_area.h"
#include "unit.h"

static void wait_for_turn(oas_gate_t *which)
{
    int i;

    for (i = 0; i < 4000 && !oas_gate_turn(which); i++)
        usleep(5000);
    ck_assert_int_lt(i, 4000);
}

/* A task probes where nobody else does. */
START_TEST(test_turns)
{
    oas_gate_place_t place;
    apr_time_t start;
    oas_gate_t *gate;

    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_gate_turn(gate), 0);
    store_gate_find(gate, 0);
    wait_for_turn(gate);
    ck_assert_int_eq(oas_gate_enter(gate, 0, &place), APR_SUCCESS);
    start = oas_clock();
    usleep(150000);
    ck_assert_int_eq(oas_gate_turn(gate), 0); /* somebody does */
    oas_gate_report(&place, 0);
    oas_gate_leave(&place);
    wait_for_turn(gate);
    ck_assert_int_ge((int)apr_time_as_msec(oas_clock() - start), 1000);
    store_gate_find(gate, 1);
    ck_assert_int_eq(oas_gate_turn(gate), 0);
}
END_TEST

/* Of many processes one after the other looks, until one has found it back. */
START_TEST(test_turns_are_shared)
{
    oas_undo_area_t *area = oas_shared_map(oas_undo_area_size());
    oas_gate_t *gates[2];
    apr_time_t start;
    int turn, i;

    ck_assert_ptr_nonnull(area);
    ck_assert_int_eq(oas_undo_area_prepare(area), APR_SUCCESS);
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(oas_gate_create(&gates[i], pool), APR_SUCCESS);
        oas_gate_share(gates[i], area);
        store_gate_find(gates[i], 0);
    }
    start = oas_clock();
    ck_assert_int_eq(oas_gate_turn(gates[0]), 1);
    turn = oas_gate_turn(gates[1]);
    ck_assert(!turn || oas_clock() - start >= apr_time_from_msec(100));
    wait_for_turn(gates[1]);
    store_gate_find(gates[1], 0); /* it has just looked */
    ck_assert_int_eq(oas_gate_turn(gates[1]), 0);
    store_gate_find(gates[0], 1);
    ck_assert_int_eq(oas_gate_turn(gates[1]), 1);
}
END_TEST

Suite *store_turn_suite(void)
{
    Suite *suite = suite_create("turn");
    TCase *tcase = unit_case(suite, "turn");

    tcase_add_test(tcase, test_turns);
    tcase_add_test(tcase, test_turns_are_shared);
    return suite;
}
