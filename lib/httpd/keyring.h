/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file keyring.h
 * The keyrings of the issuers of this server (issue/keyring.h): the memory that the processes of a
 * node share, and the task in each process that follows them (mod_watchdog).
 */
#ifndef OAS_HTTPD_KEYRING_H
#define OAS_HTTPD_KEYRING_H

#include "server_config.h"

/**
 * Makes room for each issuer that has a keyring, once for all graceful restarts, and registers the
 * task. In post_config. Nothing where no issuer has one.
 * @return an error (logged) when there is no memory or no mod_watchdog
 */
apr_status_t oas_keyring_register(apr_pool_t *pconf, server_rec *main_server);

/** Reads the keyrings before the first request comes; in child_init, after mod_dbd's. */
void oas_keyring_child(apr_pool_t *pchild, server_rec *main_server);

/** What the issuer of a server signs with now, held until `pool` is cleared; NULL: not known yet.
 */
const struct oas_keyset *oas_server_keys(const oas_server_config_t *config, apr_pool_t *pool);

#endif
