/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"

const oas_login_step_t oas_login_steps[] = {{NULL, NULL, NULL}};

static const struct {
    const char *name;
    apr_size_t offset;
} texts[] = {{"sub", offsetof(oas_login_t, sub)},     {"provider", offsetof(oas_login_t, provider)},
             {"name", offsetof(oas_login_t, name)},   {"display", offsetof(oas_login_t, display)},
             {"proof", offsetof(oas_login_t, proof)}, {"amr", offsetof(oas_login_t, amr)},
             {"acr", offsetof(oas_login_t, acr)},     {"option", offsetof(oas_login_t, option)}};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static int choose_session(oas_tx_t *tx, oas_login_t *login)
{
    if (!login->once && oas_random(login->session_id, OAS_ID_LEN) != APR_SUCCESS) {
        oas_fault(tx, OAS_TAG(01030), OAS_E_SERVER, APR_EGENERAL, "no random numbers");
        return 0;
    }
    login->once = 1;
    return 1;
}

oas_login_result_t oas_login_go_on(oas_tx_t *tx, const oas_login_step_t *steps, oas_login_t *login,
                                   const oas_params_t *answer)
{
    for (; steps[login->step].name != NULL; login->step++) {
        switch (steps[login->step].run(tx, login, answer)) {
        case OAS_STEP_ASK:
            tx->login = login;
            return choose_session(tx, login) ? OAS_LOGIN_STEP : OAS_LOGIN_FAILED;
        case OAS_STEP_FAILED:
            return OAS_LOGIN_FAILED;
        case OAS_STEP_NOT_NEEDED:
        case OAS_STEP_DONE:
            break;
        }
        answer = NULL; /* it was for that step */
    }
    return oas_login_open(tx, login);
}

void oas_login_add_method(oas_tx_t *tx, oas_login_t *login, const char *method)
{
    oas_words_t *methods;

    if (oas_words_parse(&methods, login->amr, tx->pool) != APR_SUCCESS) {
        methods = oas_words_create(tx->pool);
    }
    if (!oas_words_has(methods, method)) {
        oas_words_add(methods, method);
    }
    login->amr = oas_words_join(methods, tx->pool);
}

json_t *oas_login_to_json(oas_tx_t *tx, const oas_login_step_t *steps, const oas_login_t *login)
{
    json_t *json = oas_json_object(tx->pool);
    apr_size_t i;

    for (i = 0; i < TEXTS; i++) {
        oas_json_set(json, texts[i].name,
                     *(const char *const *)((const char *)login + texts[i].offset));
    }
    json_object_set_new(json, "claims", json_loads(login->claims, 0, NULL));
    oas_json_set(json, "step", steps[login->step].name);
    oas_json_set(json, "session", oas_base64url_encode(tx->pool, login->session_id, OAS_ID_LEN));
    json_object_set_new(json, "auth_time", json_integer(login->auth_time));
    json_object_set_new(json, "fresh", json_boolean(login->fresh));
    if (login->counted) {
        oas_json_set(
            json, "attempt",
            oas_base64url_encode(tx->pool, login->attempt.key, sizeof(login->attempt.key)));
        json_object_set_new(json, "forgets", json_boolean(login->attempt.forgets));
        oas_json_set(json, "account",
                     oas_base64url_encode(tx->pool, login->account, sizeof(login->account)));
    }
    return json;
}

static int find_step(const oas_login_step_t *steps, const char *name, int *out)
{
    for (*out = 0; name != NULL && steps[*out].name != NULL; ++*out) {
        if (strcmp(steps[*out].name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int restore_bytes(const char *text, void *out, apr_size_t len, apr_pool_t *pool)
{
    oas_bytes_t bytes;

    if (text == NULL || oas_base64url_decode(pool, text, strlen(text), &bytes) != APR_SUCCESS ||
        bytes.len != len) {
        return 0;
    }
    memcpy(out, bytes.data, len);
    return 1;
}

/* The counters that get the attempt back; what they allow is decided already. */
static int restore_attempt(oas_tx_t *tx, oas_login_t *login, const json_t *json)
{
    const char *keys = oas_json_string(json, "attempt");

    login->attempt.forgets = json_is_true(json_object_get(json, "forgets"));
    login->counted =
        restore_bytes(keys, login->attempt.key, sizeof(login->attempt.key), tx->pool) &&
        restore_bytes(oas_json_string(json, "account"), login->account, sizeof(login->account),
                      tx->pool);
    return login->counted || keys == NULL;
}

oas_login_t *oas_login_from_json(oas_tx_t *tx, const oas_login_step_t *steps, const json_t *json)
{
    oas_login_t *login = apr_pcalloc(tx->pool, sizeof(*login));
    apr_size_t i;

    for (i = 0; i < TEXTS; i++) {
        *(const char **)((char *)login + texts[i].offset) = oas_json_string(json, texts[i].name);
    }
    login->claims = oas_json_text(tx->pool, json_object_get(json, "claims"));
    login->auth_time = json_integer_value(json_object_get(json, "auth_time"));
    login->fresh = json_is_true(json_object_get(json, "fresh"));
    login->once =
        restore_bytes(oas_json_string(json, "session"), login->session_id, OAS_ID_LEN, tx->pool);
    return login->sub != NULL && login->claims != NULL && login->once &&
                   find_step(steps, oas_json_string(json, "step"), &login->step) &&
                   restore_attempt(tx, login, json)
               ? login
               : NULL;
}
