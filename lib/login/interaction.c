/* SPDX-License-Identifier: Apache-2.0 */
#include "interaction.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "cookie.h"
#include "seal.h"
#include "steps.h"

/* What of a request is carried on; everything else is unknown to us and ignored. */
static const char *const carried[] = {
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "audience",
    "resource",
    "prompt",
    "max_age",
    "login_hint",
    "code_challenge",
    "ui_locales",
    "display",
    "acr_values",
    "id_token_hint",
    "code_challenge_method",
    "claims",
    "dpop_jkt",
    "screen_hint",
    "logout_hint",
    "post_logout_redirect_uri",
};

/*
 * A form that acts in somebody's name is bound to that session. Those of a login are not: whoever
 * signs in in another tab meanwhile may still use them; their browser is inside the seal, so that
 * one whose cookie was replaced can be told from a forged one.
 */
static const struct {
    const char *name;
    int of_session;
    int by_get;
    int lifetime;   /* seconds */
    apr_size_t max; /* bytes of what is sealed */
} forms[OAS_FORMS] = {
    [OAS_FORM_LOGIN] = {"login", 0, 0, OAS_INTERACTION_LIFETIME, OAS_INTERACTION_MAX},
    [OAS_FORM_CONSENT] = {"consent", 1, 0, OAS_INTERACTION_LIFETIME, OAS_INTERACTION_MAX},
    [OAS_FORM_RESUME] = {"resume", 1, 1, OAS_INTERACTION_LIFETIME, OAS_INTERACTION_MAX},
    [OAS_FORM_SELECT] = {"select_account", 1, 0, OAS_INTERACTION_LIFETIME, OAS_INTERACTION_MAX},
    [OAS_FORM_EXTERNAL] = {"external", 0, 1, OAS_INTERACTION_LIFETIME, OAS_INTERACTION_MAX},
    [OAS_FORM_STEP] = {"step", 0, 0, OAS_STEP_LIFETIME, OAS_SEAL_MAX},
    [OAS_FORM_CONFIRM] = {"confirm", 1, 0, OAS_INTERACTION_LIFETIME, OAS_INTERACTION_MAX},
};

const char *oas_form_name(oas_form_t step)
{
    return forms[step].name;
}

int oas_form_by_get(oas_form_t step)
{
    return forms[step].by_get;
}

static oas_form_t form_by_name(const char *name)
{
    int step;

    for (step = OAS_FORM_NONE + 1; name != NULL && step < OAS_FORMS; step++) {
        if (strcmp(forms[step].name, name) == 0) {
            return (oas_form_t)step;
        }
    }
    return OAS_FORM_NONE;
}

/* The associated data. No part can contain a line feed, so no two contexts read alike. */
static char *context_of(const oas_tx_t *tx, oas_form_t step, const char *client_id,
                        const char *expires)
{
    int bound = forms[step].of_session;

    return apr_pstrcat(tx->pool, "interaction\n", tx->issuer->url, "\n", oas_form_name(step), "\n",
                       client_id, "\n", bound ? tx->browser : "", "\n",
                       bound ? oas_cookie_sid(tx) : "", "\n", expires, NULL);
}

/* By its path: numbers of endpoints may differ between the nodes of a rolling upgrade. */
static const char *endpoint_of(const oas_tx_t *tx)
{
    return tx->issuer->endpoint_paths[tx->endpoint];
}

/* The endpoint that a login by an option is for, since it comes back elsewhere. */
static int find_endpoint(oas_tx_t *tx, const char *path)
{
    int id;

    for (id = 0; id < OAS_EP_COUNT; id++) {
        if (path != NULL && tx->issuer->endpoint_paths[id] != NULL &&
            strcmp(tx->issuer->endpoint_paths[id], path) == 0) {
            tx->endpoint = id;
            return 1;
        }
    }
    return 0;
}

/* A form that says no endpoint was made before there were several: during a rolling upgrade. */
static int is_for_endpoint(oas_tx_t *tx, oas_form_t step, const char *path)
{
    if (step == OAS_FORM_EXTERNAL) {
        return find_endpoint(tx, path);
    }
    return path != NULL ? oas_equal_str(path, endpoint_of(tx)) : tx->endpoint == OAS_EP_AUTHORIZE;
}

static const char *client_of(const oas_tx_t *tx)
{
    return tx->client != NULL ? tx->client->client_id : "";
}

oas_params_t *oas_interaction_params(const oas_params_t *params, apr_pool_t *pool)
{
    oas_params_t *out = oas_params_create(pool);
    apr_size_t i;

    for (i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
        const char *value = oas_params_get(params, carried[i]);
        if (value != NULL) {
            oas_params_add(out, carried[i], value);
        }
    }
    return out;
}

static json_t *carried_json(const oas_tx_t *tx)
{
    const oas_params_t *params = oas_interaction_params(tx->params, tx->pool);
    json_t *json = json_object();
    int i;

    for (i = 0; i < params->list->nelts; i++) {
        const oas_param_t *param = &APR_ARRAY_IDX(params->list, i, oas_param_t);
        oas_json_set(json, param->name, param->value);
    }
    return json;
}

