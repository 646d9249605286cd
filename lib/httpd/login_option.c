/* SPDX-License-Identifier: Apache-2.0 */
#include "login_option.h"

#include <string.h>
#include <ap_expr.h>
#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_core.h>
#include <mod_core.h>
#include <util_filter.h>
#include "../base/uri.h"
#include "../endpoint/endpoint.h"
#include "request.h"

#define FILTER_NAME "OAUTH2AS_OPTION_ERROR"

void oas_login_option_find_twins(server_rec *main_server)
{
    server_rec *a;
    server_rec *b;

    for (a = main_server; a != NULL; a = a->next) {
        const char *url = oas_server_config(a)->issuer.url;
        for (b = main_server; url != NULL && b != NULL; b = b->next) {
            const char *other = oas_server_config(b)->issuer.url;
            oas_server_config(a)->has_twin |= a != b && other != NULL && strcmp(url, other) == 0;
        }
    }
}

/** 1 when this virtual host is the one at the port: by ServerName when that has a port, else by its
 * addresses. Nothing that a client sends is asked. */
static int at_port(const server_rec *s, apr_port_t port)
{
    const server_addr_rec *address;

    if (s->port != 0) {
        return s->port == port;
    }
    for (address = s->addrs; address != NULL; address = address->next) {
        if (address->host_port == port) {
            return 1;
        }
    }
    return 0;
}

static apr_port_t port_of(const char *url, apr_pool_t *pool)
{
    oas_uri_t uri;

    if (oas_uri_parse(&uri, url, pool) != APR_SUCCESS) {
        return 0;
    }
    return uri.port != NULL                   ? (apr_port_t)apr_atoi64(uri.port)
           : strcmp(uri.scheme, "https") == 0 ? 443
                                              : 80;
}

int oas_login_option_here(oas_tx_t *tx, const oas_login_option_t *option)
{
    const request_rec *r = tx->host_baton;
    const oas_server_config_t *config = oas_server_config(r->server);

    return strcmp(r->uri, option->path) == 0 &&
           (!config->has_twin || at_port(r->server, port_of(option->url, tx->pool)));
}

static int is_ours(const char *name)
{
    return name != NULL && strcmp(name, OAS_LOGIN_OPTION_NAME) == 0;
}

int oas_login_handler(request_rec *r)
{
    if (!is_ours(r->handler) || r->main != NULL) {
        return DECLINED;
    }
    if (oas_server_config(r->server)->issuer.url == NULL) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      OAS_TAG(00927) ": SetHandler " OAS_LOGIN_OPTION_NAME
                                     " at %s, but this virtual host has no OAuth2ASIssuer",
                      r->uri);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return oas_request_answer(r, oas_external_run);
}

/** As httpd does it with SetHandler. */
static const char *lower(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text);

    ap_str_tolower(copy);
    return copy;
}

/** By its configuration: what authenticates runs before httpd gives the request its handler. */
static int is_login_location(request_rec *r)
{
    const core_dir_config *dir = ap_get_core_module_config(r->per_dir_config);
    const char *why = NULL;
    const char *handler;

    if (oas_server_config(r->server)->issuer.url == NULL || dir->expr_handler == NULL ||
        oas_request_claimed(r) != NULL) {
        return 0;
    }
    handler = ap_expr_str_exec(r, dir->expr_handler, &why);
    return why == NULL && handler != NULL && is_ours(lower(handler, r->pool));
}

/** An answer of the administrator's; "ErrorDocument 401 default" is none. */
static int has_error_document(request_rec *r)
{
    return ap_response_code_string(r, ap_index_of_response(r->status)) != NULL;
}

typedef void page_t(oas_tx_t *tx);

/** What to say in the place of an error of httpd, or NULL. */
static page_t *page_for(const request_rec *r)
{
    if (ap_is_HTTP_SERVER_ERROR(r->status)) {
        return oas_external_unavailable;
    }
    if (r->status == HTTP_UNAUTHORIZED && apr_table_get(r->headers_in, "Authorization") == NULL) {
        return oas_external_challenged;
    }
    return r->status == HTTP_UNAUTHORIZED || r->status == HTTP_FORBIDDEN ? oas_external_refused
                                                                         : NULL;
}

/** Puts a page of ours in the place of what httpd says, once. */
static apr_status_t replace_body(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const oas_reply_t *reply;

    apr_brigade_cleanup(bb);
    if (f->ctx != NULL) {
        return APR_SUCCESS;
    }
    f->ctx = f->r;
    reply = oas_request_page(f->r, page_for(f->r));
    APR_BRIGADE_INSERT_TAIL(
        bb, apr_bucket_pool_create(reply->body, reply->body_len, f->r->pool, bb->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    return ap_pass_brigade(f->next, bb);
}

void oas_login_option_error_insert(request_rec *r)
{
    if (r->main == NULL && is_login_location(r) && page_for(r) != NULL && !has_error_document(r)) {
        ap_add_output_filter(FILTER_NAME, NULL, r, r->connection);
    }
}

void oas_login_option_register(void)
{
    ap_register_output_filter(FILTER_NAME, replace_body, NULL, AP_FTYPE_CONTENT_SET);
}
