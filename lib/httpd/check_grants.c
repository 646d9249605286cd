/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "../base/uri.h"
#include "../base/words.h"

/* What a client may ask for, and what becomes of its tokens. */

#define GRANTS_BY_PASSWORD (OAS_GRANT_PASSWORD | OAS_GRANT_PASSWORD_REALM)

#define RESPONSES_WITH_CODE                                                                        \
    (OAS_RESPONSE_CODE | OAS_RESPONSE_CODE_ID_TOKEN | OAS_RESPONSE_CODE_TOKEN |                    \
     OAS_RESPONSE_CODE_ID_TOKEN_TOKEN)

#define RESPONSES_WITH_TOKEN                                                                       \
    (OAS_RESPONSE_ID_TOKEN_TOKEN | OAS_RESPONSE_CODE_TOKEN | OAS_RESPONSE_CODE_ID_TOKEN_TOKEN)

/** About the grant types of a client; `text` goes on behind its name. */
static void complain_of_grants(oas_check_t *check, const char *tag,
                               const oas_client_config_t *entry, const char *text)
{
    oas_complain(check, tag, oas_place_of(&entry->block, OAS_D_GRANT_TYPES, NULL),
                 "client \"%s\": %s", entry->client.client_id, text);
}

static void check_machine(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;

    if (client->type == OAS_CLIENT_MACHINE && client->redirect_uris->nelts > 0) {
        oas_complain(check, OAS_TAG(00360), oas_place_of(&entry->block, OAS_D_REDIRECT_URI, NULL),
                     "client \"%s\": a machine has no browser to send anywhere; use type web",
                     client->client_id);
    } else if (client->type == OAS_CLIENT_MACHINE &&
               ((client->grant_types & OAS_GRANT_AUTHORIZATION_CODE) ||
                client->response_types != 0)) {
        oas_complain(
            check, OAS_TAG(00361),
            oas_place_of(&entry->block,
                         client->response_types != 0 ? OAS_D_RESPONSE_TYPES : OAS_D_GRANT_TYPES,
                         NULL),
            "client \"%s\": a machine cannot send users to sign in; use type web",
            client->client_id);
    }
}

static void check_client_credentials(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;

    if (!(client->grant_types & OAS_GRANT_CLIENT_CREDENTIALS)) {
        return;
    }
    if (client->allow->nelts == 0) {
        complain_of_grants(check, OAS_TAG(00362), entry,
                           "client_credentials needs an OAuth2ASAllow");
    }
    if (!oas_client_confidential(client) && client->type != OAS_CLIENT_MACHINE) {
        complain_of_grants(check, OAS_TAG(00363), entry,
                           "client_credentials is for confidential clients only (RFC 6749 "
                           "section 4.4)");
    }
}

static void check_password(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;

    if (!(client->grant_types & GRANTS_BY_PASSWORD)) {
        return;
    }
    if (check->config->issuer.profile == OAS_PROFILE_OAUTH21) {
        complain_of_grants(check, OAS_TAG(00364), entry,
                           "profile oauth21 has no grant type that takes passwords (RFC "
                           "9700 section 2.4)");
    } else if (!client->first_party || !oas_client_confidential(client)) {
        complain_of_grants(check, OAS_TAG(00365), entry,
                           "only a confidential client with OAuth2ASFirstParty on may see "
                           "passwords");
    }
}

static void check_responses(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    const ap_directive_t *where = oas_place_of(&entry->block, OAS_D_RESPONSE_TYPES, NULL);

    if (check->config->issuer.profile == OAS_PROFILE_OAUTH21 &&
        (client->response_types & RESPONSES_WITH_TOKEN)) {
        oas_complain(check, OAS_TAG(00366), where,
                     "client \"%s\": profile oauth21 puts no access token into the browser's "
                     "address (RFC 9700 section 2.1.2)",
                     client->client_id);
    } else if (client->bound_tokens && (client->response_types & RESPONSES_WITH_TOKEN)) {
        oas_complain(
            check, OAS_TAG(00376), where,
            "client \"%s\": access tokens from the browser are bound to no certificate, as "
            "OAuth2ASRequire mtls wants them",
            client->client_id);
    }
    if (client->type != OAS_CLIENT_MACHINE && (client->response_types & RESPONSES_WITH_CODE) &&
        !(client->grant_types & OAS_GRANT_AUTHORIZATION_CODE)) {
        oas_complain(check, OAS_TAG(00367), where,
                     "client \"%s\": a response type with code needs the grant type "
                     "authorization_code",
                     client->client_id);
    }
}

