/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <apr_strings.h>
#include "../base/client_rules.h"
#include "../base/uri.h"
#include "../fetch/address.h"
#include "../issue/keyring.h"

static const oas_client_words_t words = {
    .methods = "OAuth2ASClientAuth",
    .a_secret = "an OAuth2ASClientSecret",
    .keys = "OAuth2ASClientKeys",
    .a_name_in_certificate = "OAuth2ASClientCertificate subject=DN or san-dns=NAME",
    .a_redirect_uri = "an OAuth2ASRedirectURI",
    .web_origins = "OAuth2ASWebOrigin",
    .an_api = "an OAuth2ASAllow",
    .first_party = "OAuth2ASFirstParty on",
    .bound = "OAuth2ASRequire mtls",
};

/** Which directive a fault is about; OAS_ABOUT_CLIENT is the section. */
static const oas_directive_id_t directives[OAS_ABOUT_COUNT] = {
    [OAS_ABOUT_METHODS] = OAS_D_CLIENT_AUTH,
    [OAS_ABOUT_SECRETS] = OAS_D_CLIENT_SECRET,
    [OAS_ABOUT_KEYS] = OAS_D_CLIENT_KEYS,
    [OAS_ABOUT_CERTIFICATE] = OAS_D_CLIENT_CERTIFICATE,
    [OAS_ABOUT_REDIRECT_URIS] = OAS_D_REDIRECT_URI,
    [OAS_ABOUT_POST_LOGOUT_URIS] = OAS_D_POST_LOGOUT_REDIRECT_URI,
    [OAS_ABOUT_BACKCHANNEL] = OAS_D_BACKCHANNEL_LOGOUT_URI,
    [OAS_ABOUT_FRONTCHANNEL] = OAS_D_FRONTCHANNEL_LOGOUT_URI,
    [OAS_ABOUT_ALLOW] = OAS_D_ALLOW,
    [OAS_ABOUT_GRANTS] = OAS_D_GRANT_TYPES,
    [OAS_ABOUT_RESPONSES] = OAS_D_RESPONSE_TYPES,
    [OAS_ABOUT_ROTATION] = OAS_D_ROTATION,
    [OAS_ABOUT_WINDOW] = OAS_D_REFRESH_REUSE_WINDOW,
    [OAS_ABOUT_ISSUERS_WINDOW] = OAS_D_REFRESH_REUSE_WINDOW,
    [OAS_ABOUT_REQUIRE] = OAS_D_REQUIRE,
    [OAS_ABOUT_QUERY_TOKEN] = OAS_D_QUERY_TOKEN,
    [OAS_ABOUT_FORWARDED_FOR] = OAS_D_FORWARDED_FOR,
};

/** What a rule is told to report to. */
typedef struct {
    oas_check_t *check;
    const oas_client_config_t *entry;
} reporter_t;

static const ap_directive_t *place_of(const reporter_t *reporter, const oas_client_fault_t *fault)
{
    const oas_block_t *own = &reporter->entry->block;

    if (fault->about == OAS_ABOUT_CLIENT) {
        return own->section;
    }
    return oas_place_of(fault->about == OAS_ABOUT_ISSUERS_WINDOW ? &reporter->check->config->block
                                                                 : own,
                        directives[fault->about], fault->value);
}

static void report(oas_client_check_t *rules, const oas_client_fault_t *fault)
{
    const reporter_t *reporter = rules->baton;

    (fault->advice ? oas_advise : oas_complain)(reporter->check, fault->tag,
                                                place_of(reporter, fault), "%s", fault->text);
}

static void check_rules(oas_check_t *check, const oas_client_config_t *entry)
{
    reporter_t reporter = {check, entry};
    oas_client_check_t rules = {.client = &entry->client,
                                .issuer = &check->config->issuer,
                                .words = &words,
                                .report = report,
                                .baton = &reporter,
                                .pool = check->pool,
                                .web_message_given = entry->block.where[OAS_D_WEB_MESSAGE] != NULL};

    oas_client_check(&rules);
}

static void check_pkce(oas_check_t *check, const oas_client_config_t *entry)
{
    if (entry->require.pkce < 0 && entry->client.require_pkce) {
        oas_complain(check, OAS_TAG(00324), oas_place_of(&entry->block, OAS_D_REQUIRE, NULL),
                     "client \"%s\": only a confidential client of type web can do without PKCE",
                     entry->client.client_id);
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

/** The address that a host is by its very name: a literal one, or this machine's. */
static int literal_address(const oas_uri_t *uri, struct sockaddr_storage *out, apr_pool_t *pool)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    apr_size_t len = strlen(uri->host);

    memset(out, 0, sizeof(*out));
    if (uri->host[0] == '[') {
        v6->sin6_family = AF_INET6;
        return inet_pton(AF_INET6, apr_pstrmemdup(pool, uri->host + 1, len - 2), &v6->sin6_addr) ==
               1;
    }
    v4->sin_family = AF_INET;
    return inet_pton(AF_INET, oas_uri_loopback(uri, 1) ? "127.0.0.1" : uri->host, &v4->sin_addr) ==
           1;
}

/** What the fetch would refuse each time (fetch/fetch.h), as far as the URL shows it. */
static void check_keys_url(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    const oas_issuer_t *issuer = &check->config->issuer;
    const ap_directive_t *where = oas_place_of(&entry->block, OAS_D_CLIENT_KEYS, NULL);
    struct sockaddr_storage storage;
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    oas_uri_t uri;

    if (client->jwks_uri == NULL ||
        oas_uri_parse(&uri, client->jwks_uri, check->pool) != APR_SUCCESS) {
        return;
    }
    if (issuer->cookie_secure && strcmp(uri.scheme, "https") != 0) {
        oas_complain(check, OAS_TAG(00373), where,
                     "client \"%s\": keys come by https, but for tests with an http issuer on "
                     "loopback",
                     client->client_id);
    } else if (literal_address(&uri, &storage, check->pool) && !oas_address_public(address) &&
               !oas_address_allowed(address, uri.host, issuer->outbound_allow)) {
        oas_complain(check, OAS_TAG(00374), where,
                     "client \"%s\": %s has no public address; OAuth2ASOutboundAllow can allow it",
                     client->client_id, uri.host);
    }
}

void oas_check_client(oas_check_t *check, const oas_client_config_t *entry)
{
    static void (*const checks[])(oas_check_t * check, const oas_client_config_t *entry) = {
        check_rules, check_keys_url, check_pkce, check_id_token_alg, check_sector};
    apr_size_t i;

    for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        checks[i](check, entry);
    }
}
