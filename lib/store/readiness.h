/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file readiness.h
 * Whether the database can do what this issuer needs now, for balancers that ask often: whoever
 * asks, one probe a second of this process goes to the database, and the others get what it found,
 * unless the database has come back since.
 */
#ifndef OAS_STORE_READINESS_H
#define OAS_STORE_READINESS_H

#include "db.h"

typedef enum {
    OAS_READY_UNKNOWN,     /**< nobody has found out yet */
    OAS_READY_YES,         /**< also while all connections are in use: busy is not away */
    OAS_READY_UNREACHABLE, /**< it does not answer, or not in time */
    OAS_READY_READ_ONLY,   /**< a standby, or a primary made read-only */
    OAS_READY_SCHEMA,      /**< the schema is missing or of a version that does not fit */
    OAS_READY_ISSUER,      /**< it is another issuer's */
    OAS_READY_PRIVILEGE,   /**< the role lacks rights */
    OAS_READY_REFUSED      /**< the database answered with an error */
} oas_ready_t;

#define OAS_READY_INTERVAL apr_time_from_sec(1)
/** A probe that has no answer after this time counts as none, for all who ask meanwhile. */
#define OAS_READY_PATIENCE apr_time_from_sec(2)

/** What one process remembers for one issuer; any number of threads may use it. */
typedef struct oas_readiness oas_readiness_t;

apr_status_t oas_readiness_create(oas_readiness_t **out, apr_pool_t *pool);

/** Probes when it is time to, as long as a statement may take at most; else at once. */
oas_ready_t oas_readiness_ask(oas_readiness_t *readiness, oas_db_t *db, apr_pool_t *pool);

/** Probes now, for all who ask next. @return OAS_READY_UNKNOWN: somebody else is at it */
oas_ready_t oas_readiness_look(oas_readiness_t *readiness, oas_db_t *db, apr_pool_t *pool);

#endif
