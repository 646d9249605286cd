/* SPDX-License-Identifier: Apache-2.0 */
#include "account.h"

#include <string.h>
#include "../base/audit.h"
#include "../base/json.h"
#include "../check/params.h"
#include "../login/own_password.h"
#include "../login/session.h"
#include "../reply/reply.h"
#include "../store/account.h"
#include "interaction.h"
#include "login.h"
#include "pipeline.h"

static int read_session_id(const char *text, unsigned char id[OAS_ID_LEN], apr_pool_t *pool)
{
    oas_bytes_t bytes;

    if (oas_base64url_decode(pool, text, strlen(text), &bytes) != APR_SUCCESS ||
        bytes.len != OAS_ID_LEN) {
        return 0;
    }
    memcpy(id, bytes.data, OAS_ID_LEN);
    return 1;
}

/* One that has ended meanwhile is not there any more, as was wished. */
static oas_outcome_t end_session(oas_tx_t *tx, const char *value)
{
    unsigned char id[OAS_ID_LEN];
    oas_members_t *more = oas_members_create(tx->pool);
    apr_status_t rv;

    if (!read_session_id(value, id, tx->pool)) {
        return oas_account_page(tx, NULL, NULL);
    }
    rv = oas_store_session_end_own(tx->db, tx->session->sub, id, tx->pool);
    if (rv != APR_SUCCESS && rv != APR_ENOENT) {
        return oas_store_fault(tx, OAS_TAG(00992), rv, "session not ended");
    }
    if (rv == APR_SUCCESS) {
        oas_members_string(more, "ended", value);
        oas_audit(tx, OAS_AUDIT_SESSION_ENDED, "by its owner", more);
    }
    return oas_account_done(tx, "session_ended");
}

static oas_outcome_t end_others(oas_tx_t *tx, const char *value)
{
    unsigned char id[OAS_ID_LEN];
    oas_members_t *more = oas_members_create(tx->pool);
    int ended = 0;
    apr_status_t rv = APR_EGENERAL;

    if (read_session_id(tx->session->id, id, tx->pool)) {
        rv = oas_store_sessions_end_others(tx->db, tx->session->sub, id, &ended, tx->pool);
    }
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00993), rv, "other sessions not ended");
    }
    oas_members_integer(more, "count", ended);
    oas_audit(tx, OAS_AUDIT_SESSION_ENDED, "all others, by their owner", more);
    return oas_account_done(tx, "others_ended");
}

static oas_outcome_t withdraw(oas_tx_t *tx, const char *value)
{
    oas_members_t *more = oas_members_create(tx->pool);
    apr_status_t rv = APR_ENOENT;

    if (oas_client_id_valid(value)) {
        rv = oas_store_access_withdraw(tx->db, tx->session->sub, value, tx->pool);
    }
    if (rv != APR_SUCCESS && rv != APR_ENOENT) {
        return oas_store_fault(tx, OAS_TAG(00994), rv, "access not withdrawn");
    }
    if (rv == APR_SUCCESS) {
        oas_members_string(more, "client_id", value);
        oas_audit(tx, OAS_AUDIT_WITHDRAW, NULL, more);
    }
    return oas_account_done(tx, "withdrawn");
}

static oas_outcome_t change_password(oas_tx_t *tx, const char *value)
{
    static const char *const mistakes[] = {[OAS_NEW_PASSWORD_MISMATCH] = "mismatch",
                                           [OAS_NEW_PASSWORD_SHORT] = "too_short",
                                           [OAS_NEW_PASSWORD_LONG] = "too_long"};
    const char *current = oas_params_get(tx->form, "current_password");
    const char *password = oas_params_get(tx->form, "new_password");
    const char *again = oas_params_get(tx->form, "new_password_again");
    oas_new_password_t check;
    oas_login_result_t result;

    if (!oas_own_password_is_ours(tx)) {
        return oas_account_page(tx, NULL, NULL);
    }
    check = oas_new_password_check(password != NULL ? password : "", again != NULL ? again : "");
    if (check != OAS_NEW_PASSWORD_GOOD) {
        return oas_account_page(tx, NULL, mistakes[check]);
    }
    result = current != NULL ? oas_own_password_change(tx, current, password) : OAS_LOGIN_WRONG;
    switch (result) {
    case OAS_LOGIN_DONE:
        return oas_account_done(tx, "password_changed");
    case OAS_LOGIN_WRONG:
        return oas_account_page(tx, NULL, "wrong_password");
    case OAS_LOGIN_THROTTLED:
        return oas_account_page(tx, NULL, "throttled");
    default:
        return oas_login_refuse(tx, result);
    }
}

/* By the name of the button that was pressed. */
static const struct {
    const char *button;
    oas_outcome_t (*run)(oas_tx_t *tx, const char *value);
} actions[] = {
    {"end_session", end_session},
    {"end_others", end_others},
    {"withdraw", withdraw},
    {"password", change_password},
};

oas_outcome_t oas_accept_account(oas_tx_t *tx)
{
    apr_size_t i;

    for (i = 0; tx->form_step == OAS_FORM_CONFIRM && i < sizeof(actions) / sizeof(actions[0]);
         i++) {
        const char *value = oas_params_get(tx->form, actions[i].button);

        if (value != NULL) {
            return actions[i].run(tx, value);
        }
    }
    return OAS_NEXT;
}

oas_outcome_t oas_respond_account(oas_tx_t *tx)
{
    if (tx->form_step != OAS_FORM_NONE && tx->form_step != OAS_FORM_CONFIRM) {
        return oas_account_done(tx, NULL); /* no page is the answer to a password */
    }
    return oas_account_page(tx, oas_account_notice(tx), NULL);
}

const oas_step_t oas_account_steps[] = {
    {"check_method_get_post", oas_check_method_get_post, OAS_ALWAYS, "RFC 9110 9.1"},
    {"load_form", oas_load_form, OAS_ALWAYS, "URL Standard 5"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6749 3.1"},
    {"load_interaction", oas_load_interaction, OAS_ALWAYS, "RFC 9700 4.7"},
    {"accept_login", oas_accept_login, OAS_ALWAYS, "OIDC Core 3.1.2.3"},
    {"load_session", oas_load_session, OAS_ALWAYS, "OIDC Core 3.1.2.3"},
    {"require_login", oas_require_login, OAS_ALWAYS, "OIDC Core 3.1.2.3"},
    {"accept_account", oas_accept_account, OAS_ALWAYS, "RFC 9700 4.7"},
    {"respond_account", oas_respond_account, OAS_ALWAYS, "RFC 9700 4.16"},
    {NULL, NULL, 0, NULL}};
