/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file database.h
 * mod_dbd as the store's source of connections, and the gates before its pools.
 */
#ifndef OAS_HTTPD_DATABASE_H
#define OAS_HTTPD_DATABASE_H

#include "../store/db.h"
#include "server_config.h"

/** Listens to mod_dbd's new connections; while hooks are registered. */
void oas_database_listen(void);

/** Looks up mod_dbd's functions, and bounds connecting where the administrator has not; in
 * post_config. */
void oas_database_find(apr_pool_t *pool);

/** Makes the gates of this child process, one per virtual host until the pools behind are known. */
apr_status_t oas_database_child(apr_pool_t *pchild, server_rec *main_server);

/**
 * The database of a request, shared by its subrequests and redirects: at most one connection.
 * Nothing is borrowed before the first statement.
 */
oas_db_t *oas_request_db(request_rec *r);

/** A database for work outside requests; what was borrowed is given back when `pool` is cleared. */
oas_db_t *oas_background_db(oas_server_config_t *config, apr_pool_t *pool);

/** Likewise, and nothing of ours is logged: to look whether a database is back that is known to be
 * away. mod_dbd logs each connection that it cannot make (AH00629). */
oas_db_t *oas_probing_db(oas_server_config_t *config, apr_pool_t *pool);

/** Whether this child knows its database to be away. */
int oas_database_away(oas_server_config_t *config);

/** Whether it is this child's turn to look (oas_gate_turn). */
int oas_database_turn(oas_server_config_t *config);

/** Whether this child's gate has something to settle (oas_db_settle), and the database is there. */
int oas_database_unsettled(oas_server_config_t *config);

#endif
