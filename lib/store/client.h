/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client.h
 * The clients table: configured clients are written to it for reports and other nodes; a node that
 * has no configuration for a client_id finds it here.
 */
#ifndef OAS_STORE_CLIENT_H
#define OAS_STORE_CLIENT_H

#include "db.h"

/**
 * Writes one configured client and notes that a node has it; a row that is up to date is touched
 * every 30 seconds at most, however many nodes have it. To be called once a minute: see
 * oas_store_client_load.
 * @return APR_SUCCESS; APR_EEXIST when a client that was not configured (source "database") has
 * this id: it stays as it is.
 */
apr_status_t oas_store_client_sync(oas_db_t *db, const oas_client_t *client, apr_pool_t *pool);

/**
 * Reads one client that is not disabled and, when it comes from a configuration, that some node
 * still has (noted within 3 minutes), so that removing it from every configuration ends it.
 * APR_ENOENT: none; OAS_CLIENT_UNSOUND: see below. The struct lives in `pool`; its config_json is
 * what the table has.
 */
apr_status_t oas_store_client_load(oas_db_t *db, const char *client_id, oas_client_t **out,
                                   apr_pool_t *pool);

/** A client as metadata JSON (RFC 7591 names, secrets as "client_secret_sha256" hex) in `pool`. */
char *oas_client_to_json(const oas_client_t *client, apr_pool_t *pool);

/** What oas_client_from_json() reads is a client, but one that configtest would refuse: it must not
 * be served, and is nobody's outage. */
#define OAS_CLIENT_UNSOUND (APR_OS_START_USERERR + 4001)

/**
 * The inverse; APR_EINVAL for what is no client, OAS_CLIENT_UNSOUND. Expressions
 * (skip_consent) and clear secrets do not travel, and so client_secret_jwt does not. A key set
 * comes as jwks_json; whoever keeps the client reads it into jwks (jose/jwks.h).
 */
apr_status_t oas_client_from_json(oas_client_t **out, const char *json, apr_pool_t *pool);

/**
 * The same without a look at whether it is sound, for who says what is wrong: `wrong` names the
 * member when it is APR_EINVAL. require_pkce is as it stands there.
 */
apr_status_t oas_client_read(oas_client_t **out, const char *json, const char **wrong,
                             apr_pool_t *pool);

#endif
