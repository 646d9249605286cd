/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include "../base/audit.h"
#include "../base/json.h"
#include "../check/token.h"
#include "../reply/reply.h"
#include "endpoint.h"

static const char *const outcome_names[] = {
    [OAS_NEXT] = "next", [OAS_ANSWERED] = "answered", [OAS_FAILED] = "failed"};

/*
 * Whether a refusal is written: at the endpoints that applications call with what they hold always;
 * elsewhere once it is known who is refused, since anybody can make any number of other requests.
 * Not what is no fault of theirs, nor what has an event of its own.
 */
static int is_audited(const oas_tx_t *tx)
{
    if (oas_error_row(tx->error)->status >= 500 || tx->error == OAS_E_ACCESS_DENIED) {
        return 0;
    }
    switch (tx->endpoint) {
    case OAS_EP_TOKEN:
    case OAS_EP_REVOKE:
    case OAS_EP_INTROSPECT:
        return 1;
    case OAS_EP_AUTHORIZE:
        return tx->session != NULL;
    case OAS_EP_USERINFO:
        return tx->token != NULL;
    default:
        return 0;
    }
}

/* An access token that was refused is named by what it says of itself. */
static void name_token(const oas_tx_t *tx, oas_members_t *more)
{
    const oas_token_t *token = tx->token;

    if (tx->endpoint != OAS_EP_USERINFO || tx->grant != NULL) {
        return;
    }
    oas_members_string(more, "jti", token->jti);
    if (token->has_grant) {
        oas_members_string(
            more, "grant_id",
            oas_base64url_encode(tx->pool, token->grant_id, sizeof(token->grant_id)));
    }
}

static void audit_refusal(oas_tx_t *tx)
{
    const oas_error_row_t *row = oas_error_row(tx->error);
    oas_members_t *more;

    if (!is_audited(tx)) {
        return;
    }
    more = oas_members_create(tx->pool);
    oas_members_string(more, "endpoint", oas_endpoint_name(tx->endpoint));
    oas_members_string(more, "error", row->code);
    name_token(tx, more);
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
