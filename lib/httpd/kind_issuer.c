/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <sys/stat.h>
#include <apr_strings.h>
#include "../base/secret.h"
#include "../base/uri.h"
#include "../endpoint/endpoint.h"
#include "../jose/keyset.h"

/** Nothing to take over: a virtual host is an issuer only by its own word. */
static void inherit_nothing(void *into, const void *base, apr_pool_t *pool)
{
}

/** NULL, or why the URL cannot name an issuer (OIDC Discovery 3, RFC 8414 section 2). */
static const char *issuer_fault(const oas_uri_t *uri)
{
    if (uri->host == NULL || uri->has_userinfo) {
        return "it needs a host and no user name";
    }
    if (uri->query != NULL || uri->fragment != NULL) {
        return "an issuer has neither query nor fragment";
    }
    if (strcmp(uri->scheme, "https") != 0 &&
        !(strcmp(uri->scheme, "http") == 0 && oas_uri_loopback(uri, 1))) {
        return "an issuer is https; http is allowed for localhost, 127.0.0.1 and [::1] only";
    }
    if (strchr(uri->path, '%') != NULL || strstr(uri->path, "//") != NULL ||
        strstr(uri->path, "/.") != NULL) {
        return "its path cannot have percent escapes, empty segments or dot segments";
    }
    return NULL;
}

static const char *set_issuer(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_issuer_t *issuer = setting->member;
    const char *why;
    oas_uri_t uri;
    char *path;
    apr_size_t len;

    if (oas_uri_parse(&uri, argv[0], setting->pool) != APR_SUCCESS) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is no valid URL", setting->row->name,
                            argv[0]);
    }
    why = issuer_fault(&uri);
    if (why != NULL) {
        return apr_psprintf(setting->pool, "%s %s: %s", setting->row->name, argv[0], why);
    }
    path = apr_pstrdup(setting->pool, uri.path);
    len = strlen(path);
    if (len > 0 && path[len - 1] == '/') {
        path[len - 1] = '\0';
    }
    issuer->url = apr_pstrdup(setting->pool, argv[0]);
    issuer->origin = oas_uri_origin(&uri, setting->pool);
    issuer->path = path;
    issuer->cookie_secure = strcmp(uri.scheme, "https") == 0;
    return NULL;
}
const oas_kind_t oas_kind_issuer = {set_issuer, inherit_nothing, NULL};

static const char *set_mutual_tls(oas_setting_t *setting, int argc, char *const argv[])
{
    apr_size_t len = strlen(argv[0]);
    oas_uri_t uri;

    if (oas_uri_parse(&uri, argv[0], setting->pool) != APR_SUCCESS || issuer_fault(&uri) != NULL ||
        strcmp(uri.scheme, "https") != 0) {
        return apr_psprintf(setting->pool,
                            "%s: \"%s\" is no https URL of a host, perhaps with a port and the "
                            "issuer's path",
                            setting->row->name, argv[0]);
    }
    *(const char **)setting->member =
        apr_pstrmemdup(setting->pool, argv[0], argv[0][len - 1] == '/' ? len - 1 : len);
    return NULL;
}
const oas_kind_t oas_kind_mutual_tls = {set_mutual_tls, NULL, NULL};

static const char *set_secrets(oas_setting_t *setting, int argc, char *const argv[])
{
    apr_array_header_t **secrets = setting->member;
    int i;

    if (*secrets == NULL) {
        *secrets = apr_array_make(setting->pool, 2, sizeof(oas_secret_t *));
    }
    for (i = 0; i < argc; i++) {
        oas_secret_t *secret;
        oas_bytes_t bytes;
        const char *why = oas_source_read(setting, argv[i], &bytes);

        if (why != NULL) {
            return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
        }
        if (oas_secret_create(&secret, bytes.data, bytes.len, setting->pool) != APR_SUCCESS) {
            return apr_psprintf(setting->pool,
                                "%s: %s has %" APR_SIZE_T_FMT " bytes; at least %d random ones are "
                                "needed (oauth2asctl secret generate)",
                                setting->row->name, argv[i], bytes.len, OAS_SECRET_MIN);
        }
        APR_ARRAY_PUSH(*secrets, oas_secret_t *) = secret;
    }
    return NULL;
}
const oas_kind_t oas_kind_secrets = {set_secrets, NULL, NULL};

/** What stands behind the store URI of an OAuth2ASKey. */
typedef struct {
    oas_key_state_t state;
    const oas_alg_t *alg;
} key_options_t;

static const char *parse_key_option(const char *text, key_options_t *out, apr_pool_t *pool)
{
    oas_key_state_t state = oas_key_state_find(text);

    if (strncmp(text, "alg=", 4) == 0) {
        out->alg = oas_alg_find(text + 4);
        return out->alg != NULL ? NULL
                                : apr_psprintf(pool,
                                               "\"%s\" is not available. Available: RS256, "
                                               "PS256, ES256, EdDSA",
                                               text + 4);
    }
    if (state != OAS_KEY_STATES) {
        out->state = state;
        return NULL;
    }
    return apr_psprintf(pool, "\"%s\" is none of active, next, retired, alg=ALG", text);
}

/** The path of a key file, or NULL for another kind of store URI. */
static const char *key_path(const char *uri, apr_pool_t *pool)
{
    oas_uri_t parts;

    if (strncmp(uri, "file:", 5) == 0) {
        return ap_server_root_relative(pool, strncmp(uri + 5, "///", 3) == 0 ? uri + 7 : uri + 5);
    }
    return oas_uri_parse(&parts, uri, pool) == APR_SUCCESS ? NULL
                                                           : ap_server_root_relative(pool, uri);
}

