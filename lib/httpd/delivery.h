/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file delivery.h
 * Tells clients that sessions have ended (endpoint/backchannel.h), in a watchdog of its own: in one
 * child process of the host at a time, beside the work of watchdog.h and never held up by it.
 */
#ifndef OAS_HTTPD_DELIVERY_H
#define OAS_HTTPD_DELIVERY_H

#include "server_config.h"

/** Registers it, in post_config. Without mod_watchdog nothing is delivered, and one line says so.
 */
void oas_delivery_register(apr_pool_t *pconf, server_rec *main_server);

/** Lets it begin, and end before the pools of this child do; in child_init, after mod_dbd's. */
void oas_delivery_child(apr_pool_t *pchild, server_rec *main_server);

#endif
