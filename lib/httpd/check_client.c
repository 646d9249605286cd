/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>
#include "../base/uri.h"
#include "../base/words.h"
#include "../issue/keyring.h"

static void check_pkce(oas_check_t *check, const oas_client_config_t *entry)
{
    if (entry->require.pkce < 0 && entry->client.require_pkce) {
        oas_complain(check, OAS_TAG(00324), oas_place_of(&entry->block, OAS_D_REQUIRE, NULL),
                     "client \"%s\": only a confidential client of type web can do without PKCE",
                     entry->client.client_id);
    }
}

/** Which schemes a redirect URI may have depends on the type (RFC 8252 section 7). */
static void check_redirect(oas_check_t *check, const oas_client_config_t *entry,
                           oas_directive_id_t row, const char *text)
{
    const oas_client_t *client = &entry->client;
    const ap_directive_t *where = oas_place_of(&entry->block, row, text);
    oas_uri_t uri;

    if (oas_uri_parse(&uri, text, check->pool) != APR_SUCCESS || strcmp(uri.scheme, "https") == 0 ||
        strcmp(uri.scheme, "http") == 0) {
        return;
    }
    if (client->type != OAS_CLIENT_NATIVE) {
        oas_complain(
            check, OAS_TAG(00325), where,
            "client \"%s\": \"%s\" has a scheme of its own, which only type native may have",
            client->client_id, text);
    } else if (strchr(uri.scheme, '.') == NULL) {
        oas_advise(
            check, OAS_TAG(00326), where,
            "client \"%s\": the scheme of \"%s\" has no dot; another application may have the "
            "same one (RFC 8252 section 7.1)",
            client->client_id, text);
    }
}

static void check_redirects(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_words_t *uris = entry->client.redirect_uris;
    int i;

    if (uris->nelts == 0 && entry->client.type != OAS_CLIENT_MACHINE &&
        entry->client.response_types != 0) {
        oas_complain(check, OAS_TAG(00327), entry->block.section,
                     "client \"%s\" needs an OAuth2ASRedirectURI", entry->client.client_id);
    }
    for (i = 0; i < uris->nelts; i++) {
        check_redirect(check, entry, OAS_D_REDIRECT_URI, OAS_WORD(uris, i));
    }
    uris = entry->client.post_logout_redirect_uris;
    for (i = 0; i < uris->nelts; i++) {
        check_redirect(check, entry, OAS_D_POST_LOGOUT_REDIRECT_URI, OAS_WORD(uris, i));
    }
}

static void check_allow(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    int i, k;

    for (i = 0; i < client->allow->nelts; i++) {
        const oas_allow_t *allow = &APR_ARRAY_IDX(client->allow, i, oas_allow_t);
        const oas_resource_t *resource = oas_resource_find(&check->config->issuer, allow->resource);

        if (resource == NULL) {
            oas_complain(check, OAS_TAG(00328),
                         oas_place_of(&entry->block, OAS_D_ALLOW, allow->resource),
                         "client \"%s\": there is no <OAuth2ASResource \"%s\">", client->client_id,
                         allow->resource);
            continue;
        }
        for (k = 0; k < allow->scopes->nelts; k++) {
            const char *scope = OAS_WORD(allow->scopes, k);
            if (oas_scope_find(resource, scope) == NULL) {
                oas_complain(check, OAS_TAG(00329), oas_place_of(&entry->block, OAS_D_ALLOW, scope),
                             "client \"%s\": API %s has no scope \"%s\"", client->client_id,
                             allow->resource, scope);
            }
        }
    }
}

static void check_id_token_alg(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_issuer_t *issuer = &check->config->issuer;
    const char *alg = entry->client.id_token_alg;

    if (oas_has_keys(issuer) && !oas_issuer_signs(issuer, alg)) {
        oas_complain(check, OAS_TAG(00330), oas_place_of(&entry->block, OAS_D_ID_TOKEN_ALG, NULL),
                     "client \"%s\" wants %s ID tokens%s, but there is no active key for it",
                     entry->client.client_id, alg,
                     entry->block.where[OAS_D_ID_TOKEN_ALG] == NULL ? " (the default)" : "");
    }
}

static void check_sector(oas_check_t *check, const oas_client_config_t *entry)
{
    if (entry->client.sector != NULL && *entry->client.sector == '\0') {
        oas_complain(check, OAS_TAG(00950), oas_place_of(&entry->block, OAS_D_SUBJECT_TYPE, NULL),
                     "client \"%s\": its redirect URIs do not have one host that could be the "
                     "sector of its pairwise subjects; name one (sector=HOST)",
                     entry->client.client_id);
    }
}

static void check_acr(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    const oas_words_t *values = client->required_acr;
    int i;

    for (i = 0; values != NULL && i < values->nelts; i++) {
        if (!oas_acr_offered(&check->config->issuer, OAS_WORD(values, i))) {
            oas_complain(check, OAS_TAG(00951), oas_place_of(&entry->block, OAS_D_REQUIRE, NULL),
                         "client \"%s\": no OAuth2ASLoginOption has acr=%s", client->client_id,
                         OAS_WORD(values, i));
        }
    }
    if (values != NULL && (client->grant_types & (OAS_GRANT_PASSWORD | OAS_GRANT_PASSWORD_REALM))) {
        oas_complain(
            check, OAS_TAG(00952), oas_place_of(&entry->block, OAS_D_REQUIRE, NULL),
            "client \"%s\": a password sent by the client itself reaches no acr; leave out "
            "that grant type or acr=",
            client->client_id);
    }
}

void oas_check_client(oas_check_t *check, const oas_client_config_t *entry)
{
    static void (*const checks[])(oas_check_t * check, const oas_client_config_t *entry) = {
        oas_check_credentials, check_pkce,   check_redirects, check_allow,     check_id_token_alg,
        oas_check_grants,      check_sector, check_acr,       oas_check_logout};
    apr_size_t i;

    for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        checks[i](check, entry);
    }
}
