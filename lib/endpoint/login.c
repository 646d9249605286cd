/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../login/interaction.h"
#include "../login/options.h"
#include "../login/password.h"
#include "../login/session.h"
#include "../login/steps.h"
#include "../reply/reply.h"
#include "interaction.h"

/* Whoever wanted to stay signed in, and is asked to sign in again, still does. */
static int keeps(const oas_tx_t *tx)
{
    return tx->keep ||
           (tx->form_step != OAS_FORM_LOGIN && tx->session != NULL && tx->session->persistent);
}

/* The administrator's templates may have it in other languages. */
static const char *option_label(oas_tx_t *tx, const oas_login_option_t *option)
{
    const char *text = oas_page_text(tx, apr_pstrcat(tx->pool, "option ", option->id, NULL));

    return text != NULL ? text : option->label;
}

/* The options in their order: buttons, and the fields of the password among them. */
static void add_options(oas_tx_t *tx, const apr_array_header_t *options, json_t *data)
{
    json_t *list = json_array();
    int passwords = 0;
    int i;

    for (i = 0; i < options->nelts; i++) {
        const oas_login_option_t *option = APR_ARRAY_IDX(options, i, const oas_login_option_t *);
        json_t *entry = json_object();

        oas_json_set(entry, "id", option->id);
        oas_json_set(entry, "label", option_label(tx, option));
        json_object_set_new(entry, "password", json_boolean(option->url == NULL));
        json_array_append_new(list, entry);
        if (option->url == NULL) {
            passwords++;
        } else if (passwords == 0) {
            json_object_set_new(data, "options_first", json_true());
        }
    }
    json_object_set_new(data, "options", list);
    json_object_set_new(data, "no_password", json_boolean(passwords == 0));
}

/* 1 when somebody is signed in, and it is not left to them who signs in now. */
static int asks_signed_in(const oas_tx_t *tx)
{
    return tx->session != NULL && !tx->other_account &&
           !(tx->prompt & (OAS_PROMPT_SELECT_ACCOUNT | OAS_PROMPT_CREATE));
}

/* Who is signed in, and has to show it again; or is not the one who is wanted. */
static void add_signed_in(const oas_tx_t *tx, json_t *data)
{
    if (asks_signed_in(tx)) {
        json_object_set_new(data, oas_session_is_another(tx) ? "another" : "reauth", json_true());
        json_object_set_new(data, "user", oas_page_user(tx->session));
    }
}

/* What stands in the form of a new request, or NULL. */
static const char *first_username(const oas_tx_t *tx)
{
    const char *hint = oas_params_get(tx->params, "login_hint");

    if (hint != NULL) {
        return hint;
    }
    return asks_signed_in(tx) && !oas_session_is_another(tx) ? oas_login_typed_name(tx) : NULL;
}

/* Where the login form may lead besides this server: to the application, or to the Location of an
 * option, behind which another sign-in may be. */
static const char *form_target(const oas_tx_t *tx, const apr_array_header_t *options)
{
    const char *url = tx->redirect_uri;
    int i;

    for (i = 0; url == NULL && i < options->nelts; i++) {
        url = APR_ARRAY_IDX(options, i, const oas_login_option_t *)->url;
    }
    return url;
}

/* None of the options gives what the request asks for. */
static oas_outcome_t refuse_options(oas_tx_t *tx)
{
    return oas_refuse(tx, OAS_TAG(00938), OAS_E_ACR_UNMET,
                      "no login option can do what prompt, max_age or acr ask for");
}

/* Shows the login page; with `wrong` it says that the last try was not right. */
static oas_outcome_t login_page(oas_tx_t *tx, const char *username, int wrong)
{
    apr_array_header_t *options = oas_login_options(tx, tx->pool);
    oas_page_policy_t policy = {.form_target = form_target(tx, options)};
    json_t *data = oas_json_object(tx->pool);
    json_t *form;

    if (options->nelts == 0) {
        return refuse_options(tx);
    }
    form = oas_interaction_form(tx, OAS_FORM_LOGIN);
    if (form == NULL) {
        return OAS_FAILED;
    }
    json_object_set_new(data, "form", form);
    add_options(tx, options, data);
    if (username != NULL && strlen(username) <= OAS_USERNAME_MAX) {
        oas_json_set(data, "username", username);
    }
    add_signed_in(tx, data);
    if (tx->issuer->keep_signed_in) {
        json_object_set_new(data, "keep", json_true());
        json_object_set_new(data, "keep_ticked", json_boolean(keeps(tx)));
    }
    if (wrong) {
        json_object_set_new(data, "error", json_pack("{sb}", "wrong_credentials", 1));
    }
    oas_reply_page(tx, 200, "login", data, &policy);
    return OAS_ANSWERED;
}

