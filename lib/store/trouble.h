/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trouble.h
 * Private to store/: what an SQLSTATE means for us, and log lines that do not flood the log.
 */
#ifndef OAS_STORE_TROUBLE_H
#define OAS_STORE_TROUBLE_H

#include <apr_errno.h>
#include "../base/log.h"

typedef enum {
    OAS_TROUBLE_NONE,
    OAS_TROUBLE_GATE,       /**< no place came free in time */
    OAS_TROUBLE_BORROW,     /**< the pool has no connection */
    OAS_TROUBLE_DRIVER,     /**< the pool is not of PostgreSQL */
    OAS_TROUBLE_RESET,      /**< a dead connection could not be made again */
    OAS_TROUBLE_LOST,       /**< the connection died under a statement */
    OAS_TROUBLE_DEADLINE,   /**< no answer in time */
    OAS_TROUBLE_CANCELLED,  /**< the server gave up in time */
    OAS_TROUBLE_LOCKED,     /**< somebody else held the row for too long, so nothing was done */
    OAS_TROUBLE_RESOURCES,  /**< the server has no room */
    OAS_TROUBLE_READ_ONLY,  /**< a standby, or a primary made read-only */
    OAS_TROUBLE_UNPREPARED, /**< statement forgotten, or its result has changed */
    OAS_TROUBLE_LATE,       /**< it would have begun too late, so nothing was done */
    OAS_TROUBLE_CONFLICT,   /**< serialization failure, deadlock, a table made anew: nothing was
                               done */
    OAS_TROUBLE_SCHEMA,     /**< missing, or of another version */
    OAS_TROUBLE_ISSUER,     /**< the schema belongs to another issuer */
    OAS_TROUBLE_PRIVILEGE,
    OAS_TROUBLE_INPUT,      /**< bytes of the client's that PostgreSQL cannot take */
    OAS_TROUBLE_EXISTS,     /**< unique violation */
    OAS_TROUBLE_UNREADABLE, /**< a row holds what this version cannot read */
    OAS_TROUBLE_BROKEN,     /**< a file cannot be read, a page is damaged */
    OAS_TROUBLE_OTHER,
    OAS_TROUBLE_COUNT
} oas_trouble_t;

/** What an SQLSTATE means; NULL (libpq's own errors) is OAS_TROUBLE_LOST. */
oas_trouble_t oas_trouble_of(const char *sqlstate);

/** What a verb returns for it. */
apr_status_t oas_trouble_status(oas_trouble_t trouble);

/**
 * Logs a trouble at most once a second in this process; what the tables say is no trouble is not
 * logged.
 * @param label the statement, or NULL; @param detail an SQLSTATE or words without parameter values,
 * or NULL
 */
void oas_trouble_log(const oas_log_t *log, oas_trouble_t trouble, const char *label,
                     const char *detail);

#endif
