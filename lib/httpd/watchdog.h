/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file watchdog.h
 * Work beside requests, in one child process of the host at a time (mod_watchdog).
 */
#ifndef OAS_HTTPD_WATCHDOG_H
#define OAS_HTTPD_WATCHDOG_H

#include "server_config.h"

/**
 * Registers the task that writes configured clients to the clients table soon after start, again
 * and again while the database is away. In post_config. Without mod_watchdog nothing is written,
 * and one line says so.
 */
void oas_watchdog_register(apr_pool_t *pconf, server_rec *main_server);

#endif
