/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <string.h>
#include "../base/json.h"
#include "../login/password.h"
#include "../login/session.h"
#include "../reply/reply.h"
#include "interaction.h"

/* Whoever wanted to stay signed in, and is asked to sign in again, still does. */
static int keeps(const oas_tx_t *tx)
{
    return tx->keep ||
           (tx->form_step != OAS_FORM_LOGIN && tx->session != NULL && tx->session->persistent);
}

/* Shows the login form; with `wrong` it says that the last try was not right. */
static oas_outcome_t login_page(oas_tx_t *tx, const char *username, int wrong)
{
    oas_page_policy_t policy = {.form_target = tx->redirect_uri};
    json_t *data = oas_json_object(tx->pool);
    json_t *form = oas_interaction_form(tx, OAS_FORM_LOGIN);

    if (form == NULL) {
        return OAS_FAILED;
    }
    json_object_set_new(data, "form", form);
    if (username != NULL && strlen(username) <= OAS_USERNAME_MAX) {
        oas_json_set(data, "username", username);
    }
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

oas_outcome_t oas_accept_login(oas_tx_t *tx)
{
    const char *username = oas_params_get(tx->form, "username");
    const char *password = oas_params_get(tx->form, "password");
    oas_login_result_t result;

    if (tx->form_step != OAS_FORM_LOGIN) {
        return OAS_NEXT;
    }
    tx->keep = tx->issuer->keep_signed_in && oas_params_get(tx->form, "keep") != NULL;
    if (username == NULL || password == NULL) {
        return login_page(tx, username, 1);
    }
    result = oas_login_password(tx, username, password);
    if (result == OAS_LOGIN_WRONG) {
        return login_page(tx, username, 1);
    }
    return result == OAS_LOGIN_DONE ? OAS_NEXT : oas_login_refuse(tx, result);
}

oas_outcome_t oas_require_login(oas_tx_t *tx)
{
    if (oas_session_satisfies(tx)) {
        return OAS_NEXT;
    }
    if (tx->prompt & OAS_PROMPT_NONE) {
        return oas_refuse(tx, OAS_TAG(00752), OAS_E_LOGIN_REQUIRED, NULL);
    }
    if (tx->form_step == OAS_FORM_LOGIN && oas_session_is_another(tx)) {
        return oas_refuse(tx, OAS_TAG(00753), OAS_E_LOGIN_REQUIRED,
                          "signed in as somebody else than id_token_hint names");
    }
    return login_page(tx, oas_params_get(tx->params, "login_hint"), 0);
}
