/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <apr_strings.h>
#include "../base/uri.h"
#include "../fetch/address.h"

#define HMAC_SECRET_MIN 32

/* How a client authenticates, and what it needs for that. */

/** @return 0 when the methods contradict each other or the type */
static int check_methods(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    const ap_directive_t *where = oas_place_of(&entry->block, OAS_D_CLIENT_AUTH, NULL);
    int faults = check->faults;

    if (!oas_client_confidential(client) && client->auth_methods != OAS_AUTH_NONE) {
        oas_complain(check, OAS_TAG(00320), where,
                     "client \"%s\": none cannot be combined with other methods",
                     client->client_id);
    } else if (oas_client_confidential(client) && client->type == OAS_CLIENT_SPA) {
        oas_complain(check, OAS_TAG(00321), where,
                     "client \"%s\": a spa cannot keep a secret; its method is none",
                     client->client_id);
    } else if (!oas_client_confidential(client) && client->type == OAS_CLIENT_MACHINE) {
        oas_complain(check, OAS_TAG(00350), where,
                     "client \"%s\": a machine acts for itself and has to authenticate",
                     client->client_id);
    }
    return check->faults == faults;
}

static void check_secrets(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    const ap_directive_t *where = oas_place_of(&entry->block, OAS_D_CLIENT_SECRET, NULL);
    int i;

    if (client->secrets->nelts == 0) {
        if (client->auth_methods & OAS_AUTH_ANY_SECRET) {
            oas_complain(check, OAS_TAG(00323), entry->block.section,
                         "client \"%s\" is confidential and needs an OAuth2ASClientSecret",
                         client->client_id);
        }
        return;
    }
    if (!oas_client_confidential(client)) {
        oas_complain(check, OAS_TAG(00322), where,
                     "client \"%s\" is public and cannot have a secret", client->client_id);
    } else if (!(client->auth_methods & OAS_AUTH_ANY_SECRET)) {
        oas_complain(check, OAS_TAG(00351), where,
                     "client \"%s\" has a secret, but no method in OAuth2ASClientAuth that uses it",
                     client->client_id);
    }
    for (i = 0; client->hmac_secrets != NULL && i < client->hmac_secrets->nelts; i++) {
        apr_size_t len = APR_ARRAY_IDX(client->hmac_secrets, i, oas_bytes_t).len;

        if (len == 0) {
            oas_complain(check, OAS_TAG(00352), where,
                         "client \"%s\": client_secret_jwt needs the secret itself (file:, env:, "
                         "exec:), not its hash",
                         client->client_id);
        } else if (len < HMAC_SECRET_MIN) {
            oas_complain(check, OAS_TAG(00375), where,
                         "client \"%s\": client_secret_jwt needs a secret of at least %d bytes "
                         "(RFC 7518 section 3.2)",
                         client->client_id, HMAC_SECRET_MIN);
        }
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

static void check_keys(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    int has_keys = client->jwks_json != NULL || client->jwks_uri != NULL;
    unsigned by_key = client->auth_methods & (OAS_AUTH_PRIVATE_KEY_JWT | OAS_AUTH_SELF_SIGNED_TLS);

    if (by_key && !has_keys) {
        oas_complain(check, OAS_TAG(00353), oas_place_of(&entry->block, OAS_D_CLIENT_AUTH, NULL),
                     "client \"%s\": %s needs OAuth2ASClientKeys", client->client_id,
                     by_key & OAS_AUTH_PRIVATE_KEY_JWT ? "private_key_jwt"
                                                       : "self_signed_tls_client_auth");
    } else if (has_keys && !by_key) {
        oas_complain(check, OAS_TAG(00354), oas_place_of(&entry->block, OAS_D_CLIENT_KEYS, NULL),
                     "client \"%s\" has keys, but no method in OAuth2ASClientAuth that uses them "
                     "(private_key_jwt, self_signed_tls_client_auth)",
                     client->client_id);
    }
}

static void check_certificate(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    const ap_directive_t *method = oas_place_of(&entry->block, OAS_D_CLIENT_AUTH, NULL);
    const ap_directive_t *rule = oas_place_of(&entry->block, OAS_D_CLIENT_CERTIFICATE, NULL);
    int named = client->certificate == OAS_CERTIFICATE_SUBJECT ||
                client->certificate == OAS_CERTIFICATE_SAN_DNS;
    unsigned by_tls = client->auth_methods & OAS_AUTH_ANY_TLS;

    if (by_tls == OAS_AUTH_ANY_TLS) {
        oas_complain(check, OAS_TAG(00355), method,
                     "client \"%s\": tls_client_auth and self_signed_tls_client_auth exclude each "
                     "other",
                     client->client_id);
    } else if (by_tls == OAS_AUTH_TLS && !named) {
        oas_complain(check, OAS_TAG(00356), method,
                     "client \"%s\": tls_client_auth needs OAuth2ASClientCertificate subject=DN or "
                     "san-dns=NAME",
                     client->client_id);
    } else if (by_tls == OAS_AUTH_SELF_SIGNED_TLS && named) {
        oas_complain(
            check, OAS_TAG(00357), rule,
            "client \"%s\": self_signed_tls_client_auth goes by OAuth2ASClientKeys, not by "
            "a name in the certificate",
            client->client_id);
    } else if (by_tls == 0 && client->certificate != OAS_CERTIFICATE_NONE) {
        oas_complain(check, OAS_TAG(00358), rule,
                     "client \"%s\" has a certificate rule, but neither tls_client_auth nor "
                     "self_signed_tls_client_auth in OAuth2ASClientAuth",
                     client->client_id);
    }
}

void oas_check_credentials(oas_check_t *check, const oas_client_config_t *entry)
{
    if (check_methods(check, entry)) {
        check_secrets(check, entry);
        check_keys(check, entry);
        check_keys_url(check, entry);
        check_certificate(check, entry);
    }
}
