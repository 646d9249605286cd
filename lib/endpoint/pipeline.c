/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include "../base/audit.h"
#include "../base/json.h"
#include "../reply/reply.h"
#include "endpoint.h"

static const char *const outcome_names[] = {
    [OAS_NEXT] = "next", [OAS_ANSWERED] = "answered", [OAS_FAILED] = "failed"};

/* A refusal at one of the endpoints that applications call with what they hold; not what is no
 * fault of theirs. */
static void audit_refusal(oas_tx_t *tx)
{
    const oas_error_row_t *row = oas_error_row(tx->error);
    json_t *more;

    if (row->status >= 500 || (tx->endpoint != OAS_EP_TOKEN && tx->endpoint != OAS_EP_REVOKE &&
                               tx->endpoint != OAS_EP_INTROSPECT)) {
        return;
    }
    more = oas_json_object(tx->pool);
    oas_json_set(more, "endpoint", oas_endpoint_name(tx->endpoint));
    oas_json_set(more, "error", row->code);
    oas_audit(tx, OAS_AUDIT_REFUSE, tx->detail != NULL ? tx->detail : row->text, more);
}

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
            audit_refusal(tx);
        }
        if (outcome != OAS_NEXT) {
            return;
        }
    }
}
