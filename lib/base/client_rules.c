/* SPDX-License-Identifier: Apache-2.0 */
#include "client_rules.h"

#include <stdarg.h>
#include <string.h>
#include <apr_strings.h>
#include "log.h"
#include "uri.h"

#define HMAC_SECRET_MIN 32

#define GRANTS_BY_PASSWORD (OAS_GRANT_PASSWORD | OAS_GRANT_PASSWORD_REALM)

#define RESPONSES_WITH_CODE                                                                        \
    (OAS_RESPONSE_CODE | OAS_RESPONSE_CODE_ID_TOKEN | OAS_RESPONSE_CODE_TOKEN |                    \
     OAS_RESPONSE_CODE_ID_TOKEN_TOKEN)

#define RESPONSES_WITH_TOKEN                                                                       \
    (OAS_RESPONSE_ID_TOKEN_TOKEN | OAS_RESPONSE_CODE_TOKEN | OAS_RESPONSE_CODE_ID_TOKEN_TOKEN)

typedef struct {
    const char *tag;
    oas_client_about_t about;
    const char *value;
    int advice;
} place_t;

/** `format` goes on behind the client's name. */
static __attribute__((format(printf, 3, 4))) void tell(oas_client_check_t *check, place_t place,
                                                       const char *format, ...)
{
    oas_client_fault_t fault = {
        .tag = place.tag, .about = place.about, .value = place.value, .advice = place.advice};
    va_list args;

    check->faults += !place.advice;
    if (check->report == NULL) {
        return;
    }
    va_start(args, format);
    fault.text = apr_pstrcat(check->pool, "client \"", check->client->client_id, "\"",
                             apr_pvsprintf(check->pool, format, args), NULL);
    va_end(args);
    check->report(check, &fault);
}

#define AT(tag, about)        ((place_t){tag, about, NULL, 0})
#define OF(tag, about, value) ((place_t){tag, about, value, 0})

static int profile_is(const oas_client_check_t *check, oas_profile_t profile)
{
    return check->issuer != NULL && check->issuer->profile == profile;
}

/* How it authenticates, and what it needs for that. */

static void check_methods(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;

    if (!oas_client_confidential(client) && client->auth_methods != OAS_AUTH_NONE) {
        tell(check, AT(OAS_TAG(00320), OAS_ABOUT_METHODS),
             ": none cannot be combined with other methods");
    } else if (!oas_client_confidential(client) && client->type == OAS_CLIENT_MACHINE) {
        tell(check, AT(OAS_TAG(00350), OAS_ABOUT_METHODS),
             ": a machine acts for itself and has to authenticate");
    }
}

static void check_spa(oas_client_check_t *check)
{
    if (oas_client_confidential(check->client) && check->client->type == OAS_CLIENT_SPA) {
        tell(check, AT(OAS_TAG(00321), OAS_ABOUT_METHODS),
             ": a spa cannot keep a secret; its method is none");
    }
}

static void check_hmac_secrets(oas_client_check_t *check)
{
    const apr_array_header_t *secrets = check->client->hmac_secrets;
    int i;

    for (i = 0; secrets != NULL && i < secrets->nelts; i++) {
        apr_size_t len = APR_ARRAY_IDX(secrets, i, oas_bytes_t).len;

        if (len == 0) {
            tell(check, AT(OAS_TAG(00352), OAS_ABOUT_SECRETS),
                 ": client_secret_jwt needs the secret itself (file:, env:, exec:), not its hash");
        } else if (len < HMAC_SECRET_MIN) {
            tell(check, AT(OAS_TAG(00375), OAS_ABOUT_SECRETS),
                 ": client_secret_jwt needs a secret of at least %d bytes (RFC 7518 section 3.2)",
                 HMAC_SECRET_MIN);
        }
    }
}

static void check_secrets(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;

    if (client->secrets->nelts == 0) {
        if (client->auth_methods & OAS_AUTH_ANY_SECRET) {
            tell(check, AT(OAS_TAG(00323), OAS_ABOUT_CLIENT), " is confidential and needs %s",
                 check->words->a_secret);
        }
        return;
    }
    if (!oas_client_confidential(client)) {
        tell(check, AT(OAS_TAG(00322), OAS_ABOUT_SECRETS), " is public and cannot have a secret");
    } else if (!(client->auth_methods & OAS_AUTH_ANY_SECRET)) {
        tell(check, AT(OAS_TAG(00351), OAS_ABOUT_SECRETS),
             " has a secret, but no method in %s that uses it", check->words->methods);
    }
    check_hmac_secrets(check);
}