static oas_outcome_t step_page(oas_tx_t *tx)
{
    oas_page_policy_t policy = {.form_target = tx->redirect_uri != NULL ? tx->redirect_uri
                                               : tx->elsewhere          ? tx->issuer->url
                                                                        : NULL};
    json_t *data = tx->login->page != NULL ? tx->login->page : oas_json_object(tx->pool);
    json_t *form = oas_interaction_form(tx, OAS_FORM_STEP);

    if (form == NULL) {
        return OAS_FAILED;
    }
    json_object_set_new(data, "form", form);
    oas_reply_page(tx, 200, oas_login_steps[tx->login->step].page, data, &policy);
    return OAS_ANSWERED;
}

oas_outcome_t oas_login_settle(oas_tx_t *tx, oas_login_result_t result)
{
    if (result == OAS_LOGIN_STEP) {
        return step_page(tx);
    }
    return result == OAS_LOGIN_DONE ? OAS_NEXT : oas_login_refuse(tx, result);
}

/* One of the buttons: an option that this page could have shown. */
static oas_outcome_t choose(oas_tx_t *tx, const char *id)
{
    const apr_array_header_t *options = oas_login_options(tx, tx->pool);
    int i;

    for (i = 0; i < options->nelts; i++) {
        const oas_login_option_t *option = APR_ARRAY_IDX(options, i, const oas_login_option_t *);
        if (option->url != NULL && strcmp(option->id, id) == 0) {
            tx->option = option;
            return oas_interaction_external(tx);
        }
    }
    return login_page(tx, NULL, 0); /* it is gone, or not for this request */
}

static oas_outcome_t accept_password(oas_tx_t *tx)
{
    const char *username = oas_params_get(tx->form, "username");
    const char *password = oas_params_get(tx->form, "password");
    oas_login_result_t result;

    tx->option = oas_login_option_find(tx->issuer, OAS_OPTION_PASSWORD);
    if (tx->option == NULL) {
        return login_page(tx, NULL, 0);
    }
    if (username == NULL || password == NULL) {
        return login_page(tx, username, 1);
    }
    result = oas_login_password(tx, username, password);
    return result == OAS_LOGIN_WRONG ? login_page(tx, username, 1) : oas_login_settle(tx, result);
}

oas_outcome_t oas_accept_login(oas_tx_t *tx)
{
    const char *id = oas_params_get(tx->form, "option");

    switch (tx->form_step) {
    case OAS_FORM_LOGIN:
        tx->keep = tx->issuer->keep_signed_in && oas_params_get(tx->form, "keep") != NULL;
        return id == NULL || strcmp(id, OAS_OPTION_PASSWORD) == 0 ? accept_password(tx)
                                                                  : choose(tx, id);
    case OAS_FORM_STEP:
        return oas_login_settle(tx, oas_login_go_on(tx, oas_login_steps, tx->login, tx->form));
    default:
        return OAS_NEXT;
    }
}

/* 1 when somebody has just signed in, here or at the Location of an option. */
static int just_signed_in(const oas_tx_t *tx)
{
    return tx->form_step == OAS_FORM_LOGIN || tx->form_step == OAS_FORM_STEP ||
           tx->form_step == OAS_FORM_RESUME;
}

oas_outcome_t oas_require_login(oas_tx_t *tx)
{
    if (oas_session_satisfies(tx)) {
        return OAS_NEXT;
    }
    if (tx->prompt & OAS_PROMPT_NONE) {
        return oas_refuse(tx, OAS_TAG(00752), OAS_E_LOGIN_REQUIRED, NULL);
    }
    if (just_signed_in(tx) && oas_session_is_another(tx)) {
        return oas_refuse(tx, OAS_TAG(00753), OAS_E_LOGIN_REQUIRED,
                          "signed in as somebody else than id_token_hint names");
    }
    return login_page(tx, first_username(tx), 0);
}
