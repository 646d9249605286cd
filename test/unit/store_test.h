/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file store_test.h
 * Suites of the two programs that test lib/store: without and with a PostgreSQL.
 */
#ifndef OAS_TEST_STORE_H
#define OAS_TEST_STORE_H

#include <check.h>
#include "../../lib/store/gate.h"

/** Passes a gate, and says that the database is away (0) or there. */
void store_gate_find(oas_gate_t *of, int reached);

Suite *store_gate_suite(void);
Suite *store_turn_suite(void);
Suite *store_client_suite(void);
Suite *store_undo_suite(void);

Suite *store_runner_suite(void);
Suite *store_session_suite(void);
Suite *store_grant_suite(void);
Suite *store_refresh_suite(void);
Suite *store_ends_suite(void);
Suite *store_login_suite(void);
Suite *store_account_suite(void);
Suite *store_logout_suite(void);
Suite *store_keys_suite(void);
Suite *store_table_suite(void);
Suite *store_schema_suite(void);
Suite *store_upgrade_suite(void);
Suite *store_partition_suite(void);
Suite *store_settle_suite(void);
Suite *store_held_suite(void);

#endif