static void check_keys(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;
    int has_keys = client->jwks_json != NULL || client->jwks_uri != NULL;
    unsigned by_key = client->auth_methods & (OAS_AUTH_PRIVATE_KEY_JWT | OAS_AUTH_SELF_SIGNED_TLS);

    if (by_key && !has_keys) {
        tell(check, AT(OAS_TAG(00353), OAS_ABOUT_METHODS), ": %s needs %s",
             by_key & OAS_AUTH_PRIVATE_KEY_JWT ? "private_key_jwt" : "self_signed_tls_client_auth",
             check->words->keys);
    } else if (has_keys && !by_key) {
        tell(check, AT(OAS_TAG(00354), OAS_ABOUT_KEYS),
             " has keys, but no method in %s that uses them (private_key_jwt, "
             "self_signed_tls_client_auth)",
             check->words->methods);
    }
}

/** 1 when the certificate is known by a name in it. */
static int has_name(const oas_client_t *client)
{
    return client->certificate == OAS_CERTIFICATE_SUBJECT ||
           client->certificate == OAS_CERTIFICATE_SAN_DNS;
}

static void check_certificate(oas_client_check_t *check)
{
    unsigned by_tls = check->client->auth_methods & OAS_AUTH_ANY_TLS;

    if (by_tls == OAS_AUTH_ANY_TLS) {
        tell(check, AT(OAS_TAG(00355), OAS_ABOUT_METHODS),
             ": tls_client_auth and self_signed_tls_client_auth exclude each other");
    } else if (by_tls == OAS_AUTH_TLS && !has_name(check->client)) {
        tell(check, AT(OAS_TAG(00356), OAS_ABOUT_METHODS), ": tls_client_auth needs %s",
             check->words->a_name_in_certificate);
    }
}

static void check_certificate_use(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;
    unsigned by_tls = client->auth_methods & OAS_AUTH_ANY_TLS;

    if (by_tls == OAS_AUTH_SELF_SIGNED_TLS && has_name(client)) {
        tell(check, AT(OAS_TAG(00357), OAS_ABOUT_CERTIFICATE),
             ": self_signed_tls_client_auth goes by %s, not by a name in the certificate",
             check->words->keys);
    } else if (by_tls == 0 && client->certificate != OAS_CERTIFICATE_NONE) {
        tell(check, AT(OAS_TAG(00358), OAS_ABOUT_CERTIFICATE),
             " has a certificate rule, but neither tls_client_auth nor "
             "self_signed_tls_client_auth in %s",
             check->words->methods);
    }
}

/* Where its users come from and go to. */

/** Which schemes a redirect URI may have depends on the type (RFC 8252 section 7). */
static void check_redirect(oas_client_check_t *check, oas_client_about_t about, const char *text)
{
    oas_uri_t uri;

    if (oas_uri_parse(&uri, text, check->pool) != APR_SUCCESS || strcmp(uri.scheme, "https") == 0 ||
        strcmp(uri.scheme, "http") == 0) {
        return;
    }
    if (check->client->type != OAS_CLIENT_NATIVE) {
        tell(check, OF(OAS_TAG(00325), about, text),
             ": \"%s\" has a scheme of its own, which only type native may have", text);
    } else if (strchr(uri.scheme, '.') == NULL) {
        tell(check, (place_t){OAS_TAG(00326), about, text, 1},
             ": the scheme of \"%s\" has no dot; another application may have the same one (RFC "
             "8252 section 7.1)",
             text);
    }
}

static void check_redirects(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;
    const oas_words_t *uris = client->redirect_uris;
    int i;

    if (uris->nelts == 0 && client->type != OAS_CLIENT_MACHINE && client->response_types != 0) {
        tell(check, AT(OAS_TAG(00327), OAS_ABOUT_CLIENT), " needs %s",
             check->words->a_redirect_uri);
    }
    for (i = 0; i < uris->nelts; i++) {
        check_redirect(check, OAS_ABOUT_REDIRECT_URIS, OAS_WORD(uris, i));
    }
    uris = client->post_logout_redirect_uris;
    for (i = 0; i < uris->nelts; i++) {
        check_redirect(check, OAS_ABOUT_POST_LOGOUT_URIS, OAS_WORD(uris, i));
    }
}

