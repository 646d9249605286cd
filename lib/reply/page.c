/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../base/uri.h"
#include "templates.h"

#define NEXT_AFTER "1" /* seconds; browsers count them from when all frames have loaded */

/* A CSP source: an origin, or the scheme where CSP cannot name the host. */
static const char *csp_source(const char *uri_text, apr_pool_t *pool)
{
    oas_uri_t uri;

    if (oas_uri_parse(&uri, uri_text, pool) != APR_SUCCESS) {
        return "";
    }
    if (uri.host == NULL || uri.host[0] == '\0' || uri.host[0] == '[') {
        return apr_pstrcat(pool, uri.scheme, ":", NULL);
    }
    return oas_uri_origin(&uri, pool);
}

/*
 * Where a form may lead. Chromium applies form-action to every redirect that follows the form, and
 * a client's callback often sends the browser on to another origin of its own: so beside the
 * redirect_uri any https page, and for a redirect_uri on this machine any other one here.
 */
static const char *form_targets(const char *uri, apr_pool_t *pool)
{
    const char *onward = strncmp(uri, "http://", 7) == 0
                             ? " https: http://localhost:* http://127.0.0.1:*"
                             : " https:";

    return apr_pstrcat(pool, csp_source(uri, pool), onward, NULL);
}

static const char *style_source(const oas_tx_t *tx)
{
    if (tx->issuer->stylesheet == NULL) {
        return oas_templates_style_hash(tx->issuer->templates);
    }
    return tx->issuer->stylesheet[0] == '/' ? "'self'"
                                            : csp_source(tx->issuer->stylesheet, tx->pool);
}

static const char *frame_sources(const apr_array_header_t *urls, apr_pool_t *pool)
{
    oas_words_t *sources = oas_words_create(pool);
    int i;

    for (i = 0; i < urls->nelts; i++) {
        oas_words_add(sources, csp_source(APR_ARRAY_IDX(urls, i, const char *), pool));
    }
    return apr_pstrcat(pool, " ", oas_words_join(sources, pool), NULL);
}

static const char *policy_text(const oas_tx_t *tx, const char *page,
                               const oas_page_policy_t *policy)
{
    const char *target =
        policy->form_target != NULL ? form_targets(policy->form_target, tx->pool) : "";
    const char *frames =
        policy->frames != NULL ? frame_sources(policy->frames, tx->pool) : " 'none'";
    const char *script =
        policy->script ? oas_templates_script_hash(tx->issuer->templates, page) : "'none'";

    return apr_pstrcat(tx->pool, "default-src 'none'; base-uri 'none'; frame-ancestors ",
                       policy->frame_origin != NULL ? policy->frame_origin : "'none'",
                       "; img-src 'self' https:; style-src ", style_source(tx), "; script-src ",
                       script, "; frame-src", frames, "; form-action 'self' ", target, NULL);
}

static json_t *client_data(const oas_client_t *client)
{
    json_t *data = json_object();

    oas_json_set(data, "name", client->name);
    oas_json_set(data, "logo_uri", client->logo_uri);
    oas_json_set(data, "client_uri", client->client_uri);
    oas_json_set(data, "policy_uri", client->policy_uri);
    oas_json_set(data, "tos_uri", client->tos_uri);
    return data;
}

const char *oas_page_language(oas_tx_t *tx)
{
    const oas_params_t *params = tx->params != NULL ? tx->params : tx->form;
    const char *wish = params != NULL ? oas_params_get(params, "ui_locales") : NULL;

    if (tx->language == NULL) {
        tx->language =
            oas_templates_choose(tx->issuer->templates, wish, tx->request.accept_language);
    }
    return tx->language;
}

const char *oas_page_text(oas_tx_t *tx, const char *name)
{
    return oas_templates_text(tx->issuer->templates, oas_page_language(tx), name);
}

/* A claim that was asked for by itself. Those of an administrator have their name, unless the
 * templates have words for them. */
static const char *claim_text(oas_tx_t *tx, const char *claim)
{
    const char *text = oas_page_text(tx, apr_pstrcat(tx->pool, "claim_", claim, NULL));

    if (text == NULL) {
        text = oas_page_text(tx, "claim");
        text = text != NULL ? apr_pstrcat(tx->pool, text, " ", claim, NULL) : claim;
    }
    return text;
}

/* OpenID Connect's are texts of ours; those of an API are the administrator's, whose templates may
 * have them in other languages. */
