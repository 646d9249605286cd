/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include "../reply/reply.h"

static const char *const outcome_names[] = {
    [OAS_NEXT] = "next", [OAS_ANSWERED] = "answered", [OAS_FAILED] = "failed"};

void oas_pipeline_run(oas_tx_t *tx, const oas_step_t *steps)
{
    const oas_step_t *step;

    tx->mask = OAS_ALWAYS;
    for (step = steps; step->name != NULL; step++) {
        oas_outcome_t outcome;

        if (!(step->mask & tx->mask)) {
            continue;
        }
        outcome = step->run(tx);
        oas_log(tx->log, OAS_LOG_TRACE, OAS_TAG(00730), APR_SUCCESS, "%s: %s ref=%s", step->name,
                outcome_names[outcome], tx->request_id);
        if (outcome == OAS_FAILED) {
            oas_reply_error(tx);
        }
        if (outcome != OAS_NEXT) {
            return;
        }
    }
}
