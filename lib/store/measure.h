/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file measure.h
 * What the database says of itself, for the gauges of a node (base/metrics.h). Nothing of it costs
 * more the larger the tables are.
 */
#ifndef OAS_STORE_MEASURE_H
#define OAS_STORE_MEASURE_H

#include "db.h"

#define OAS_MEASURE_MAX 10000 /**< rows of a table that are counted at most */

typedef struct {
    int schema_version;
    apr_int64_t logouts; /**< queued; OAS_MEASURE_MAX: as many or more */
    apr_int64_t due;     /**< rows that have ended and wait to be deleted, so many of each table */
    apr_int64_t purged;  /**< when none was left last, seconds since 1970; 0: never yet */
} oas_measured_t;

apr_status_t oas_store_measure(oas_db_t *db, oas_measured_t *out, apr_pool_t *pool);

#endif