/** Front-Channel Logout 1.0 section 2: it is of the application that the user signed in to. */
static void check_frontchannel(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;
    const char *origin;
    int i;

    if (client->frontchannel_logout_uri == NULL) {
        return;
    }
    origin = oas_origin_of(client->frontchannel_logout_uri, check->pool);
    for (i = 0; origin != NULL && i < client->redirect_uris->nelts; i++) {
        const char *known = oas_origin_of(OAS_WORD(client->redirect_uris, i), check->pool);
        if (known != NULL && strcmp(known, origin) == 0) {
            return;
        }
    }
    tell(check, AT(OAS_TAG(00971), OAS_ABOUT_FRONTCHANNEL),
         ": none of its redirect URIs has the origin of \"%s\" (Front-Channel Logout section 2)",
         client->frontchannel_logout_uri);
}

/** A machine signs nobody in, and so nobody out. */
static void check_machine_logout(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;
    const struct {
        oas_client_about_t about;
        int given;
    } rows[] = {{OAS_ABOUT_POST_LOGOUT_URIS, client->post_logout_redirect_uris->nelts > 0},
                {OAS_ABOUT_BACKCHANNEL, client->backchannel_logout_uri != NULL},
                {OAS_ABOUT_FRONTCHANNEL, client->frontchannel_logout_uri != NULL}};
    apr_size_t i;

    for (i = 0; client->type == OAS_CLIENT_MACHINE && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].given) {
            tell(check, AT(OAS_TAG(00972), rows[i].about),
                 ": nobody signs in at a machine, so nobody signs out");
        }
    }
}

/* What it may ask for, and what becomes of its tokens. */

static void check_allow(oas_client_check_t *check)
{
    const apr_array_header_t *list = check->client->allow;
    int i, k;

    for (i = 0; check->issuer != NULL && i < list->nelts; i++) {
        const oas_allow_t *allow = &APR_ARRAY_IDX(list, i, oas_allow_t);
        const oas_resource_t *resource = oas_resource_find(check->issuer, allow->resource);

        if (resource == NULL) {
            tell(check, OF(OAS_TAG(00328), OAS_ABOUT_ALLOW, allow->resource),
                 ": there is no <OAuth2ASResource \"%s\">", allow->resource);
            continue;
        }
        for (k = 0; k < allow->scopes->nelts; k++) {
            const char *scope = OAS_WORD(allow->scopes, k);
            if (oas_scope_find(resource, scope) == NULL) {
                tell(check, OF(OAS_TAG(00329), OAS_ABOUT_ALLOW, scope),
                     ": API %s has no scope \"%s\"", allow->resource, scope);
            }
        }
    }
}

static void check_machine(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;

    if (client->type != OAS_CLIENT_MACHINE) {
        return;
    }
    if (client->redirect_uris->nelts > 0) {
        tell(check, AT(OAS_TAG(00360), OAS_ABOUT_REDIRECT_URIS),
             ": a machine has no browser to send anywhere; use type web");
    } else if ((client->grant_types & OAS_GRANT_AUTHORIZATION_CODE) ||
               client->response_types != 0) {
        tell(check,
             AT(OAS_TAG(00361),
                client->response_types != 0 ? OAS_ABOUT_RESPONSES : OAS_ABOUT_GRANTS),
             ": a machine cannot send users to sign in; use type web");
    }
}

static void check_own_tokens(oas_client_check_t *check)
{
    if ((check->client->grant_types & OAS_GRANT_CLIENT_CREDENTIALS) &&
        check->client->allow->nelts == 0) {
        tell(check, AT(OAS_TAG(00362), OAS_ABOUT_GRANTS), ": client_credentials needs %s",
             check->words->an_api);
    }
}

static void check_client_credentials(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;

    if ((client->grant_types & OAS_GRANT_CLIENT_CREDENTIALS) && !oas_client_confidential(client) &&
        client->type != OAS_CLIENT_MACHINE) {
        tell(check, AT(OAS_TAG(00363), OAS_ABOUT_GRANTS),
             ": client_credentials is for confidential clients only (RFC 6749 section 4.4)");
    }
}