static void check_refresh(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    const ap_directive_t *own = entry->block.where[OAS_D_REFRESH_REUSE_WINDOW];
    apr_interval_time_t window =
        own != NULL ? client->reuse_window : check->config->issuer.reuse_window;

    if (!client->rotation && !oas_client_confidential(client)) {
        oas_complain(check, OAS_TAG(00368), oas_place_of(&entry->block, OAS_D_ROTATION, NULL),
                     "client \"%s\" is public; its refresh tokens are always single-use",
                     client->client_id);
    }
    if ((own == NULL && !(client->grant_types & OAS_GRANT_REFRESH_TOKEN)) ||
        oas_reuse_window_allowed(client, window)) {
        return;
    }
    oas_complain(
        check, OAS_TAG(00369),
        own != NULL ? own : oas_place_of(&check->config->block, OAS_D_REFRESH_REUSE_WINDOW, NULL),
        "client \"%s\" is public and its refresh tokens are bound to nothing: its reuse "
        "window is 60s at most, and not until-used",
        client->client_id);
}

/** The message goes to the origin of the redirect URI; that has to be one the client names. */
static void check_web_message(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;
    int i;

    if (!client->web_message || entry->block.where[OAS_D_WEB_MESSAGE] == NULL) {
        return;
    }
    for (i = 0; i < client->redirect_uris->nelts; i++) {
        const char *text = OAS_WORD(client->redirect_uris, i);
        const char *origin = NULL;
        oas_uri_t uri;

        if (oas_uri_parse(&uri, text, check->pool) == APR_SUCCESS) {
            origin = oas_uri_origin(&uri, check->pool);
        }
        if (origin == NULL || !oas_words_has(client->web_origins, origin)) {
            oas_complain(check, OAS_TAG(00370),
                         oas_place_of(&entry->block, OAS_D_REDIRECT_URI, text),
                         "client \"%s\" uses web_message, and the origin of \"%s\" is not in its "
                         "OAuth2ASWebOrigin",
                         client->client_id, text);
        }
    }
}

static void check_query_token(oas_check_t *check, const oas_client_config_t *entry)
{
    if (entry->client.query_token && check->config->issuer.profile != OAS_PROFILE_AUTH0) {
        oas_complain(check, OAS_TAG(00371), oas_place_of(&entry->block, OAS_D_QUERY_TOKEN, NULL),
                     "client \"%s\": access tokens in addresses are taken in profile auth0 only",
                     entry->client.client_id);
    }
}

static void check_forwarded_for(oas_check_t *check, const oas_client_config_t *entry)
{
    const oas_client_t *client = &entry->client;

    if (client->forwarded_for && (check->config->issuer.profile != OAS_PROFILE_AUTH0 ||
                                  !client->first_party || !oas_client_confidential(client))) {
        oas_complain(check, OAS_TAG(00453), oas_place_of(&entry->block, OAS_D_FORWARDED_FOR, NULL),
                     "client \"%s\": only in profile auth0 a confidential client with "
                     "OAuth2ASFirstParty on may say what its user's address is",
                     client->client_id);
    }
}

void oas_check_grants(oas_check_t *check, const oas_client_config_t *entry)
{
    check_machine(check, entry);
    check_client_credentials(check, entry);
    check_password(check, entry);
    check_responses(check, entry);
    check_refresh(check, entry);
    check_web_message(check, entry);
    check_query_token(check, entry);
    check_forwarded_for(check, entry);
}
