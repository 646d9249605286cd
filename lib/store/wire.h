/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file wire.h
 * Private to store/: libpq with a deadline. Nothing here waits longer than it is told.
 */
#ifndef OAS_STORE_WIRE_H
#define OAS_STORE_WIRE_H

#include <apr_errno.h>
#include <apr_time.h>
#include <libpq-fe.h>

/**
 * After a PQsend...: sends what is left and waits until PQgetResult would not block.
 * @return APR_SUCCESS, also for a dead connection (PQgetResult then says so); APR_TIMEUP
 */
apr_status_t oas_wire_wait(PGconn *conn, apr_time_t deadline);

/**
 * After a PQsend... outside pipeline mode: waits for the whole answer.
 * @param out the last result, an error result included; NULL when there was none
 * @return APR_SUCCESS, or APR_TIMEUP: the connection has then been abandoned
 */
apr_status_t oas_wire_collect(PGconn *conn, apr_time_t deadline, PGresult **out);

/** Cuts a connection whose answer nobody waits for any more: afterwards it is CONNECTION_BAD. */
void oas_wire_abandon(PGconn *conn);

/** Reads what the server said unasked (it is shutting down). 1 when the connection is still good.
 */
int oas_wire_good(PGconn *conn);

#endif
