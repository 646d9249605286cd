/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <ap_expr.h>
#include "audit_log.h"
#include "authn.h"
#include "leaving.h"
#include "login_option.h"
#include "metrics.h"
#include "recheck.h"

/** Expressions see the environment that the password check filled. */
static request_rec *eval_request(const oas_tx_t *tx)
{
    request_rec *r = tx->host_baton;
    const oas_request_state_t *state = oas_request_state(r);

    return state->login_r != NULL ? state->login_r : r;
}

static apr_status_t eval(oas_tx_t *tx, const oas_expr_t *expr, const char **out)
{
    const char *why = NULL;

    *out = ap_expr_str_exec(eval_request(tx), expr->compiled, &why);
    if (*out != NULL && why == NULL) {
        return APR_SUCCESS;
    }
    oas_log(tx->log, OAS_LOG_ERROR, OAS_TAG(00343), APR_SUCCESS,
            "expression \"%s\" cannot be evaluated: %s", expr->text, why != NULL ? why : "-");
    return APR_EGENERAL;
}

static int test(oas_tx_t *tx, const oas_expr_t *expr)
{
    const char *why = NULL;
    int result = ap_expr_exec(eval_request(tx), expr->compiled, &why);

    if (result < 0 || why != NULL) {
        oas_log(tx->log, OAS_LOG_ERROR, OAS_TAG(00344), APR_SUCCESS,
                "expression \"%s\" cannot be evaluated: %s", expr->text, why != NULL ? why : "-");
        return 0;
    }
    return result > 0;
}

const oas_host_t oas_host = {.check_password = oas_authn_check,
                             .eval = eval,
                             .test = test,
                             .recheck = oas_recheck,
                             .is_here = oas_login_option_here,
                             .leaving = oas_leaving,
                             .draining = oas_leaving_any,
                             .each_keys = oas_metrics_each_keys,
                             .audit = oas_audit_log_write};