/* What the next step of a login has to know. */
static void add_login(oas_tx_t *tx, oas_form_t step, json_t *data)
{
    if (step == OAS_FORM_EXTERNAL) {
        oas_json_set(data, "option", tx->option->id);
    }
    if (step == OAS_FORM_STEP) {
        json_object_set(data, "login", oas_login_to_json(tx, oas_login_steps, tx->login));
    }
}

static apr_status_t restore_login(oas_tx_t *tx, oas_form_t step, const json_t *data)
{
    const char *option = oas_json_string(data, "option");

    if (step == OAS_FORM_EXTERNAL) {
        tx->option = option != NULL ? oas_login_option_find(tx->issuer, option) : NULL;
        return tx->option != NULL && tx->option->url != NULL ? APR_SUCCESS : APR_EACCES;
    }
    if (step == OAS_FORM_STEP) {
        tx->login = oas_login_from_json(tx, oas_login_steps, json_object_get(data, "login"));
        return tx->login != NULL ? APR_SUCCESS : APR_EACCES;
    }
    return APR_SUCCESS;
}

apr_status_t oas_interaction_seal(oas_tx_t *tx, oas_form_t step, const char **out)
{
    json_t *data = oas_json_object(tx->pool);
    const char *expires = apr_psprintf(tx->pool, "%" APR_TIME_T_FMT,
                                       apr_time_sec(apr_time_now()) + forms[step].lifetime);
    const char *sealed;
    const char *text;
    apr_status_t rv;

    json_object_set_new(data, "params", carried_json(tx));
    oas_json_set(data, "browser", tx->browser);
    oas_json_set(data, "endpoint", endpoint_of(tx));
    if (tx->keep) {
        json_object_set_new(data, "keep", json_true());
    }
    add_login(tx, step, data);
    if (tx->session != NULL) {
        json_object_set_new(data, "started", json_integer(tx->session->now));
        json_object_set_new(data, "login_time", json_integer(tx->login_time));
    }
    text = oas_json_text(tx->pool, data);
    if (text == NULL || strlen(text) > forms[step].max) {
        return text == NULL ? APR_EGENERAL : APR_ENOSPC;
    }
    rv =
        oas_seal(&sealed, tx->issuer, context_of(tx, step, client_of(tx), expires), text, tx->pool);
    if (rv == APR_SUCCESS) {
        *out = apr_pstrcat(tx->pool, expires, ".", sealed, NULL);
    }
    return rv;
}

static void restore_params(oas_tx_t *tx, const json_t *data)
{
    json_t *params = json_object_get(data, "params");
    const char *name;
    json_t *value;

    tx->params = oas_params_create(tx->pool);
    json_object_foreach(params, name, value)
    {
        oas_params_add(tx->params, name, json_string_value(value));
    }
}

/* How far this browser has come. */
static void restore_progress(oas_tx_t *tx, const json_t *data)
{
    tx->started = json_integer_value(json_object_get(data, "started"));
    tx->login_time = json_integer_value(json_object_get(data, "login_time"));
    tx->keep = tx->issuer->keep_signed_in && json_is_true(json_object_get(data, "keep"));
}

apr_status_t oas_interaction_open(oas_tx_t *tx)
{
    const char *value = oas_params_get(tx->form, OAS_FIELD_INTERACTION);
    const char *client_id = oas_params_get(tx->form, "client_id");
    oas_form_t step = form_by_name(oas_params_get(tx->form, OAS_FIELD_STEP));
    const char *dot = value != NULL ? strchr(value, '.') : NULL;
    const char *expires;
    const char *text;
    json_t *data;
    int expired;

    client_id = client_id != NULL ? client_id : "";
    if (dot == NULL || dot - value > 12 || strchr(client_id, '\n') != NULL ||
        step == OAS_FORM_NONE || (step == OAS_FORM_EXTERNAL) != tx->elsewhere ||
        tx->browser == NULL) {
        return APR_EACCES;
    }
    expires = apr_pstrmemdup(tx->pool, value, dot - value);
    if (oas_unseal(&text, tx->issuer, context_of(tx, step, client_id, expires), dot + 1,
                   tx->pool) != APR_SUCCESS ||
        oas_json_parse(&data, text, strlen(text), OAS_SEAL_MAX, tx->pool) != APR_SUCCESS ||
        !is_for_endpoint(tx, step, oas_json_string(data, "endpoint"))) {
        return APR_EACCES;
    }
    expired =
        apr_atoi64(expires) + apr_time_sec(tx->issuer->clock_skew) < apr_time_sec(apr_time_now());
    restore_params(tx, data);
    tx->asked = apr_atoi64(expires) - forms[step].lifetime;
    if (!oas_equal_str(oas_json_string(data, "browser"), tx->browser)) {
        return expired ? APR_TIMEUP : APR_EMISMATCH;
    }
    tx->form_step = step;
    if (expired) {
        return APR_TIMEUP;
    }
    restore_progress(tx, data);
    return restore_login(tx, step, data);
}
