/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <string.h>

const oas_name_bit_t oas_auth_method_names[] = {
    {"none", OAS_AUTH_NONE},
    {"client_secret_basic", OAS_AUTH_SECRET_BASIC},
    {"client_secret_post", OAS_AUTH_SECRET_POST},
    {"client_secret_jwt", OAS_AUTH_SECRET_JWT},
    {"private_key_jwt", OAS_AUTH_PRIVATE_KEY_JWT},
    {"tls_client_auth", OAS_AUTH_TLS},
    {"self_signed_tls_client_auth", OAS_AUTH_SELF_SIGNED_TLS},
    {NULL, 0}};

const oas_name_bit_t oas_grant_type_names[] = {
    {"authorization_code", OAS_GRANT_AUTHORIZATION_CODE},
    {"refresh_token", OAS_GRANT_REFRESH_TOKEN},
    {"client_credentials", OAS_GRANT_CLIENT_CREDENTIALS},
    {"password", OAS_GRANT_PASSWORD},
    {"http://auth0.com/oauth/grant-type/password-realm", OAS_GRANT_PASSWORD_REALM},
    {NULL, 0}};

const oas_name_bit_t oas_response_type_names[] = {
    {"code", OAS_RESPONSE_CODE},
    {"id_token", OAS_RESPONSE_ID_TOKEN},
    {"id_token token", OAS_RESPONSE_ID_TOKEN_TOKEN},
    {"code id_token", OAS_RESPONSE_CODE_ID_TOKEN},
    {"code token", OAS_RESPONSE_CODE_TOKEN},
    {"code id_token token", OAS_RESPONSE_CODE_ID_TOKEN_TOKEN},
    {NULL, 0}};

const char *const oas_lifetime_names[OAS_LIFETIME_COUNT] = {
    [OAS_LIFETIME_CODE] = "code",
    [OAS_LIFETIME_ACCESS_TOKEN] = "access-token",
    [OAS_LIFETIME_ID_TOKEN] = "id-token",
    [OAS_LIFETIME_REFRESH_TOKEN] = "refresh-token",
    [OAS_LIFETIME_REFRESH_TOKEN_IDLE] = "refresh-token-idle",
    [OAS_LIFETIME_SESSION] = "session",
    [OAS_LIFETIME_SESSION_IDLE] = "session-idle",
    [OAS_LIFETIME_JWKS] = "jwks"};

const char *const oas_dialect_names[] = {
    [OAS_DIALECT_RFC9068] = "rfc9068", [OAS_DIALECT_AUTH0] = "auth0", NULL};

const char *const oas_assertion_audience_names[] = {
    [OAS_ASSERTION_ANY] = "any", [OAS_ASSERTION_ISSUER] = "issuer", NULL};

const char *const oas_client_type_names[] = {[OAS_CLIENT_WEB] = "web",
                                             [OAS_CLIENT_SPA] = "spa",
                                             [OAS_CLIENT_NATIVE] = "native",
                                             [OAS_CLIENT_MACHINE] = "machine",
                                             NULL};

static const oas_scope_t oidc_scopes[] = {
    {"openid", "Know who you are"},      {"profile", "See your name and other profile details"},
    {"email", "See your email address"}, {"address", "See your postal address"},
    {"phone", "See your phone number"},  {"offline_access", "Keep this access while you are away"},
};

unsigned oas_name_bit(const oas_name_bit_t *table, const char *name)
{
    for (; table->name != NULL; table++) {
        if (strcmp(table->name, name) == 0) {
            return table->bit;
        }
    }
    return 0;
}

const oas_resource_t *oas_resource_find(const oas_issuer_t *issuer, const char *uri)
{
    return apr_hash_get(issuer->resources, uri, APR_HASH_KEY_STRING);
}

