/* SPDX-License-Identifier: Apache-2.0 */
#include "login_option.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/uri.h"
#include "../endpoint/endpoint.h"
#include "request.h"

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
