/* SPDX-License-Identifier: Apache-2.0 */
/* The store against a PostgreSQL of its own; exits with 77 where there is none. */
#include <stdlib.h>
#include <apr_dbd.h>
#include <apr_general.h>
#include "../lib/cluster.h"
#include "store_test.h"

int main(void)
{
    apr_pool_t *pool;
    SRunner *runner;
    int failed;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    apr_dbd_init(pool);
    cluster_up();
    runner = srunner_create(store_session_suite());
    srunner_add_suite(runner, store_grant_suite());
    srunner_add_suite(runner, store_refresh_suite());
    srunner_add_suite(runner, store_ends_suite());
    srunner_add_suite(runner, store_login_suite());
    srunner_add_suite(runner, store_account_suite());
    srunner_add_suite(runner, store_logout_suite());
    srunner_add_suite(runner, store_keys_suite());
    srunner_add_suite(runner, store_table_suite());
    srunner_add_suite(runner, store_schema_suite());
    srunner_add_suite(runner, store_upgrade_suite());
    srunner_add_suite(runner, store_partition_suite());
    srunner_add_suite(runner, store_settle_suite());
    srunner_add_suite(runner, store_held_suite());
    srunner_add_suite(runner, store_runner_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    cluster_down();
    apr_pool_destroy(pool);
    apr_terminate();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
