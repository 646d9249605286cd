/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/client_rules.h"
#include "../base/uri.h"
#include "../base/words.h"
#include "../endpoint/endpoint.h"
#include "../endpoint/metadata.h"
#include "../login/subject.h"
#include "../issue/refresh.h"
#include "../store/client.h"
#include "directives.h"
#include "kinds.h"

void oas_detach_servers(apr_pool_t *pool, server_rec *main_server)
{
    server_rec *s;

    for (s = main_server; s != NULL; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);
        if (config->server != s) {
            void *own = oas_server_config_create(pool, s);
            ap_set_module_config(s->module_config, &oauth2as_module,
                                 oas_server_config_merge(pool, config, own));
        }
    }
}

static oas_words_t *words_or_empty(oas_words_t *words, apr_pool_t *pool)
{
    return words != NULL ? words : oas_words_create(pool);
}

static apr_array_header_t *array_or_empty(apr_array_header_t *array, int size, apr_pool_t *pool)
{
    return array != NULL ? array : apr_array_make(pool, 1, size);
}

static int requires_pkce(const oas_client_config_t *entry, oas_profile_t profile)
{
    int pkce = entry->require.pkce;

    if (entry->client.type != OAS_CLIENT_WEB || !oas_client_confidential(&entry->client)) {
        return 1;
    }
    return pkce != 0 ? pkce > 0 : profile == OAS_PROFILE_OAUTH21;
}

/** The clear secrets go where client_secret_jwt needs them, and nowhere else. */
static void complete_secrets(oas_client_config_t *entry, apr_pool_t *pool)
{
    oas_client_t *client = &entry->client;
    int i;

    client->secrets = array_or_empty(client->secrets, sizeof(oas_client_secret_t), pool);
    entry->clear_secrets = array_or_empty(entry->clear_secrets, sizeof(oas_bytes_t), pool);
    if (client->auth_methods & OAS_AUTH_SECRET_JWT) {
        client->hmac_secrets = entry->clear_secrets;
        return;
    }
    for (i = 0; i < entry->clear_secrets->nelts; i++) {
        oas_bytes_t *clear = &APR_ARRAY_IDX(entry->clear_secrets, i, oas_bytes_t);
        oas_wipe((void *)clear->data, clear->len);
    }
}

static void complete_client(oas_client_config_t *entry, oas_profile_t profile, apr_pool_t *pool)
{
    oas_client_t *client = &entry->client;

    oas_client_complete(client);
    complete_secrets(entry, pool);
    if (entry->block.where[OAS_D_WEB_MESSAGE] == NULL) {
        client->web_message = client->type == OAS_CLIENT_SPA && profile == OAS_PROFILE_AUTH0;
    }
    client->bound_tokens = entry->require.mtls;
    client->required_acr = entry->require.acr;
    client->redirect_uris = words_or_empty(client->redirect_uris, pool);
    if (client->sector != NULL && *client->sector == '\0') {
        client->sector = oas_client_host(client->redirect_uris, pool);
    }
    if (client->web_origins == NULL && client->type == OAS_CLIENT_SPA) {
        client->web_origins = oas_client_origins(client->redirect_uris, pool);
    }
    client->web_origins = words_or_empty(client->web_origins, pool);
    client->post_logout_redirect_uris = words_or_empty(client->post_logout_redirect_uris, pool);
    client->allow = array_or_empty(client->allow, sizeof(oas_allow_t), pool);
    client->require_pkce = requires_pkce(entry, profile);
}

static void complete_resource(oas_resource_config_t *entry, oas_profile_t profile)
{
    if (entry->block.where[OAS_D_TOKEN_DIALECT] == NULL) {
        entry->resource.dialect =
            profile == OAS_PROFILE_AUTH0 ? OAS_DIALECT_AUTH0 : OAS_DIALECT_RFC9068;
    }
}

