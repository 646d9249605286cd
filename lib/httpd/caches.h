/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file caches.h
 * What a child process has besides its configuration: the clients of the database and the keys of
 * clients that it remembers, and the bounds and threads of
 * sign-ins by password.
 */
#ifndef OAS_HTTPD_CACHES_H
#define OAS_HTTPD_CACHES_H

#include "server_config.h"

/** What the children share; in post_config. */
apr_status_t oas_caches_prepare(apr_pool_t *pconf);

/** Makes the caches of each virtual host that is an issuer; in child_init. */
apr_status_t oas_caches_child(apr_pool_t *pchild, server_rec *main_server);

#endif
