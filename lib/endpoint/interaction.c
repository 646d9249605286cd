/* SPDX-License-Identifier: Apache-2.0 */
#include "interaction.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../base/uri.h"
#include "../login/cookie.h"
#include "../login/interaction.h"
#include "../reply/reply.h"

#define REENTRY_MAX 6000 /* bytes of a request that fit into the request line of a GET */

static int is_post(const oas_tx_t *tx)
{
    return strcmp(tx->request.method, "POST") == 0;
}

static const char *own_url(const oas_tx_t *tx)
{
    return tx->issuer->endpoint_urls[tx->endpoint];
}

/* Where the same request begins anew; NULL when that is too long for an address. */
static const char *again_url(const oas_tx_t *tx)
{
    const oas_params_t *params = oas_interaction_params(tx->params, tx->pool);
    const char *query = oas_params_encode(params, tx->pool);

    return strlen(query) <= REENTRY_MAX ? oas_uri_append(own_url(tx), query, 0, tx->pool) : NULL;
}

static oas_outcome_t reenter(oas_tx_t *tx)
{
    const char *query = oas_params_encode(oas_interaction_params(tx->form, tx->pool), tx->pool);

    if (strlen(query) > REENTRY_MAX) {
        return oas_refuse(tx, OAS_TAG(00740), OAS_E_TOO_LONG, NULL);
    }
    oas_reply_redirect(tx, oas_uri_append(own_url(tx), query, 0, tx->pool));
    return OAS_ANSWERED;
}

apr_status_t oas_interaction_reopen(oas_tx_t *tx)
{
    apr_status_t rv = oas_interaction_open(tx);

    if ((rv == APR_SUCCESS || rv == APR_TIMEUP) && tx->form_step != OAS_FORM_NONE) {
        tx->restart_url = again_url(tx);
    }
    return rv;
}

oas_outcome_t oas_load_interaction(oas_tx_t *tx)
{
    apr_status_t rv;

    oas_cookie_read(tx);
    if (oas_params_get(tx->form, OAS_FIELD_INTERACTION) == NULL) {
        return is_post(tx) && tx->browser == NULL && tx->form->list->nelts > 0 ? reenter(tx)
                                                                               : OAS_NEXT;
    }
    if (tx->browser == NULL) {
        return oas_refuse(tx, OAS_TAG(00741), OAS_E_COOKIES_OFF, NULL);
    }
    rv = oas_interaction_reopen(tx);
    if (rv == APR_EMISMATCH) { /* what was typed is not looked at; the page is shown again */
        return OAS_NEXT;
    }
    if (rv == APR_TIMEUP) {
        return oas_refuse(tx, OAS_TAG(00742), OAS_E_FORM_STALE, NULL);
    }
    if (rv != APR_SUCCESS || is_post(tx) == oas_form_by_get(tx->form_step)) {
        return oas_refuse(tx, OAS_TAG(00743), OAS_E_FORM_FOREIGN, NULL);
    }
    return OAS_NEXT;
}

/* Seals the request for a step; makes the cookie it is bound to. */
static oas_outcome_t seal(oas_tx_t *tx, oas_form_t step, const char **out)
{
    apr_status_t rv = oas_cookie_bind(tx);

    if (rv == APR_SUCCESS) {
        rv = oas_interaction_seal(tx, step, out);
    }
    if (rv == APR_ENOSPC) {
        return oas_refuse(tx, OAS_TAG(00744), OAS_E_TOO_LONG, NULL);
    }
    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00745), OAS_E_SERVER, rv, "request not sealed");
    }
    return OAS_NEXT;
}

static void add_hidden(json_t *hidden, const char *name, const char *value)
{
    json_array_append_new(hidden, json_pack("{ssss}", "name", name, "value", value));
}

json_t *oas_interaction_form(oas_tx_t *tx, oas_form_t step)
{
    json_t *hidden;
    json_t *form;
    const char *languages = oas_params_get(tx->params, "ui_locales");
    const char *sealed;

    if (seal(tx, step, &sealed) != OAS_NEXT) {
        return NULL;
    }
    hidden = json_array();
    add_hidden(hidden, OAS_FIELD_INTERACTION, sealed);
    add_hidden(hidden, OAS_FIELD_STEP, oas_form_name(step));
    if (tx->client != NULL) {
        add_hidden(hidden, "client_id", tx->client->client_id);
    }
    if (languages != NULL) { /* for the page that says that the sealed request cannot be opened */
        add_hidden(hidden, "ui_locales", languages);
    }
    form = json_object();
    oas_json_set(form, "action",
                 tx->elsewhere ? own_url(tx) : tx->issuer->endpoint_paths[tx->endpoint]);
    json_object_set_new(form, "hidden", hidden);
    return form;
}

/* Sends the browser to `url` with the sealed request. */
static oas_outcome_t send_on(oas_tx_t *tx, oas_form_t step, const char *url)
{
    oas_params_t *params = oas_params_create(tx->pool);
    const char *sealed;

    if (seal(tx, step, &sealed) != OAS_NEXT) {
        return OAS_FAILED;
    }
    if (tx->client != NULL) {
        oas_params_add(params, "client_id", tx->client->client_id);
    }
    oas_params_add(params, OAS_FIELD_STEP, oas_form_name(step));
    oas_params_add(params, OAS_FIELD_INTERACTION, sealed);
    url = oas_uri_append(url, oas_params_encode(params, tx->pool), 0, tx->pool);
    if (strlen(url) > REENTRY_MAX) {
        return oas_refuse(tx, OAS_TAG(00937), OAS_E_TOO_LONG, NULL);
    }
    oas_reply_redirect(tx, url);
    return OAS_ANSWERED;
}

oas_outcome_t oas_interaction_resume(oas_tx_t *tx)
{
    return send_on(tx, OAS_FORM_RESUME, own_url(tx));
}

oas_outcome_t oas_interaction_external(oas_tx_t *tx)
{
    return send_on(tx, OAS_FORM_EXTERNAL, tx->option->url);
}

const char *oas_interaction_restart_url(const oas_tx_t *tx)
{
    const char *prompt =
        tx->prompt & OAS_PROMPT_CONSENT ? "login select_account consent" : "login select_account";

    static const char *const left_out[] = {"prompt", "login_hint", "screen_hint", "id_token_hint"};
    const oas_params_t *carried = oas_interaction_params(tx->params, tx->pool);
    oas_params_t *params = oas_params_create(tx->pool);
    apr_size_t k;
    int i;

    for (i = 0; i < carried->list->nelts; i++) {
        const oas_param_t *param = &APR_ARRAY_IDX(carried->list, i, oas_param_t);
        for (k = 0; k < sizeof(left_out) / sizeof(left_out[0]); k++) {
            if (strcmp(param->name, left_out[k]) == 0) {
                break;
            }
        }
        if (k == sizeof(left_out) / sizeof(left_out[0])) {
            oas_params_add(params, param->name, param->value);
        }
    }
    oas_params_add(params, "prompt", prompt);
    return oas_uri_append(own_url(tx), oas_params_encode(params, tx->pool), 0, tx->pool);
}
