/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file watchdog.h
 * Work beside requests, in one child process of the host at a time (mod_watchdog).
 */
#ifndef OAS_HTTPD_WATCHDOG_H
#define OAS_HTTPD_WATCHDOG_H

#include "server_config.h"

/**
 * Registers what is done for each issuer soon after start and then again and again: writing
 * configured clients to the clients table, deleting rows that have ended, ending the oldest
 * families of refresh tokens of those who have too many, setting the gauges that come from the
 * database. While the database is away each waits
 * longer. In post_config. Without mod_watchdog nothing of it is done, and one line says so.
 */
void oas_watchdog_register(apr_pool_t *pconf, server_rec *main_server);

/** Lets runs begin, and end before the pools of this child do; in child_init, after mod_dbd's. */
void oas_watchdog_child(apr_pool_t *pchild, server_rec *main_server);

#endif
