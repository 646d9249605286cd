/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file db.h
 * One request's access to the database: a connection borrowed from whoever owns the pool (mod_dbd
 * in httpd, apr_dbd itself in the command-line tool), behind a gate, used through libpq with a
 * deadline.
 */
#ifndef OAS_STORE_DB_H
#define OAS_STORE_DB_H

#include <apr_dbd.h>
#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>
#include "../base/log.h"
#include "../base/tx.h" /* OAS_DB_UNAVAILABLE */
#include "gate.h"

typedef struct oas_db oas_db_t;

/** How long one request may wait for statements in all, unless it is told otherwise. */
#define OAS_DB_LIMIT apr_time_from_sec(5)

/** A borrowed connection. */
typedef struct {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_pool_t *pool;          /**< lives as long as the connection */
    apr_interval_time_t limit; /**< how long its statements may take; 0: OAS_DB_LIMIT */
    int stale;                 /**< it is dead or too old, and is made anew before use */
    int kept; /**< it cannot be given back early: its owner takes it back by itself */
} oas_dbd_t;

/** Who lends connections. */
typedef struct {
    /** Fills *out; APR_SUCCESS or any error when there is none now. Called without waiting for a
     * free place: the gate has seen to that. */
    apr_status_t (*borrow)(void *baton, oas_dbd_t *out);
    /** Gives it back early, or NULL when the owner takes it back by itself. */
    void (*give_back)(void *baton, oas_dbd_t *dbd);
} oas_db_source_t;

/**
 * @param issuer the iss value that the schema must belong to (law 11), or NULL for tools
 * @param gate   the gate of this process, see gate.h; NULL: no gate (tools)
 * @param wait   longest wait at the gate
 * Nothing is borrowed before the first statement. A dead connection is made again through
 * apr_dbd_check_conn, which waits as long as the connection's connect_timeout allows. The place at
 * the gate is given back when `pool` is cleared, after the connection.
 */
oas_db_t *oas_db_create(apr_pool_t *pool, const oas_db_source_t *source, void *baton,
                        const char *issuer, oas_gate_t *gate, apr_interval_time_t wait,
                        const oas_log_t *log);

/**
 * How long this request may wait for its statements in all: for sending them again and for
 * connecting anew, too (one attempt to connect that is under way is not broken off; it ends by its
 * own connect_timeout). Default: OAS_DB_LIMIT.
 */
void oas_db_limit(oas_db_t *db, apr_interval_time_t limit);

/** Begins that time anew: for work of many statements, for which no request waits. */
void oas_db_renew(oas_db_t *db);

/**
 * Undoes what nobody could be told the outcome of (the clients were told 503), until there is
 * nothing left, the database is away or a row is held by somebody else. To be called now and then
 * outside requests; a request undoes by itself what concerns the code, token or assertion that it
 * presents, and nothing else. Cheap when there is nothing to undo.
 */
void oas_db_settle(oas_db_t *db);

/**
 * Gives connection and place back; the next statement borrows anew. To be called before anything
 * that can take long (a password provider, hashing, sending the answer), so that neither a slow
 * directory nor a slow reader keeps others from the database. Everything read stays valid: it is in
 * the callers' pools.
 */
void oas_db_release(oas_db_t *db);

/**
 * Prepares this module's statements on a new connection and again after each reset of it (libpq
 * event), and reads the schema's version and issuer. To be called from mod_dbd's post_connect hook
 * with the connection's own pool. Never fails the connection: a missing schema only makes our
 * statements fail. Where the session has no statement_timeout it gets one of four fifths of
 * dbd->limit, so that the server says itself what became of a write.
 * @param pool_key identifies the pool the connection belongs to; @param max its size (DBDMax)
 * @param reset_hook called after a reset, before our own statements are prepared; may be NULL
 */
void oas_db_connected(const oas_dbd_t *dbd, const void *pool_key, int max,
                      void (*reset_hook)(void *baton, const oas_dbd_t *dbd), void *baton,
                      const oas_log_t *log);

#endif
