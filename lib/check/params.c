/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"

#include <string.h>
#include <strings.h>

/* Bytes of values as JSON: what a sealed form has room for, with names. */
#define REQUEST_MAX 3000

/* Everything we read from a request; unknown parameters may repeat, they are ignored anyway. */
static const char *const known[] = {
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "grant_type",
    "code",
    "code_verifier",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "audience",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "acr_values",
    "claims",
    "ui_locales",
    "display",
    "screen_hint",
    "request",
    "request_uri",
    "code_challenge",
    "access_token",
    "refresh_token",
    "token",
    "token_type_hint",
    "realm",
    "username",
    "password",
    "decision",
    "option",
    "interaction",
    "step",
    "keep",
    "notice",
    "end_session",
    "end_others",
    "withdraw",
    "current_password",
    "new_password",
    "new_password_again",
    "dpop_jkt",
    "registration",
    "post_logout_redirect_uri",
    "logout_hint",
    "returnTo",
    "confirm",
    "code_challenge_method",
};

/* What must not stay in memory that the next request gets. */
static const char *const secret[] = {
    "password",          "client_secret", "code",  "code_verifier",    "current_password",
    "access_token",      "refresh_token", "token", "client_assertion", "new_password",
    "new_password_again"};

static oas_outcome_t check_method(oas_tx_t *tx, int get, int post)
{
    if ((get && strcmp(tx->request.method, "GET") == 0) ||
        (post && strcmp(tx->request.method, "POST") == 0)) {
        return OAS_NEXT;
    }
    return oas_refuse(tx, OAS_TAG(00600), OAS_E_METHOD, NULL);
}

oas_outcome_t oas_check_method_get_post(oas_tx_t *tx)
{
    return check_method(tx, 1, 1);
}

oas_outcome_t oas_check_method_post(oas_tx_t *tx)
{
    return check_method(tx, 0, 1);
}

oas_outcome_t oas_check_method_get(oas_tx_t *tx)
{
    return check_method(tx, 1, 0);
}

int oas_is_media_type(const char *content_type, const char *type)
{
    apr_size_t len = strlen(type);

    return content_type != NULL && strncasecmp(content_type, type, len) == 0 &&
           strchr(" \t;", content_type[len]) != NULL;
}

int oas_is_form(const char *content_type)
{
    return oas_is_media_type(content_type, "application/x-www-form-urlencoded");
}

/* 1 for what may occur once only. */
static int is_single(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i][0] == name[0] && strcmp(known[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

int oas_param_is_known(const char *name)
{
    return is_single(name) || strcmp(name, "resource") == 0; /* which may repeat */
}

void oas_wipe_secret_params(const oas_tx_t *tx)
{
    apr_size_t i;

    for (i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
        const char *value = oas_params_get(tx->form, secret[i]);
        if (value != NULL) {
            oas_wipe_with_pool(tx->pool, (char *)value, strlen(value));
        }
    }
}

oas_outcome_t oas_load_form(oas_tx_t *tx)
{
    int post = strcmp(tx->request.method, "POST") == 0;
    const char *data = post ? tx->request.body : tx->request.query;
    apr_size_t len = post ? tx->request.body_len : (data != NULL ? strlen(data) : 0);
    apr_status_t rv;

    tx->form = tx->params = oas_params_create(tx->pool);
    if (tx->request.body_too_large) {
        return oas_refuse(tx, OAS_TAG(00601), OAS_E_BODY_TOO_LARGE, NULL);
    }
    if (post && len > 0 && !oas_is_form(tx->request.content_type)) {
        return oas_refuse(tx, OAS_TAG(00602), OAS_E_CONTENT_TYPE, NULL);
    }
    rv = oas_params_parse(&tx->form, data, data != NULL ? len : 0, tx->pool);
    tx->params = tx->form;
    oas_wipe_secret_params(tx);
    if (rv == APR_ENOSPC) {
        return oas_refuse(tx, OAS_TAG(00603), OAS_E_TOO_MANY_PARAMETERS, NULL);
    }
    if (rv != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00604), OAS_E_MALFORMED, NULL);
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_duplicates(oas_tx_t *tx)
{
    const oas_param_t *param = (const oas_param_t *)tx->form->list->elts;
    int i, k;

    for (i = 1; i < tx->form->list->nelts; i++) {
        for (k = 0; k < i; k++) {
            if (strcmp(param[i].name, param[k].name) == 0 && is_single(param[i].name)) {
                return oas_refuse(tx, OAS_TAG(00605), OAS_E_DUPLICATE_PARAMETER, param[i].name);
            }
        }
    }
    return OAS_NEXT;
}

/* Bytes of a text as a JSON string. */
static apr_size_t json_length(const char *text)
{
    apr_size_t len = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        len += c < 0x20 ? 6 : (c == '"' || c == '\\') ? 2 : 1;
    }
    return len;
}

oas_outcome_t oas_check_length(oas_tx_t *tx)
{
    const oas_param_t *param = (const oas_param_t *)tx->params->list->elts;
    apr_size_t total = 0;
    int i;

    for (i = 0; i < tx->params->list->nelts; i++) {
        total += is_single(param[i].name) ? json_length(param[i].value) : 0;
    }
    return total <= REQUEST_MAX ? OAS_NEXT : oas_refuse(tx, OAS_TAG(00606), OAS_E_TOO_LONG, NULL);
}
