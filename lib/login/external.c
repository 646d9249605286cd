/* SPDX-License-Identifier: Apache-2.0 */
#include "external.h"

#include <apr_strings.h>
#include "../store/session.h"
#include "steps.h"

/* What auth_time= says, or 0. A time ahead of us (milliseconds, a wrong clock) would look like a
 * login of just now. */
static apr_int64_t stated_time(oas_tx_t *tx)
{
    const char *text;
    apr_int64_t value;
    char *end;

    if (tx->host->eval(tx, tx->option->auth_time, &text) != APR_SUCCESS || *text == '\0') {
        return 0;
    }
    value = apr_strtoi64(text, &end, 10);
    if (*end != '\0' || value <= 0 ||
        value > apr_time_sec(apr_time_now() + tx->issuer->clock_skew)) {
        oas_log(tx->log, OAS_LOG_WARNING, OAS_TAG(00930), APR_SUCCESS,
                "login option %s: its auth_time is no number of seconds since 1970, or lies ahead; "
                "the time of this sign-in is not known ref=%s",
                tx->option->id, tx->request_id);
        return 0;
    }
    return value;
}

static void judge_time(oas_tx_t *tx, oas_login_t *login)
{
    const oas_login_option_t *option = tx->option;

    if (option->auth_time != NULL) {
        login->auth_time = stated_time(tx);
        login->fresh = option->reauth && login->auth_time != 0 &&
                       login->auth_time + apr_time_sec(tx->issuer->clock_skew) >= tx->asked;
    } else {
        login->auth_time = option->reauth ? OAS_AUTH_NOW : 0;
        login->fresh = option->reauth;
    }
}

oas_login_result_t oas_login_external(oas_tx_t *tx)
{
    oas_identity_t identity = {.provider = tx->option->id, .name = tx->request.user};
    oas_login_t *login = apr_pcalloc(tx->pool, sizeof(*login));

    if (oas_login_describe(tx, &identity, tx->option, login) != OAS_NEXT) {
        return OAS_LOGIN_FAILED;
    }
    judge_time(tx, login);
    return oas_login_go_on(tx, oas_login_steps, login, NULL);
}
