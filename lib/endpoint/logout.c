/* SPDX-License-Identifier: Apache-2.0 */
/* The logout endpoints: /oidc/logout, and Auth0's /v2/logout. */
#include "../check/logout.h"

#include "../base/json.h"
#include "../base/subject.h"
#include "../base/uri.h"
#include "../check/client.h"
#include "../check/params.h"
#include "../check/salt.h"
#include "../login/logout.h"
#include "../login/session.h"
#include "../reply/reply.h"
#include "interaction.h"
#include "pipeline.h"

/* What the page that asks carries on: not the hints, they have said what they could. */
static oas_params_t *carried_params(const oas_tx_t *tx)
{
    const char *const names[] = {"state", "ui_locales"};
    oas_params_t *params = oas_params_create(tx->pool);
    apr_size_t i;

    if (tx->client != NULL) {
        oas_params_add(params, "client_id", tx->client->client_id);
    }
    if (tx->ending->return_to != NULL) {
        oas_params_add(params, "post_logout_redirect_uri", tx->ending->return_to);
    }
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = oas_params_get(tx->params, names[i]);
        if (value != NULL) {
            oas_params_add(params, names[i], value);
        }
    }
    return params;
}

/* The application's own page, for those who would rather stay signed in, or are out. */
static void add_back(const oas_tx_t *tx, json_t *data)
{
    if (tx->client != NULL && tx->client->client_uri != NULL) {
        json_object_set_new(
            data, "back",
            json_pack("{ssss}", "url", tx->client->client_uri, "name", tx->client->name));
    }
}

/* A page that says how it is now; NULL: signed out. */
static oas_outcome_t end_page(oas_tx_t *tx, const char *kind)
{
    oas_page_policy_t policy = {0};
    json_t *data = oas_json_object(tx->pool);

    oas_json_set(data, "kind", kind);
    add_back(tx, data);
    oas_reply_page(tx, 200, "logged_out", data, &policy);
    return OAS_ANSWERED;
}

static oas_outcome_t require_confirmation(oas_tx_t *tx)
{
    oas_page_policy_t policy = {.form_target = tx->ending->return_to};
    json_t *data;
    json_t *form;

    if (oas_logout_confirmed(tx)) {
        return OAS_NEXT;
    }
    if (tx->form_step == OAS_FORM_CONFIRM) {
        return end_page(tx, "logout_declined");
    }
    tx->params = carried_params(tx);
    form = oas_interaction_form(tx, OAS_FORM_CONFIRM);
    if (form == NULL) {
        return OAS_FAILED;
    }
    data = oas_json_object(tx->pool);
    json_object_set_new(data, "form", form);
    json_object_set_new(data, "user",
                        json_pack("{ss?ss}", "name", tx->session->name, "sub", tx->session->sub));
    add_back(tx, data);
    oas_reply_page(tx, 200, "logout", data, &policy);
    return OAS_ANSWERED;
}

/* frontchannel_logout_uri with iss and sid as the client knows it (Front-Channel Logout 1.0 section
 * 2), or NULL. */
static const char *frame_of(oas_tx_t *tx, const oas_client_t *client)
{
    oas_params_t *params = oas_params_create(tx->pool);
    const char *sid =
        oas_salt_for(tx, client) == APR_SUCCESS ? oas_sid_for(tx, client, tx->session->id) : NULL;

    if (sid == NULL) {
        return NULL;
    }
    oas_params_add(params, "iss", tx->issuer->url);
    oas_params_add(params, "sid", sid);
    return oas_uri_append(client->frontchannel_logout_uri, oas_params_encode(params, tx->pool), 0,
                          tx->pool);
}

/* What the clients that took part want loaded in this browser; one that cannot be found now is left
 * out, the user's logout does not wait for it. */
static apr_array_header_t *frames_of(oas_tx_t *tx)
{
    const oas_words_t *told = tx->ending->told;
    apr_array_header_t *frames = apr_array_make(tx->pool, 4, sizeof(const char *));
    int i;

    for (i = 0; told != NULL && i < told->nelts; i++) {
        const oas_client_t *client;
        const char *frame = NULL;

        if (oas_client_find(tx, OAS_WORD(told, i), &client) == APR_SUCCESS &&
            client->frontchannel_logout_uri != NULL) {
            frame = frame_of(tx, client);
        }
        if (frame != NULL) {
            APR_ARRAY_PUSH(frames, const char *) = frame;
        }
    }
    return frames;
}