/** Clients and resources by name, and the origins of all clients. */
static void complete_sections(oas_server_config_t *config, apr_pool_t *pool)
{
    oas_issuer_t *issuer = &config->issuer;
    int i, k;

    issuer->resources = apr_hash_make(pool);
    for (i = 0; i < config->resources->nelts; i++) {
        oas_resource_config_t *entry = APR_ARRAY_IDX(config->resources, i, oas_resource_config_t *);
        complete_resource(entry, issuer->profile);
        apr_hash_set(issuer->resources, entry->resource.uri, APR_HASH_KEY_STRING, &entry->resource);
    }
    issuer->clients = apr_hash_make(pool);
    issuer->web_origins = oas_words_create(pool);
    for (i = 0; i < config->clients->nelts; i++) {
        oas_client_config_t *entry = APR_ARRAY_IDX(config->clients, i, oas_client_config_t *);
        complete_client(entry, issuer->profile, pool);
        issuer->web_message |= entry->client.web_message;
        apr_hash_set(issuer->clients, entry->client.client_id, APR_HASH_KEY_STRING, &entry->client);
        for (k = 0; k < entry->client.web_origins->nelts; k++) {
            oas_words_add(issuer->web_origins, OAS_WORD(entry->client.web_origins, k));
        }
    }
}

