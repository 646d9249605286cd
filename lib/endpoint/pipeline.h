/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pipeline.h
 * An endpoint is a table of steps, read top to bottom. A step says by its verb what it may do:
 * check_ may refuse, load_ fetches, assign_ fills a default, accept_ takes what a form says,
 * require_ may answer with a page, issue_ mints or writes, respond_ ends. All issue_ rows stand
 * below all checks.
 */
#ifndef OAS_ENDPOINT_PIPELINE_H
#define OAS_ENDPOINT_PIPELINE_H

#include "../base/tx.h"

#define OAS_ALWAYS (~0u) /**< row mask: for every kind of request of this endpoint */

typedef struct {
    const char *name;
    oas_outcome_t (*run)(oas_tx_t *tx);
    unsigned mask;         /**< the row applies when it shares a bit with tx->mask */
    const char *reference; /**< where the rule is written */
} oas_step_t;

/**
 * Walks the table (ends with a NULL name) until a step answers or fails; a failure is turned into a
 * reply. Each row is logged at trace level with its outcome.
 */
void oas_pipeline_run(oas_tx_t *tx, const oas_step_t *steps);

/** The endpoints' tables. */
extern const oas_step_t oas_authorize_steps[];
extern const oas_step_t oas_token_steps[];
extern const oas_step_t oas_userinfo_steps[];
extern const oas_step_t oas_revoke_steps[];
extern const oas_step_t oas_introspect_steps[];
extern const oas_step_t oas_account_steps[];
extern const oas_step_t oas_logout_steps[];
extern const oas_step_t oas_v2logout_steps[];
extern const oas_step_t oas_document_steps[];
extern const oas_step_t oas_health_steps[];
extern const oas_step_t oas_ready_steps[];
extern const oas_step_t oas_metrics_steps[];

#endif
