/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file grant_row.h
 * Private to store/: answers that consist of an outcome and, where there is something to issue, a
 * grant (oas_grant_for_2 of the schema).
 */
#ifndef OAS_STORE_GRANT_ROW_H
#define OAS_STORE_GRANT_ROW_H

#include "grant.h"
#include "runner.h"

/** First column behind those of the grant. */
#define OAS_GRANT_COLUMNS 15

/**
 * Runs a statement whose columns begin with GRANT_COLUMNS of statements.c.
 * @param names   the outcomes that this version knows
 * @param outcome the value that belongs to what came
 * @param grant   filled when a grant came, else all zero
 * @return as oas_db_run_row; APR_EGENERAL (logged) for what cannot be read
 */
apr_status_t oas_db_run_grant(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                              const oas_outcome_name_t *names, int *outcome, oas_grant_t *grant,
                              oas_rows_t **rows, apr_pool_t *pool);

#endif