static int has_claim(const apr_array_header_t *claims, const char *name)
{
    int i;

    for (i = 0; i < claims->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(claims, i, oas_claim_t).name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static oas_expr_t *exported(const char *variable, const char **why, apr_pool_t *pool)
{
    oas_setting_t setting = {.pool = pool};

    return oas_string_expr(&setting, apr_psprintf(pool, "%%{reqenv:AUTHENTICATE_%s}", variable),
                           why);
}

/** A standard claim from the variable that authn providers export it as; or from what the attribute
 * of a directory is called. */
static const char *standard_claim(const oas_standard_claim_t *row, oas_claim_t *claim,
                                  apr_pool_t *pool)
{
    char *variable = apr_pstrdup(pool, row->name);
    const char *why = NULL;
    char *p;

    for (p = variable; *p != '\0'; p++) {
        *p = (char)apr_toupper(*p);
    }
    claim->name = row->name;
    claim->scope = row->scope;
    claim->type = row->type;
    claim->in = OAS_IN_DEFAULT;
    claim->ends = row->ends;
    claim->directory = NULL;
    claim->value = exported(variable, &why, pool);
    if (claim->value != NULL && row->attribute != NULL) {
        claim->directory = exported(row->attribute, &why, pool);
    }
    return why == NULL ? NULL
                       : apr_psprintf(pool, "default of OAuth2ASClaim %s: %s", row->name, why);
}

/** Adds the standard claims that the configuration does not define itself. */
static const char *default_claims(oas_server_config_t *config, apr_pool_t *pool)
{
    const apr_array_header_t *given = config->issuer.claims;
    apr_array_header_t *claims =
        given != NULL ? apr_array_copy(pool, given) : apr_array_make(pool, 20, sizeof(oas_claim_t));
    const oas_standard_claim_t *row;

    for (row = oas_standard_claims; row->name != NULL; row++) {
        if (!has_claim(claims, row->name)) {
            const char *why = standard_claim(row, apr_array_push(claims), pool);
            if (why != NULL) {
                return why;
            }
        }
    }
    config->issuer.claims = claims;
    return NULL;
}

/** "none" is a word of the directive, no provider. */
static void complete_providers(oas_issuer_t *issuer, apr_pool_t *pool)
{
    if (issuer->password_providers->nelts == 1 &&
        oas_words_has(issuer->password_providers, "none")) {
        issuer->password_providers = oas_words_create(pool);
    }
}

/** The password form comes first where no directive gives it a place. */
static void complete_login_options(oas_issuer_t *issuer, apr_pool_t *pool)
{
    const apr_array_header_t *given = issuer->login_options;
    oas_login_option_t *password;
    int i;

    issuer->login_options = apr_array_make(pool, 4, sizeof(oas_login_option_t));
    if (issuer->password_providers->nelts > 0 &&
        (given == NULL || !oas_login_option_in(given, OAS_OPTION_PASSWORD))) {
        password = apr_array_push(issuer->login_options);
        *password = (oas_login_option_t){
            .id = OAS_OPTION_PASSWORD, .reauth = 1, .amr = oas_words_create(pool)};
        oas_words_add(password->amr, "pwd");
    }
    for (i = 0; given != NULL && i < given->nelts; i++) {
        oas_login_option_t *option = apr_array_push(issuer->login_options);

        *option = APR_ARRAY_IDX(given, i, oas_login_option_t);
        if (option->path != NULL && option->url == NULL) {
            option->url = apr_pstrcat(pool, issuer->origin, option->path, NULL);
        }
    }
}

/** The endpoints that read a client's certificate. */
static int reads_certificate(int endpoint)
{
    return endpoint == OAS_EP_TOKEN || endpoint == OAS_EP_REVOKE || endpoint == OAS_EP_INTROSPECT ||
           endpoint == OAS_EP_USERINFO;
}

static const char *mtls_origin(const oas_issuer_t *issuer, apr_pool_t *pool)
{
    oas_uri_t uri;

    return issuer->mtls_url != NULL && oas_uri_parse(&uri, issuer->mtls_url, pool) == APR_SUCCESS
               ? oas_uri_origin(&uri, pool)
               : NULL;
}

/** Where an endpoint is when nobody says; "": it is not there. */
static const char *default_path(const oas_issuer_t *issuer, int endpoint)
{
    if (endpoint == OAS_EP_METRICS ||
        (endpoint == OAS_EP_V2LOGOUT && issuer->profile != OAS_PROFILE_AUTH0)) {
        return "";
    }
    return oas_endpoint_default_path(endpoint);
}

static void complete_endpoints(oas_issuer_t *issuer, apr_pool_t *pool)
{
    const char *mtls = mtls_origin(issuer, pool);
    int i;

    for (i = 0; i < OAS_EP_COUNT; i++) {
        const char *path = issuer->endpoint_paths[i];

        path = path != NULL ? path : default_path(issuer, i);
        if (*path == '\0') {
            issuer->endpoint_paths[i] = NULL;
            continue;
        }
        issuer->endpoint_paths[i] = apr_pstrcat(pool, issuer->path, path, NULL);
        issuer->endpoint_urls[i] =
            apr_pstrcat(pool, issuer->origin, issuer->endpoint_paths[i], NULL);
        if (mtls != NULL && reads_certificate(i)) {
            issuer->mtls_urls[i] = apr_pstrcat(pool, mtls, issuer->endpoint_paths[i], NULL);
        }
    }
}

const char *oas_complete_issuer(oas_server_config_t *config, apr_pool_t *pool)
{
    const char *why = oas_apply_presets(config, pool);

    if (why == NULL) {
        why = default_claims(config, pool);
    }
    if (why != NULL) {
        return why;
    }
    complete_endpoints(&config->issuer, pool);
    complete_providers(&config->issuer, pool);
    complete_login_options(&config->issuer, pool);
    complete_sections(config, pool);
    return NULL;
}

static void name_cookie(oas_issuer_t *issuer, apr_pool_t *pool)
{
    unsigned char hash[OAS_SHA256_LEN];

    oas_sha256(issuer->url, strlen(issuer->url), hash);
    issuer->cookie_name = apr_pstrcat(pool, issuer->cookie_secure ? "__Host-oas-" : "oas-",
                                      oas_hex_encode(pool, hash, 8), NULL);
}

apr_status_t oas_finish_issuer(oas_server_config_t *config, apr_pool_t *pool)
{
    int i;

    name_cookie(&config->issuer, pool);
    for (i = 0; i < config->clients->nelts; i++) {
        oas_client_t *client = &APR_ARRAY_IDX(config->clients, i, oas_client_config_t *)->client;
        unsigned char hash[OAS_SHA256_LEN];

        client->refresh_allowed = oas_refresh_allowed(&config->issuer, client, pool);
        client->config_json = oas_client_to_json(client, pool);
        if (client->refresh_allowed == NULL || client->config_json == NULL) {
            return APR_EGENERAL;
        }
        oas_sha256(client->config_json, strlen(client->config_json), hash);
        client->config_hash = oas_hex_encode(pool, hash, sizeof(hash));
    }
    return oas_issuer_finish(&config->issuer, pool);
}