/* Where the browser goes when the session has ended, or NULL. */
static const char *onward(const oas_tx_t *tx)
{
    const char *state = oas_params_get(tx->params, "state");
    oas_params_t *params;

    if (tx->ending->return_to == NULL || state == NULL || tx->endpoint != OAS_EP_LOGOUT) {
        return tx->ending->return_to;
    }
    params = oas_params_create(tx->pool);
    oas_params_add(params, "state", state);
    return oas_uri_append(tx->ending->return_to, oas_params_encode(params, tx->pool), 0, tx->pool);
}

static void frames_page(oas_tx_t *tx, const apr_array_header_t *frames, const char *next)
{
    oas_page_policy_t policy = {.frames = frames, .next = next, .script = 1};
    json_t *data = oas_json_object(tx->pool);
    json_t *list = json_array();
    int i;

    for (i = 0; i < frames->nelts; i++) {
        json_array_append_new(list, json_string(APR_ARRAY_IDX(frames, i, const char *)));
    }
    json_object_set_new(data, "frames", list);
    oas_json_set(data, "next", next);
    oas_reply_page(tx, 200, "logout_frontchannel", data, &policy);
}

/* This endpoint, when nobody is signed in any more: it says so. */
static const char *ended_url(const oas_tx_t *tx)
{
    const char *url = tx->issuer->endpoint_urls[tx->endpoint];
    oas_params_t *params = carried_params(tx);

    return params->list->nelts > 0
               ? oas_uri_append(url, oas_params_encode(params, tx->pool), 0, tx->pool)
               : url;
}

static oas_outcome_t respond_logout(oas_tx_t *tx)
{
    apr_array_header_t *frames = frames_of(tx);
    const char *next = onward(tx);

    if (frames->nelts > 0) {
        frames_page(tx, frames, next != NULL ? next : ended_url(tx));
        return OAS_ANSWERED;
    }
    if (next == NULL) {
        return end_page(tx, NULL);
    }
    oas_reply_redirect(tx, next);
    return OAS_ANSWERED;
}

const oas_step_t oas_logout_steps[] = {
    {"check_method_get_post", oas_check_method_get_post, OAS_ALWAYS, "RP-Initiated Logout 2"},
    {"load_form", oas_load_form, OAS_ALWAYS, "RP-Initiated Logout 2"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6749 3.1"},
    {"load_interaction", oas_load_interaction, OAS_ALWAYS, "RP-Initiated Logout 6"},
    {"load_logout_hint", oas_load_logout_hint, OAS_ALWAYS, "RP-Initiated Logout 2, 4"},
    {"load_logout_client", oas_load_logout_client, OAS_ALWAYS, "RP-Initiated Logout 2"},
    {"load_salt", oas_load_salt, OAS_ALWAYS, "OIDC Core 8.1"},
    {"check_post_logout_redirect_uri", oas_check_post_logout_redirect_uri, OAS_ALWAYS,
     "RP-Initiated Logout 3"},
    {"load_session", oas_load_session, OAS_ALWAYS, "RP-Initiated Logout 2"},
    {"require_confirmation", require_confirmation, OAS_ALWAYS, "RP-Initiated Logout 2, 6"},
    {"issue_logout", oas_issue_logout, OAS_ALWAYS, "RP-Initiated Logout 2, Back-Channel Logout 2"},
    {"respond_logout", respond_logout, OAS_ALWAYS, "RP-Initiated Logout 3, Front-Channel Logout 3"},
    {NULL, NULL, 0, NULL}};

/* Ends the session without asking, as Auth0 does: whoever can send a browser here can sign its user
 * out, but not somewhere that no client has registered. */
const oas_step_t oas_v2logout_steps[] = {
    {"check_method_get", oas_check_method_get, OAS_ALWAYS, "Auth0 /v2/logout"},
    {"load_form", oas_load_form, OAS_ALWAYS, "Auth0 /v2/logout"},
    {"check_duplicates", oas_check_duplicates, OAS_ALWAYS, "RFC 6749 3.1"},
    {"load_interaction", oas_load_interaction, OAS_ALWAYS, "Auth0 /v2/logout"},
    {"load_logout_hint", oas_load_logout_hint, OAS_ALWAYS, "Auth0 /v2/logout"},
    {"load_logout_client", oas_load_logout_client, OAS_ALWAYS, "Auth0 /v2/logout"},
    {"check_return_to", oas_check_return_to, OAS_ALWAYS, "Auth0 /v2/logout"},
    {"load_session", oas_load_session, OAS_ALWAYS, "Auth0 /v2/logout"},
    {"issue_logout", oas_issue_logout, OAS_ALWAYS, "Auth0 /v2/logout, Back-Channel Logout 2"},
    {"respond_logout", respond_logout, OAS_ALWAYS, "Auth0 /v2/logout, Front-Channel Logout 3"},
    {NULL, NULL, 0, NULL}};