static const oas_scope_t *scope_find(const oas_scope_t *list, int count, const char *name)
{
    int i;

    for (i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

const oas_login_option_t *oas_login_option_in(const apr_array_header_t *options, const char *id)
{
    int i;

    for (i = 0; i < options->nelts; i++) {
        const oas_login_option_t *option = &APR_ARRAY_IDX(options, i, oas_login_option_t);
        if (strcmp(option->id, id) == 0) {
            return option;
        }
    }
    return NULL;
}

const oas_login_option_t *oas_login_option_find(const oas_issuer_t *issuer, const char *id)
{
    return issuer->login_options != NULL ? oas_login_option_in(issuer->login_options, id) : NULL;
}

int oas_acr_offered(const oas_issuer_t *issuer, const char *acr)
{
    const apr_array_header_t *options = issuer->login_options;
    int i;

    for (i = 0; options != NULL && i < options->nelts; i++) {
        const char *own = APR_ARRAY_IDX(options, i, oas_login_option_t).acr;
        if (own != NULL && strcmp(own, acr) == 0) {
            return 1;
        }
    }
    return 0;
}

const oas_scope_t *oas_scope_find(const oas_resource_t *resource, const char *name)
{
    return scope_find((const oas_scope_t *)resource->scopes->elts, resource->scopes->nelts, name);
}

int oas_oidc_scopes(const oas_scope_t **scopes)
{
    *scopes = oidc_scopes;
    return sizeof(oidc_scopes) / sizeof(oidc_scopes[0]);
}

const char *oas_oidc_scope_text(const char *name)
{
    const oas_scope_t *scope =
        scope_find(oidc_scopes, sizeof(oidc_scopes) / sizeof(oidc_scopes[0]), name);

    return scope != NULL ? scope->text : NULL;
}

static const oas_allow_t *allow_find(const oas_client_t *client, const char *uri)
{
    int i;

    for (i = 0; i < client->allow->nelts; i++) {
        const oas_allow_t *allow = &APR_ARRAY_IDX(client->allow, i, oas_allow_t);
        if (strcmp(allow->resource, uri) == 0) {
            return allow;
        }
    }
    return NULL;
}

int oas_client_allows(const oas_client_t *client, const oas_resource_t *resource, const char *scope)
{
    const oas_allow_t *allow = allow_find(client, resource->uri);

    return allow != NULL && oas_scope_find(resource, scope) != NULL &&
           (allow->all || oas_words_has(allow->scopes, scope));
}

int oas_client_may(const oas_client_t *client, const oas_resource_t *resource, const char *scope)
{
    return oas_oidc_scope_text(scope) != NULL ||
           (resource != NULL && oas_client_allows(client, resource, scope));
}

int oas_client_allows_resource(const oas_client_t *client, const char *uri)
{
    return allow_find(client, uri) != NULL;
}

const oas_claim_t *oas_claim_find(const oas_issuer_t *issuer, const char *name)
{
    int i;

    for (i = 0; i < issuer->claims->nelts; i++) {
        const oas_claim_t *claim = &APR_ARRAY_IDX(issuer->claims, i, oas_claim_t);
        if (strcmp(claim->name, name) == 0) {
            return claim;
        }
    }
    return NULL;
}

int oas_claim_requestable(const oas_claim_t *claim, const oas_client_t *client,
                          const oas_resource_t *resource)
{
    return (claim->in & (OAS_IN_ID_TOKEN | OAS_IN_USERINFO)) &&
           (claim->scope == NULL || oas_client_may(client, resource, claim->scope));
}

unsigned oas_issuer_grants(const oas_issuer_t *issuer)
{
    unsigned grants =
        OAS_GRANT_AUTHORIZATION_CODE | OAS_GRANT_REFRESH_TOKEN | OAS_GRANT_CLIENT_CREDENTIALS;

    if (issuer->profile == OAS_PROFILE_AUTH0) {
        grants |= OAS_GRANT_PASSWORD | OAS_GRANT_PASSWORD_REALM;
    }
    return grants;
}

int oas_client_confidential(const oas_client_t *client)
{
    return (client->auth_methods & OAS_AUTH_NONE) == 0;
}

int oas_client_id_valid(const char *client_id)
{
    const char *p = client_id;

    while (*p > 0x20 && *p < 0x7f && *p != '|') {
        p++;
    }
    return *p == '\0' && p > client_id && p - client_id <= OAS_CLIENT_ID_MAX;
}

int oas_client_tracked(const oas_client_t *client)
{
    return client->backchannel_logout_uri != NULL || client->frontchannel_logout_uri != NULL;
}

int oas_client_rotates(const oas_client_t *client)
{
    return client->rotation || !oas_client_confidential(client);
}

int oas_reuse_window_allowed(const oas_client_t *client, apr_interval_time_t window)
{
    return oas_client_confidential(client) || client->bound_tokens ||
           (window != OAS_WINDOW_UNTIL_USED && window <= OAS_WINDOW_BEARER_MAX);
}

apr_interval_time_t oas_reuse_window(const oas_issuer_t *issuer, const oas_client_t *client)
{
    apr_interval_time_t window =
        client->reuse_window != OAS_WINDOW_UNSET ? client->reuse_window : issuer->reuse_window;

    return oas_reuse_window_allowed(client, window) ? window : OAS_WINDOW_BEARER_MAX;
}

apr_interval_time_t oas_lifetime(const oas_issuer_t *issuer, const oas_client_t *client,
                                 const oas_resource_t *resource, oas_lifetime_t kind)
{
    if (client != NULL && client->lifetimes[kind] != OAS_LIFETIME_UNSET) {
        return client->lifetimes[kind];
    }
    if (kind == OAS_LIFETIME_ACCESS_TOKEN && resource != NULL &&
        resource->access_token_lifetime != OAS_LIFETIME_UNSET) {
        return resource->access_token_lifetime;
    }
    return issuer->lifetimes[kind];
}

static apr_interval_time_t longer(apr_interval_time_t a, apr_interval_time_t b)
{
    return a > b ? a : b;
}

apr_interval_time_t oas_longest_token(const oas_issuer_t *issuer)
{
    apr_interval_time_t longest = longer(issuer->lifetimes[OAS_LIFETIME_ACCESS_TOKEN],
                                         issuer->lifetimes[OAS_LIFETIME_ID_TOKEN]);
    apr_hash_index_t *hi;

    /* a lifetime that is not set is less than any other */
    for (hi = apr_hash_first(NULL, issuer->resources); hi != NULL; hi = apr_hash_next(hi)) {
        const oas_resource_t *resource = apr_hash_this_val(hi);
        longest = longer(longest, resource->access_token_lifetime);
    }
    for (hi = apr_hash_first(NULL, issuer->clients); hi != NULL; hi = apr_hash_next(hi)) {
        const oas_client_t *client = apr_hash_this_val(hi);
        longest = longer(longest, longer(client->lifetimes[OAS_LIFETIME_ACCESS_TOKEN],
                                         client->lifetimes[OAS_LIFETIME_ID_TOKEN]));
    }
    return longest;
}

const char *const oas_key_state_names[OAS_KEY_STATES] = {
    [OAS_KEY_ACTIVE] = "active", [OAS_KEY_NEXT] = "next", [OAS_KEY_RETIRED] = "retired"};

oas_key_state_t oas_key_state_find(const char *name)
{
    int state = 0;

    while (state < OAS_KEY_STATES && strcmp(oas_key_state_names[state], name) != 0) {
        state++;
    }
    return state;
}
