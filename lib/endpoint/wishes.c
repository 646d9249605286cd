/* SPDX-License-Identifier: Apache-2.0 */
#include "wishes.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../base/uri.h"
#include "../login/session.h"
#include "../reply/reply.h"
#include "interaction.h"

#define RETURN_MAX 6000 /* bytes of a URL that others take for sure */

oas_outcome_t oas_accept_selection(oas_tx_t *tx)
{
    const char *decision = oas_params_get(tx->form, "decision");

    if (tx->form_step == OAS_FORM_SELECT && decision != NULL) {
        tx->account_chosen = strcmp(decision, "continue") == 0;
        tx->other_account = strcmp(decision, "other") == 0;
    }
    return OAS_NEXT;
}

oas_outcome_t oas_require_acr(oas_tx_t *tx)
{
    if (!tx->acr_essential || oas_session_reaches_acr(tx) || oas_acr_reachable(tx)) {
        return OAS_NEXT;
    }
    return oas_refuse(tx, OAS_TAG(00948), OAS_E_ACR_UNMET, NULL);
}

static int wants_registration(const oas_tx_t *tx)
{
    const char *hint = oas_params_get(tx->params, "screen_hint");

    if (tx->form_step != OAS_FORM_NONE || (tx->prompt & OAS_PROMPT_NONE)) {
        return 0;
    }
    return (tx->prompt & OAS_PROMPT_CREATE) ||
           (hint != NULL && strcmp(hint, "signup") == 0 && !oas_session_satisfies(tx));
}

oas_outcome_t oas_require_registration(oas_tx_t *tx)
{
    const char *page = tx->issuer->help_signup;
    oas_params_t *params;
    const char *back;
    const char *url;

    if (page == NULL || !wants_registration(tx)) {
        return OAS_NEXT;
    }
    if (*page == '/') {
        page = apr_pstrcat(tx->pool, tx->issuer->origin, page, NULL);
    }
    back = oas_interaction_restart_url(tx);
    params = oas_params_create(tx->pool);
    oas_params_add(params, "return_to", back);
    url = oas_uri_append(page, oas_params_encode(params, tx->pool), 0, tx->pool);
    oas_reply_redirect(tx, strlen(url) <= RETURN_MAX ? url : page);
    return OAS_ANSWERED;
}

oas_outcome_t oas_require_selection(oas_tx_t *tx)
{
    oas_page_policy_t policy = {.form_target = tx->redirect_uri};
    json_t *data;
    json_t *form;

    if (!oas_session_needs_choice(tx)) {
        return OAS_NEXT;
    }
    form = oas_interaction_form(tx, OAS_FORM_SELECT);
    if (form == NULL) {
        return OAS_FAILED;
    }
    data = oas_json_object(tx->pool);
    json_object_set_new(data, "form", form);
    json_object_set_new(data, "user", oas_page_user(tx->session));
    oas_reply_page(tx, 200, "select_account", data, &policy);
    return OAS_ANSWERED;
}
