/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file complete.h
 * From what was written to what requests see: defaults by type and profile, then everything that is
 * made once.
 */
#ifndef OAS_HTTPD_COMPLETE_H
#define OAS_HTTPD_COMPLETE_H

#include "server_config.h"

/** Gives each virtual host a configuration of its own; httpd lets those that say nothing share one.
 */
void oas_detach_servers(apr_pool_t *pool, server_rec *main_server);

/**
 * Fills in defaults: of directives, of clients by type and profile, of claims; endpoint paths and
 * URLs; the maps of clients and resources. @return NULL or what is wrong
 */
const char *oas_complete_issuer(oas_server_config_t *config, apr_pool_t *pool);

/**
 * Makes what requests need and a check does not: cookie name, client JSON, metadata, key set.
 * @return APR_EGENERAL when JSON cannot be made
 */
apr_status_t oas_finish_issuer(oas_server_config_t *config, apr_pool_t *pool);

#endif
