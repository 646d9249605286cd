/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/secret.h"
#include "../base/uri.h"
#include "../endpoint/endpoint.h"

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
