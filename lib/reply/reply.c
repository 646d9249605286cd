/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../base/uri.h"

#define EXPOSED_HEADERS "WWW-Authenticate, Retry-After, DPoP-Nonce"
#define ALLOWED_HEADERS "Authorization, Content-Type, Auth0-Client, DPoP, X-Request-Language"

void oas_reply_header(oas_tx_t *tx, const char *name, const char *value)
{
    if (tx->reply.headers == NULL) {
        tx->reply.headers = apr_table_make(tx->pool, 12);
    }
    apr_table_add(tx->reply.headers, name, value);
}

void oas_reply_cookies(oas_tx_t *tx)
{
    int i;

    for (i = 0; i < OAS_COOKIES; i++) {
        if (tx->set_cookie[i] != NULL) {
            oas_reply_header(tx, "Set-Cookie", tx->set_cookie[i]);
        }
    }
}

static void set_body(oas_tx_t *tx, int status, const char *content_type, const char *body)
{
    tx->reply.status = status;
    tx->reply.content_type = content_type;
    tx->reply.body = body;
    tx->reply.body_len = strlen(body);
}

static void no_store(oas_tx_t *tx)
{
    oas_reply_header(tx, "Cache-Control", "no-store");
    oas_reply_header(tx, "Pragma", "no-cache");
    oas_reply_header(tx, "X-Content-Type-Options", "nosniff");
}

/* A page of another origin may read this answer when the origin is the client's. */
static void cors_for_client(oas_tx_t *tx)
{
    oas_reply_header(tx, "Vary", "Origin");
    if (tx->request.origin != NULL && tx->client != NULL &&
        oas_words_has(tx->client->web_origins, tx->request.origin)) {
        oas_reply_header(tx, "Access-Control-Allow-Origin", tx->request.origin);
        oas_reply_header(tx, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
    }
}

void oas_reply_json(oas_tx_t *tx, int status, const char *text)
{
    if (text == NULL) {
        status = 500;
        text = "{\"error\":\"server_error\"}";
    }
    set_body(tx, status, "application/json", text);
    no_store(tx);
    cors_for_client(tx);
}

void oas_reply_text(oas_tx_t *tx, const char *content_type, const char *text)
{
    set_body(tx, 200, content_type, text);
    no_store(tx);
}

void oas_reply_empty(oas_tx_t *tx, int status)
{
    tx->reply.status = status;
    no_store(tx);
    cors_for_client(tx);
}

void oas_reply_document(oas_tx_t *tx, const char *text, const char *etag, const char *cache_control)
{
    const char *known = tx->request.if_none_match;

    oas_reply_header(tx, "ETag", etag);
    oas_reply_header(tx, "Cache-Control", cache_control);
    oas_reply_header(tx, "Access-Control-Allow-Origin", "*");
    oas_reply_header(tx, "X-Content-Type-Options", "nosniff");
    if (known != NULL && (strstr(known, etag) != NULL || strcmp(known, "*") == 0)) {
        tx->reply.status = 304;
        return;
    }
    set_body(tx, 200, "application/json", text);
}

void oas_reply_redirect(oas_tx_t *tx, const char *url)
{
    tx->reply.status = strcmp(tx->request.method, "POST") == 0 ? 303 : 302;
    oas_reply_header(tx, "Location", url);
    oas_reply_header(tx, "Referrer-Policy", "no-referrer");
    no_store(tx);
    oas_reply_cookies(tx);
}

static oas_params_t *answer_params(oas_tx_t *tx, oas_members_t *answer)
{
    oas_params_t *params = oas_params_create(tx->pool);
    int i;

    for (i = 0; i < answer->nelts; i++) {
        const oas_member_t *member = OAS_MEMBER_AT(answer, i);
        const char *text = member->kind == OAS_MEMBER_INTEGER
                               ? apr_ltoa(tx->pool, (long)member->value.integer)
                               : member->value.string;
        oas_params_add(params, member->name, text);
    }
    return params;
}

static void redirect(oas_tx_t *tx, oas_members_t *answer)
{
    const char *encoded = oas_params_encode(answer_params(tx, answer), tx->pool);

    oas_reply_redirect(tx, oas_uri_append(tx->redirect_uri, encoded,
                                          tx->response_mode == OAS_MODE_FRAGMENT, tx->pool));
}

static void form_post(oas_tx_t *tx, oas_members_t *answer)
{
    oas_page_policy_t policy = {.form_target = tx->redirect_uri, .script = 1};
    const oas_params_t *params = answer_params(tx, answer);
    json_t *data = oas_json_object(tx->pool);
    json_t *hidden = json_array();
    json_t *form = json_object();
    int i;

    for (i = 0; i < params->list->nelts; i++) {
        const oas_param_t *param = &APR_ARRAY_IDX(params->list, i, oas_param_t);
        json_array_append_new(hidden,
                              json_pack("{ssss}", "name", param->name, "value", param->value));
    }
    oas_json_set(form, "action", tx->redirect_uri);
    json_object_set_new(form, "hidden", hidden);
    json_object_set_new(data, "form", form);
    oas_reply_page(tx, 200, "form_post", data, &policy);
}

/* The page posts to this origin and no other, whoever opened or framed it. */
static void web_message(oas_tx_t *tx, oas_members_t *answer)
{
    oas_page_policy_t policy = {.frame_origin = tx->message_origin, .script = 1};
    json_t *data = oas_json_object(tx->pool);
    json_t *message = json_object();

    oas_json_set(message, "origin", tx->message_origin);
    oas_json_set(message, "response", oas_members_text(answer));
    json_object_set_new(data, "message", message);
    oas_reply_page(tx, 200, "web_message", data, &policy);
}

void oas_reply_authorization(oas_tx_t *tx, oas_members_t *answer)
{
    static void (*const carry[])(oas_tx_t * tx, oas_members_t * answer) = {
        [OAS_MODE_QUERY] = redirect,
        [OAS_MODE_FRAGMENT] = redirect,
        [OAS_MODE_FORM_POST] = form_post,
        [OAS_MODE_WEB_MESSAGE] = web_message,
    };

    oas_members_string(answer, "state", tx->state);
    oas_members_string(answer, "iss", tx->issuer->url);
    carry[tx->response_mode](tx, answer);
}

void oas_reply_preflight(oas_tx_t *tx)
{
    const char *allowed = apr_pstrcat(tx->pool, tx->methods, ", OPTIONS", NULL);

    tx->reply.status = 204;
    oas_reply_header(tx, "Allow", allowed);
    oas_reply_header(tx, "Vary", "Origin");
    if (tx->request.origin == NULL || !oas_words_has(tx->issuer->web_origins, tx->request.origin)) {
        return;
    }
    oas_reply_header(tx, "Access-Control-Allow-Origin", tx->request.origin);
    oas_reply_header(tx, "Access-Control-Allow-Methods", allowed);
    oas_reply_header(tx, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
    oas_reply_header(tx, "Access-Control-Max-Age", "600");
}
