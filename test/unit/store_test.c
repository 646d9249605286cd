/* SPDX-License-Identifier: Apache-2.0 */
#include "store_test.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(store_gate_suite());
    int failed;

    srunner_add_suite(runner, store_turn_suite());
    srunner_add_suite(runner, store_client_suite());
    srunner_add_suite(runner, store_undo_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