const char *oas_page_permission(oas_tx_t *tx, const oas_resource_t *resource, const char *scope)
{
    const char *own = oas_oidc_scope_text(scope);
    const oas_scope_t *row;
    const char *text;

    if (strncmp(scope, OAS_CLAIM_WORD, strlen(OAS_CLAIM_WORD)) == 0) {
        return claim_text(tx, scope + strlen(OAS_CLAIM_WORD));
    }
    if (own != NULL) {
        text = oas_page_text(tx, apr_pstrcat(tx->pool, "scope_", scope, NULL));
        return text != NULL ? text : own;
    }
    row = resource != NULL ? oas_scope_find(resource, scope) : NULL;
    if (row == NULL) {
        return scope;
    }
    text = oas_page_text(tx, apr_pstrcat(tx->pool, "scope ", resource->uri, " ", scope, NULL));
    if (text == NULL) {
        text = row->text != NULL ? row->text : scope;
    }
    return text;
}

/* What every page may show: who we are, for which application, where help is. */
static void add_surroundings(const oas_tx_t *tx, json_t *data)
{
    const oas_issuer_t *issuer = tx->issuer;
    json_t *who = json_object();
    json_t *links = json_object_get(data, "links");

    oas_json_set(who, "name", strstr(issuer->origin, "://") + 3);
    oas_json_set(who, "logo", issuer->logo);
    json_object_set_new(data, "issuer", who);
    oas_json_set(data, "stylesheet", issuer->stylesheet);
    if (tx->client != NULL) {
        json_object_set_new(data, "client", client_data(tx->client));
    }
    if (links == NULL) {
        links = json_object();
        json_object_set_new(data, "links", links);
    }
    oas_json_set(links, "forgot_password", issuer->help_forgot_password);
    oas_json_set(links, "signup", issuer->help_signup);
    oas_json_set(links, "help", issuer->help_help);
    if (json_object_size(links) == 0) {
        json_object_del(data, "links");
    }
}

void oas_reply_page(oas_tx_t *tx, int status, const char *name, json_t *data,
                    const oas_page_policy_t *policy)
{
    const char *html;
    apr_size_t len;
    apr_status_t rv;

    add_surroundings(tx, data);
    rv = oas_templates_render(tx->issuer->templates, oas_page_language(tx), name, data, &html, &len,
                              tx->pool);
    if (rv != APR_SUCCESS) {
        oas_log(tx->log, OAS_LOG_ERROR, OAS_TAG(00720), rv, "page %s cannot be rendered ref=%s",
                name, tx->request_id);
        html = "Something went wrong here.";
        len = strlen(html);
        status = 500;
    }
    tx->reply.status = status;
    tx->reply.content_type = rv == APR_SUCCESS ? "text/html; charset=utf-8" : "text/plain";
    tx->reply.body = html;
    tx->reply.body_len = len;
    oas_reply_header(tx, "Cache-Control", "no-store");
    if (rv == APR_SUCCESS) {
        oas_reply_header(tx, "Content-Language", tx->language);
    }
    if (policy->next != NULL) {
        oas_reply_header(tx, "Refresh",
                         apr_pstrcat(tx->pool, NEXT_AFTER "; url=", policy->next, NULL));
    }
    oas_reply_header(tx, "Content-Security-Policy", policy_text(tx, name, policy));
    if (policy->frame_origin == NULL) { /* X-Frame-Options cannot name another origin */
        oas_reply_header(tx, "X-Frame-Options", "DENY");
    }
    oas_reply_header(tx, "X-Content-Type-Options", "nosniff");
    oas_reply_header(tx, "Referrer-Policy", "no-referrer");
    oas_reply_cookies(tx);
}

json_t *oas_page_user(const oas_session_t *session)
{
    json_t *user = json_object();

    oas_json_set(user, "name", session->name);
    oas_json_set(user, "sub", session->sub);
    return user;
}

json_t *oas_page_wait(int seconds)
{
    seconds = seconds > 2 ? seconds : 2; /* the texts speak of several */
    return seconds < 120 ? json_pack("{si}", "seconds", seconds)
                         : json_pack("{si}", "minutes", (seconds + 59) / 60);
}

json_t *oas_page_time(apr_int64_t seconds)
{
    char iso[24];
    char text[24];
    apr_time_exp_t t;
    apr_size_t len;

    apr_time_exp_gmt(&t, apr_time_from_sec(seconds));
    apr_strftime(iso, &len, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &t);
    apr_strftime(text, &len, sizeof(text), "%Y-%m-%d %H:%M UTC", &t);
    return json_pack("{ssss}", "iso", iso, "text", text);
}
