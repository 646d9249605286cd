/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client.h
 * Which client a request speaks of.
 */
#ifndef OAS_CHECK_CLIENT_H
#define OAS_CHECK_CLIENT_H

#include "../base/tx.h"

/**
 * Finds a client: the configuration of this node first, then the clients table
 * (client_cache.h: up to some seconds old).
 * @return APR_ENOENT: none, or one of the database that configtest would refuse (logged); OAS_DB_UNAVAILABLE or APR_EGENERAL: cannot tell
 */
apr_status_t oas_client_find(oas_tx_t *tx, const char *client_id, const oas_client_t **out);

/** Step of /authorize: client_id must name a client (RFC 6749 section 4.1.1); otherwise a page. */
oas_outcome_t oas_load_client(oas_tx_t *tx);

#endif
