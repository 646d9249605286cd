/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file recovery.h
 * Each child process looks whether the database is back that it has found away, also when no
 * request comes that would do it (oas_gate_turn). And the one that comes first undoes what any of
 * them could not be told the outcome of (oas_db_settle): the client's next request may go to
 * another node. What there is to undo outlives child processes and graceful restarts
 * (store/undo_area.h).
 */
#ifndef OAS_HTTPD_RECOVERY_H
#define OAS_HTTPD_RECOVERY_H

#include "server_config.h"

/** In post_config. Without mod_watchdog only requests do either, and one line says so. */
void oas_recovery_register(apr_pool_t *pconf, server_rec *main_server);

/** Lets runs begin, and end before the pools of this child do; in child_init, after mod_dbd's. */
void oas_recovery_child(apr_pool_t *pchild, server_rec *main_server);

#endif