static void check_password(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;

    if (!(client->grant_types & GRANTS_BY_PASSWORD)) {
        return;
    }
    if (profile_is(check, OAS_PROFILE_OAUTH21)) {
        tell(check, AT(OAS_TAG(00364), OAS_ABOUT_GRANTS),
             ": profile oauth21 has no grant type that takes passwords (RFC 9700 section 2.4)");
    } else if (!client->first_party || !oas_client_confidential(client)) {
        tell(check, AT(OAS_TAG(00365), OAS_ABOUT_GRANTS),
             ": only a confidential client with %s may see passwords", check->words->first_party);
    }
    if (client->required_acr != NULL) {
        tell(check, AT(OAS_TAG(00952), OAS_ABOUT_REQUIRE),
             ": a password sent by the client itself reaches no acr; leave out that grant type or "
             "acr=");
    }
}

static void check_responses(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;

    if (profile_is(check, OAS_PROFILE_OAUTH21) && (client->response_types & RESPONSES_WITH_TOKEN)) {
        tell(check, AT(OAS_TAG(00366), OAS_ABOUT_RESPONSES),
             ": profile oauth21 puts no access token into the browser's address (RFC 9700 section "
             "2.1.2)");
    } else if (client->bound_tokens && (client->response_types & RESPONSES_WITH_TOKEN)) {
        tell(check, AT(OAS_TAG(00376), OAS_ABOUT_RESPONSES),
             ": access tokens from the browser are bound to no certificate, as %s wants them",
             check->words->bound);
    }
    if (client->type != OAS_CLIENT_MACHINE && (client->response_types & RESPONSES_WITH_CODE) &&
        !(client->grant_types & OAS_GRANT_AUTHORIZATION_CODE)) {
        tell(check, AT(OAS_TAG(00367), OAS_ABOUT_RESPONSES),
             ": a response type with code needs the grant type authorization_code");
    }
}

static void check_refresh(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;
    int own = client->reuse_window != OAS_WINDOW_UNSET;

    if (!client->rotation && !oas_client_confidential(client)) {
        tell(check, AT(OAS_TAG(00368), OAS_ABOUT_ROTATION),
             " is public; its refresh tokens are always single-use");
    }
    if (!own && (check->issuer == NULL || !(client->grant_types & OAS_GRANT_REFRESH_TOKEN))) {
        return;
    }
    if (!oas_reuse_window_allowed(client,
                                  own ? client->reuse_window : check->issuer->reuse_window)) {
        tell(check, AT(OAS_TAG(00369), own ? OAS_ABOUT_WINDOW : OAS_ABOUT_ISSUERS_WINDOW),
             " is public and its refresh tokens are bound to nothing: its reuse window is 60s at "
             "most, and not until-used");
    }
}

static void check_acr(oas_client_check_t *check)
{
    const oas_words_t *values = check->client->required_acr;
    int i;

    for (i = 0; check->issuer != NULL && values != NULL && i < values->nelts; i++) {
        if (!oas_acr_offered(check->issuer, OAS_WORD(values, i))) {
            tell(check, AT(OAS_TAG(00951), OAS_ABOUT_REQUIRE),
                 ": no OAuth2ASLoginOption has acr=%s", OAS_WORD(values, i));
        }
    }
}

/** The message goes to the origin of the redirect URI; that has to be one the client names. */
static void check_web_message(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;
    int i;

    for (i = 0; client->web_message && check->web_message_given && i < client->redirect_uris->nelts;
         i++) {
        const char *text = OAS_WORD(client->redirect_uris, i);
        const char *origin = oas_origin_of(text, check->pool);

        if (origin == NULL || !oas_words_has(client->web_origins, origin)) {
            tell(check, OF(OAS_TAG(00370), OAS_ABOUT_REDIRECT_URIS, text),
                 " uses web_message, and the origin of \"%s\" is not in its %s", text,
                 check->words->web_origins);
        }
    }
}

static void check_query_token(oas_client_check_t *check)
{
    if (check->client->query_token && profile_is(check, OAS_PROFILE_OAUTH21)) {
        tell(check, AT(OAS_TAG(00371), OAS_ABOUT_QUERY_TOKEN),
             ": access tokens in addresses are taken in profile auth0 only");
    }
}

static void check_forwarded_for(oas_client_check_t *check)
{
    const oas_client_t *client = check->client;

    if (client->forwarded_for && (profile_is(check, OAS_PROFILE_OAUTH21) || !client->first_party ||
                                  !oas_client_confidential(client))) {
        tell(check, AT(OAS_TAG(00453), OAS_ABOUT_FORWARDED_FOR),
             ": only in profile auth0 a confidential client with %s may say what its user's "
             "address is",
             check->words->first_party);
    }
}

