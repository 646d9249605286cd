/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fake_tx.h
 * A request, an issuer and a client for tests of single steps; no server around them.
 */
#ifndef OAS_TEST_FAKE_TX_H
#define OAS_TEST_FAKE_TX_H

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/tx.h"

/** The halves of a cookie (login/cookie.h), well-formed. */
#define BINDING "AAAAAAAAAAAAAAAAAAAAAA"
#define HANDLE  "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

/** Evaluates an "expression" to its own text; "(fail)" cannot be evaluated. */
static inline apr_status_t fake_eval(oas_tx_t *tx, const oas_expr_t *expr, const char **out)
{
    *out = expr->text;
    return strcmp(expr->text, "(fail)") == 0 ? APR_EGENERAL : APR_SUCCESS;
}

static inline int fake_test(oas_tx_t *tx, const oas_expr_t *expr)
{
    return strcmp(expr->text, "true") == 0;
}

static const oas_host_t fake_host __attribute__((unused)) = {.eval = fake_eval, .test = fake_test};

static inline oas_expr_t *fake_expr(apr_pool_t *p, const char *text)
{
    oas_expr_t *expr = apr_pcalloc(p, sizeof(*expr));

    expr->text = text;
    return expr;
}

static inline oas_secret_t *fake_secret(apr_pool_t *p, char fill)
{
    char bytes[OAS_SECRET_MIN];
    oas_secret_t *secret = NULL;

    memset(bytes, fill, sizeof(bytes));
    oas_secret_create(&secret, bytes, sizeof(bytes), p);
    return secret;
}

static inline oas_issuer_t *fake_issuer(apr_pool_t *p)
{
    oas_issuer_t *issuer = apr_pcalloc(p, sizeof(*issuer));
    oas_resource_t *api = apr_pcalloc(p, sizeof(*api));
    oas_scope_t *scope;

    issuer->url = "https://as.example/";
    issuer->origin = "https://as.example";
    issuer->path = "";
    issuer->cookie_name = "__Host-oas-0123456789abcdef";
    issuer->cookie_secure = 1;
    issuer->clock_skew = apr_time_from_sec(60);
    issuer->endpoint_paths[OAS_EP_AUTHORIZE] = "/authorize";
    issuer->endpoint_paths[OAS_EP_TOKEN] = "/oauth/token";
    issuer->endpoint_paths[OAS_EP_USERINFO] = "/userinfo";
    issuer->endpoint_urls[OAS_EP_USERINFO] = "https://as.example/userinfo";
    issuer->secrets = apr_array_make(p, 2, sizeof(oas_secret_t *));
    APR_ARRAY_PUSH(issuer->secrets, oas_secret_t *) = fake_secret(p, 'a');
    issuer->claims = apr_array_make(p, 4, sizeof(oas_claim_t));
    issuer->resources = apr_hash_make(p);
    issuer->clients = apr_hash_make(p);
    issuer->names_ignore_case = 1;
    issuer->throttle = (oas_throttle_t){10, 50, 100, apr_time_from_sec(900)};
    api->uri = "https://api.example/";
    api->access_token_lifetime = OAS_LIFETIME_UNSET;
    api->scopes = apr_array_make(p, 2, sizeof(oas_scope_t));
    scope = apr_array_push(api->scopes);
    *scope = (oas_scope_t){"read:items", "Read your items"};
    scope = apr_array_push(api->scopes);
    *scope = (oas_scope_t){"write:items", "Change your items"};
    apr_hash_set(issuer->resources, api->uri, APR_HASH_KEY_STRING, api);
    return issuer;
}

/** A public client with one redirect URI and read:items of the API. */
static inline oas_client_t *fake_client(apr_pool_t *p, const char *redirect_uri)
{
    oas_client_t *client = apr_pcalloc(p, sizeof(*client));
    oas_allow_t *allow;

    client->client_id = client->name = "app";
    client->redirect_uris = oas_words_create(p);
    oas_words_add(client->redirect_uris, redirect_uri);
    client->web_origins = oas_words_create(p);
    client->secrets = apr_array_make(p, 2, sizeof(oas_client_secret_t));
    client->auth_methods = OAS_AUTH_NONE;
    client->grant_types = OAS_GRANT_AUTHORIZATION_CODE;
    client->response_types = OAS_RESPONSE_CODE;
    client->require_pkce = 1;
    client->id_token_alg = "RS256";
    client->allow = apr_array_make(p, 1, sizeof(oas_allow_t));
    allow = apr_array_push(client->allow);
    allow->resource = "https://api.example/";
    allow->scopes = oas_words_create(p);
    oas_words_add(allow->scopes, "read:items");
    return client;
}

static inline oas_tx_t *fake_tx(apr_pool_t *p)
{
    oas_tx_t *tx = apr_pcalloc(p, sizeof(*tx));

    tx->pool = p;
    tx->issuer = fake_issuer(p);
    tx->host = &fake_host;
    tx->request_id = "test";
    tx->request.method = "GET";
    tx->max_age = -1;
    tx->form = tx->params = oas_params_create(p);
    tx->client = fake_client(p, "https://app.example/cb");
    tx->redirect_uri = "https://app.example/cb";
    apr_hash_set(tx->issuer->clients, "app", APR_HASH_KEY_STRING, tx->client);
    return tx;
}

static inline void fake_params(oas_tx_t *tx, const char *encoded)
{
    oas_params_parse(&tx->params, encoded, strlen(encoded), tx->pool);
    tx->form = tx->params;
}

#endif
