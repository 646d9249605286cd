/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cluster.h
 * For tests against a real PostgreSQL: a private cluster (test/lib/postgres), the schema in it, and
 * connections opened by apr_dbd as the runtime role.
 */
#ifndef OAS_TEST_CLUSTER_H
#define OAS_TEST_CLUSTER_H

#include <apr_pools.h>
#include <libpq-fe.h>
#include "../../lib/store/db.h"

#define TEST_ISSUER "https://as.example.test/"
#define TEST_SKIP   77 /**< exit code of a test that cannot run here */

/** Starts a cluster and applies the schema. Exits with TEST_SKIP, saying why, where there is none.
 */
void cluster_up(void);

/** OAS_PARTITIONS of the environment: how many the tables of the grants are in; 1: whole. */
int cluster_partitions(void);

/** Stops and removes it. */
void cluster_down(void);

/** Runs test/lib/postgres VERB on it with an optional last argument. Exits when that fails. */
void cluster_verb(const char *verb, const char *argument);

/** libpq parameters: of the runtime role, or of the owner of the schema. */
const char *cluster_params(int owner);

/** A connection of its own as the owner, to look and to meddle. */
PGconn *cluster_owner(void);

/** The same as the superuser, who sees everybody's backends. */
PGconn *cluster_superuser(void);

/** Runs SQL on it and returns the first cell in static memory; "" for none. Exits on an error. */
const char *cluster_sql(PGconn *conn, const char *sql);

/** Ends a backend and waits until it is gone. */
void cluster_terminate(int backend);

/**
 * A connection opened by apr_dbd, given to oas_db_connected unless `untold`. With OAS_FORMER=all in
 * the environment each one that is told has the statements of the module before this one, with
 * "half" every second (until it is connected anew).
 */
typedef struct {
    apr_pool_t *pool;
    oas_dbd_t dbd;
    int borrowed; /**< how often it was lent */
    int refuse;   /**< 1: lends nothing */
} cluster_conn_t;
cluster_conn_t *cluster_connect(apr_pool_t *pool, const char *params, int untold);

/** How long statements of connections and accesses made from now on may take; OAS_DB_LIMIT before. */
void cluster_patience(apr_interval_time_t limit);

/** The backend that serves it. */
int cluster_backend(const cluster_conn_t *conn);

/** One request's access through it. */
oas_db_t *cluster_db(cluster_conn_t *conn, const char *issuer, oas_gate_t *gate, apr_pool_t *pool);

/** The last line logged through cluster_db, and how many there were, since cluster_log_clear. */
const char *cluster_log_last(void);
int cluster_log_count(void);
void cluster_log_clear(void);

#endif