static const struct {
    void (*check)(oas_client_check_t *check);
    int relied_on;  /**< 1: no request looks at it again */
    int of_methods; /**< 1: says nothing where the methods contradict each other */
} rules[] = {
    {check_methods, 1, 0},
    {check_spa, 0, 1},
    {check_secrets, 0, 1},
    {check_keys, 0, 1},
    {check_certificate, 1, 1},
    {check_certificate_use, 0, 1},
    {check_redirects, 0, 0},
    {check_allow, 0, 0},
    {check_machine, 0, 0},
    {check_own_tokens, 0, 0},
    {check_client_credentials, 1, 0},
    {check_password, 1, 0},
    {check_responses, 0, 0},
    {check_refresh, 0, 0},
    {check_web_message, 0, 0},
    {check_query_token, 0, 0},
    {check_forwarded_for, 1, 0},
    {check_acr, 0, 0},
    {check_machine_logout, 0, 0},
    {check_frontchannel, 0, 0},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static int apply(oas_client_check_t *check, int only_relied_on)
{
    int methods_faulty = 0;
    apr_size_t i;

    check->faults = 0;
    for (i = 0; i < RULES; i++) {
        if ((!only_relied_on || rules[i].relied_on) && !(rules[i].of_methods && methods_faulty)) {
            rules[i].check(check);
        }
        methods_faulty |= i < 2 && check->faults > 0;
    }
    return check->faults;
}

int oas_client_check(oas_client_check_t *check)
{
    return apply(check, 0);
}

int oas_client_sound(const oas_client_t *client, apr_pool_t *pool)
{
    static const oas_client_words_t no_words = {.methods = NULL};
    oas_client_check_t check = {.client = client, .words = &no_words, .pool = pool};

    return apply(&check, 1) == 0;
}

static const struct {
    unsigned auth_methods, grant_types, response_types;
} by_type[] = {
    [OAS_CLIENT_WEB] = {OAS_AUTH_SECRET_BASIC | OAS_AUTH_SECRET_POST,
                        OAS_GRANT_AUTHORIZATION_CODE | OAS_GRANT_REFRESH_TOKEN, OAS_RESPONSE_CODE},
    [OAS_CLIENT_SPA] = {OAS_AUTH_NONE, OAS_GRANT_AUTHORIZATION_CODE | OAS_GRANT_REFRESH_TOKEN,
                        OAS_RESPONSE_CODE},
    [OAS_CLIENT_NATIVE] = {OAS_AUTH_NONE, OAS_GRANT_AUTHORIZATION_CODE | OAS_GRANT_REFRESH_TOKEN,
                           OAS_RESPONSE_CODE},
    [OAS_CLIENT_MACHINE] = {OAS_AUTH_SECRET_BASIC | OAS_AUTH_SECRET_POST,
                            OAS_GRANT_CLIENT_CREDENTIALS, 0},
};

void oas_client_complete(oas_client_t *client)
{
    if (client->name == NULL) {
        client->name = client->client_id;
    }
    if (client->auth_methods == 0) {
        client->auth_methods = by_type[client->type].auth_methods;
    }
    if (client->grant_types == 0) {
        client->grant_types = by_type[client->type].grant_types;
    }
    if (client->response_types == 0 && (client->grant_types & OAS_GRANT_AUTHORIZATION_CODE)) {
        client->response_types = by_type[client->type].response_types;
    }
    if (client->id_token_alg == NULL) {
        client->id_token_alg = "RS256"; /* OIDC Core 2 and 15.1 */
    }
    if (client->certificate == OAS_CERTIFICATE_NONE &&
        (client->auth_methods & OAS_AUTH_SELF_SIGNED_TLS)) {
        client->certificate = OAS_CERTIFICATE_SELF_SIGNED;
    }
}

const char *oas_client_host(const oas_words_t *uris, apr_pool_t *pool)
{
    const char *host = "";
    int i;

    for (i = 0; i < uris->nelts; i++) {
        oas_uri_t uri;

        if (oas_uri_parse(&uri, OAS_WORD(uris, i), pool) != APR_SUCCESS || uri.host == NULL ||
            (*host != '\0' && strcmp(host, uri.host) != 0)) {
            return "";
        }
        host = uri.host;
    }
    return host;
}