static const char *load_key(const char *uri, oas_jwk_t **out, apr_pool_t *pool)
{
    const char *path = key_path(uri, pool);
    const char *why = NULL;
    struct stat info;

    if (path != NULL && stat(path, &info) == 0 && (info.st_mode & (S_IROTH | S_IWOTH))) {
        return "everybody can read or write this key (chmod 600)";
    }
    if (oas_jwk_load(out, path != NULL ? path : uri, &why, pool) == APR_SUCCESS) {
        return NULL;
    }
    return why != NULL ? why : "it cannot be read";
}

static const char *set_keys(oas_setting_t *setting, int argc, char *const argv[])
{
    struct oas_keyset **keys = setting->member;
    key_options_t options = {OAS_KEY_ACTIVE, NULL};
    const char *why;
    oas_jwk_t *jwk;
    apr_status_t rv;
    int i;

    for (i = 1; i < argc; i++) {
        why = parse_key_option(argv[i], &options, setting->pool);
        if (why != NULL) {
            return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
        }
    }
    why = load_key(argv[0], &jwk, setting->pool);
    if (why != NULL) {
        return apr_psprintf(setting->pool, "%s %s: %s", setting->row->name, argv[0], why);
    }
    if (*keys == NULL) {
        *keys = oas_keyset_create(setting->pool);
    }
    options.alg = options.alg != NULL ? options.alg : oas_jwk_default_alg(jwk);
    rv = oas_keyset_add(*keys, jwk, options.alg, options.state);
    if (rv == APR_EEXIST) {
        return apr_psprintf(setting->pool,
                            "%s %s: there is an active key for %s already; call one of "
                            "them next or retired",
                            setting->row->name, argv[0], oas_alg_name(options.alg));
    }
    return rv == APR_SUCCESS ? NULL
                             : apr_psprintf(setting->pool, "%s %s: the key does not fit %s",
                                            setting->row->name, argv[0], oas_alg_name(options.alg));
}
const oas_kind_t oas_kind_keys = {set_keys, NULL, NULL};

static const char *endpoint_names(apr_pool_t *pool)
{
    const char *list = oas_endpoint_name(0);
    int i;

    for (i = 1; i < OAS_EP_COUNT; i++) {
        list = apr_pstrcat(pool, list, ", ", oas_endpoint_name(i), NULL);
    }
    return list;
}

static int is_endpoint_path(const char *path, apr_pool_t *pool)
{
    oas_uri_t uri;

    return path[0] == '/' && path[1] != '\0' && strpbrk(path, "%?#\\") == NULL &&
           strstr(path, "//") == NULL && strstr(path, "/.") != path + strlen(path) - 2 &&
           strstr(path, "/./") == NULL && strstr(path, "/../") == NULL &&
           oas_uri_parse(&uri, apr_pstrcat(pool, "https://localhost", path, NULL), pool) ==
               APR_SUCCESS;
}

static const char *set_endpoint(oas_setting_t *setting, int argc, char *const argv[])
{
    const char **paths = setting->member;
    int i = 0;

    while (i < OAS_EP_COUNT && strcmp(oas_endpoint_name(i), argv[0]) != 0) {
        i++;
    }
    if (i == OAS_EP_COUNT) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is not available. Available: %s",
                            setting->row->name, argv[0], endpoint_names(setting->pool));
    }
    if (strcmp(argv[1], "off") == 0) {
        if (i == OAS_EP_AUTHORIZE || i == OAS_EP_TOKEN || i == OAS_EP_JWKS) {
            return apr_psprintf(setting->pool, "%s: %s cannot be off", setting->row->name, argv[0]);
        }
        paths[i] = "";
        return NULL;
    }
    if (!is_endpoint_path(argv[1], setting->pool)) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is no plain path that begins with a slash",
                            setting->row->name, argv[1]);
    }
    paths[i] = apr_pstrdup(setting->pool, argv[1]);
    return NULL;
}

static void inherit_endpoints(void *into, const void *base, apr_pool_t *pool)
{
    const char **inner = into;
    const char *const *outer = base;
    int i;

    for (i = 0; i < OAS_EP_COUNT; i++) {
        inner[i] = inner[i] != NULL ? inner[i] : outer[i];
    }
}
const oas_kind_t oas_kind_endpoints = {set_endpoint, inherit_endpoints, NULL};

static const char *set_help_link(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_issuer_t *issuer = setting->member;
    oas_setting_t link = *setting;

    if (strcmp(argv[0], "forgot-password") == 0) {
        link.member = &issuer->help_forgot_password;
    } else if (strcmp(argv[0], "signup") == 0) {
        link.member = &issuer->help_signup;
    } else if (strcmp(argv[0], "help") == 0) {
        link.member = &issuer->help_help;
    } else {
        return apr_psprintf(setting->pool,
                            "%s: \"%s\" is not available. Available: "
                            "forgot-password, signup, help",
                            setting->row->name, argv[0]);
    }
    return (argv[1][0] == '/' ? &oas_kind_picture : &oas_kind_web_url)->set(&link, 1, argv + 1);
}

static void inherit_help_links(void *into, const void *base, apr_pool_t *pool)
{
    oas_issuer_t *inner = into;
    const oas_issuer_t *outer = base;

    if (inner->help_forgot_password == NULL) {
        inner->help_forgot_password = outer->help_forgot_password;
    }
    if (inner->help_signup == NULL) {
        inner->help_signup = outer->help_signup;
    }
    if (inner->help_help == NULL) {
        inner->help_help = outer->help_help;
    }
}
const oas_kind_t oas_kind_help_links = {set_help_link, inherit_help_links, NULL};
