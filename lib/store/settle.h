/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file settle.h
 * Private to store/: what the runner does about attempts whose outcome nobody could be told, its
 * own and other people's. What settles them outside requests is oas_db_settle (db.h).
 */
#ifndef OAS_STORE_SETTLE_H
#define OAS_STORE_SETTLE_H

#include "runner.h"

/**
 * To be called before an attempt is sent: undoes what this node knows to be undone of the same
 * code, token or assertion, and, while answers of the database get lost, gives other processes and
 * nodes the time to do so. Whatever still seems to be used then is judged later when the database
 * has just come back (oas_gate_faith). Does nothing for any other statement: whoever only reads
 * waits for nobody's undo.
 * @return APR_SUCCESS; OAS_DB_UNAVAILABLE: nobody knows whether it may go on, its client is to come
 * again; or as oas_db_run
 */
apr_status_t oas_settle_before(oas_db_t *db, const oas_stmt_t *stmt, const char *const *params,
                               apr_pool_t *pool);

/** Nobody was told what became of this attempt: it is undone as soon as somebody can. */
void oas_settle_later(oas_db_t *db, const oas_stmt_t *stmt, const char *const *params);

/** How long oas_settle_pause takes. */
#define OAS_SETTLE_PAUSE apr_time_from_sec(1)

/**
 * Gives others the time to undo what they have to. Holds no connection meanwhile.
 * @return OAS_DB_UNAVAILABLE: this one is one too many to wait
 */
apr_status_t oas_settle_pause(oas_db_t *db);

#endif
