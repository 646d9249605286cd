/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file runner.h
 * Private to store/: running a prepared statement on the request's connection, and what is known
 * about a connection.
 */
#ifndef OAS_STORE_RUNNER_H
#define OAS_STORE_RUNNER_H

#include "../base/uri.h"
#include "db.h"
#include "row.h"
#include "statements.h"
#include "trouble.h"

/**
 * Runs one statement in one round trip; see trouble.c for what fails how.
 * @param params oas_statements[id].params strings; NULL is SQL's NULL
 * @param rows   in `pool`; may have no row
 * @return APR_SUCCESS, OAS_DB_UNAVAILABLE, APR_EINVAL (bytes that PostgreSQL cannot take),
 * APR_EEXIST (unique violation) or APR_EGENERAL (logged)
 */
apr_status_t oas_db_run(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                        oas_rows_t **rows, apr_pool_t *pool);

/** As oas_db_run; APR_ENOENT when no row came back. `rows` may be NULL. */
apr_status_t oas_db_run_row(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                            oas_rows_t **rows, apr_pool_t *pool);

/**
 * For a statement whose rows are a list, see oas_rows_list.
 * @return as oas_db_run; APR_EGENERAL when a row cannot be read (logged)
 */
apr_status_t oas_db_run_list(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                             apr_array_header_t **out, apr_size_t size, oas_row_reader_t read,
                             apr_pool_t *pool);

/** For a function that answers true or false: APR_ENOENT when it is not true. */
apr_status_t oas_db_run_true(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                             apr_pool_t *pool);

/** What the last statement of this request failed with; a gate that is shut because the database is
 * away is OAS_TROUBLE_BORROW, OAS_TROUBLE_GATE one that is only full. */
oas_trouble_t oas_db_trouble(const oas_db_t *db);

/** What oas_db_create was given. */
oas_gate_t *oas_db_gate(const oas_db_t *db);
const oas_log_t *oas_db_log(const oas_db_t *db);
apr_pool_t *oas_db_pool(const oas_db_t *db);

/** Logs that a row holds what this version cannot read; returns APR_EGENERAL. */
apr_status_t oas_db_unreadable(oas_db_t *db, oas_stmt_id_t id);

/** The native connection, borrowed, alive and idle, whatever its schema is. */
apr_status_t oas_db_native(oas_db_t *db, PGconn **conn);

/** What is known about one connection; lives in the connection's pool. */
typedef struct {
    oas_dbd_t dbd;
    const void *pool_key;
    int max;
    void (*reset_hook)(void *baton, const oas_dbd_t *dbd);
    void *baton;
    const oas_log_t *log;
    int version; /**< of the schema; 0: none */
    int denied;  /**< 1: there is one, and the role may not read it */
    char issuer[OAS_URI_MAX + 1];
    apr_time_t ahead; /**< the database's clock before oas_clock, in microseconds */
    apr_time_t made;  /**< when it was connected, by oas_clock */
    /** How long what is done after a reset may take; 0: as long as a statement. */
    apr_interval_time_t left;
} oas_conn_t;

/** What oas_db_connected has noted for a connection, or NULL. */
oas_conn_t *oas_conn_find(PGconn *conn);

/** Reads version and issuer again and, when the schema is one of ours, prepares everything again.
 */
void oas_conn_refresh(oas_conn_t *state, PGconn *conn);

/** Looks at the database's clock again. */
void oas_conn_look_at_clock(oas_conn_t *state, PGconn *conn);

/** bytea parameter. */
const char *oas_sql_bytes(const void *data, apr_size_t len, apr_pool_t *pool);

/** uuid parameter from OAS_ID_LEN bytes; NULL for NULL. */
const char *oas_sql_id(const unsigned char *id, apr_pool_t *pool);

/** float8 parameter: seconds. */
const char *oas_sql_seconds(apr_interval_time_t time, apr_pool_t *pool);

/** The same in a place of this size. */
#define OAS_SQL_SECONDS_SIZE 32
void oas_sql_put_seconds(char *text, apr_time_t time);

/** An array of bytea, each `len` long; NULL members are left out. */
const char *oas_sql_array(const unsigned char *const *members, int n, apr_size_t len,
                          apr_pool_t *pool);

/** bigint parameter. */
const char *oas_sql_int(apr_int64_t number, apr_pool_t *pool);

#endif
