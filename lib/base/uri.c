/* SPDX-License-Identifier: Apache-2.0 */
#include "uri.h"

#include <stdlib.h>
#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>

/* Visible ASCII without the characters RFC 3986 never allows, and only whole percent escapes. */
static int uri_chars_valid(const char *text)
{
    const char *p;

    for (p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL) {
            return 0;
        }
        if (c == '%' && !(apr_isxdigit(p[1]) && apr_isxdigit(p[2]))) {
            return 0;
        }
    }
    return 1;
}

static char *lower(apr_pool_t *pool, const char *start, apr_size_t len)
{
    char *copy = apr_pstrmemdup(pool, start, len);
    char *p;

    for (p = copy; *p != '\0'; p++) {
        *p = apr_tolower(*p);
    }
    return copy;
}

static int port_valid(const char *port)
{
    apr_size_t len = strlen(port);

    return len > 0 && len <= 5 && strspn(port, "0123456789") == len && port[0] != '0' &&
           strtol(port, NULL, 10) <= 65535;
}

static int host_valid(const char *host)
{
    apr_size_t len = strlen(host);

    if (host[0] == '[') {
        return len > 3 && host[len - 1] == ']' && strspn(host + 1, "0123456789abcdef:.") == len - 2;
    }
    return len > 0 && strpbrk(host, "[]:%@") == NULL;
}

/* authority = [ userinfo "@" ] host [ ":" port ] */
static apr_status_t parse_authority(oas_uri_t *out, const char *start, apr_size_t len,
                                    apr_pool_t *pool)
{
    char *authority = apr_pstrmemdup(pool, start, len);
    char *at = strrchr(authority, '@');
    char *host = authority;
    char *colon;

    if (at != NULL) {
        out->has_userinfo = 1;
        host = at + 1;
    }
    colon = strrchr(host, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        *colon = '\0';
        out->port = colon + 1;
        if (!port_valid(out->port)) {
            return APR_EINVAL;
        }
    }
    out->host = lower(pool, host, strlen(host));
    return host_valid(out->host) ? APR_SUCCESS : APR_EINVAL;
}

static apr_size_t scheme_length(const char *text)
{
    apr_size_t len = 0;

    if (!apr_isalpha(text[0])) {
        return 0;
    }
    while (apr_isalnum(text[len]) || (text[len] != '\0' && strchr("+-.", text[len]) != NULL)) {
        len++;
    }
    return text[len] == ':' ? len : 0;
}

apr_status_t oas_uri_parse(oas_uri_t *out, const char *text, apr_pool_t *pool)
{
    apr_size_t len = scheme_length(text);
    apr_status_t rv = APR_SUCCESS;
    const char *p;

    memset(out, 0, sizeof(*out));
    if (len == 0 || strlen(text) > OAS_URI_MAX || !uri_chars_valid(text)) {
        return APR_EINVAL;
    }
    out->scheme = lower(pool, text, len);
    p = text + len + 1;
    if (strncmp(p, "//", 2) == 0) {
        len = strcspn(p + 2, "/?#");
        rv = parse_authority(out, p + 2, len, pool);
        p += 2 + len;
    }
    len = strcspn(p, "?#");
    out->path = apr_pstrmemdup(pool, p, len);
    p += len;
    if (*p == '?') {
        len = strcspn(p + 1, "#");
        out->query = apr_pstrmemdup(pool, p + 1, len);
        p += 1 + len;
    }
    if (*p == '#') {
        out->fragment = apr_pstrdup(pool, p + 1);
    }
    return rv;
}

char *oas_uri_origin(const oas_uri_t *uri, apr_pool_t *pool)
{
    int is_default;

    if (uri->host == NULL || uri->host[0] == '\0') {
        return NULL;
    }
    is_default = uri->port == NULL ||
                 (strcmp(uri->scheme, "https") == 0 && strcmp(uri->port, "443") == 0) ||
                 (strcmp(uri->scheme, "http") == 0 && strcmp(uri->port, "80") == 0);
    return apr_pstrcat(pool, uri->scheme, "://", uri->host, is_default ? NULL : ":", uri->port,
                       NULL);
}

int oas_uri_loopback(const oas_uri_t *uri, int names)
{
    static const char suffix[] = ".localhost";
    apr_size_t len;

    if (uri->host == NULL) {
        return 0;
    }
    if (strcmp(uri->host, "127.0.0.1") == 0 || strcmp(uri->host, "[::1]") == 0) {
        return 1;
    }
    len = strlen(uri->host);
    return names && (strcmp(uri->host, "localhost") == 0 ||
                     (len > sizeof(suffix) - 1 &&
                      strcmp(uri->host + len - (sizeof(suffix) - 1), suffix) == 0));
}

/* The text of an http URI behind its port: "/path?query". Only called for parsed URIs with a host.
 */
static const char *behind_authority(const char *text)
{
    const char *p = strstr(text, "//") + 2;

    return p + strcspn(p, "/?#");
}

int oas_uri_fetchable(const char *text, apr_pool_t *pool)
{
    oas_uri_t uri;

    return oas_uri_parse(&uri, text, pool) == APR_SUCCESS && uri.host != NULL &&
           !uri.has_userinfo && uri.fragment == NULL &&
           (strcmp(uri.scheme, "https") == 0 ||
            (strcmp(uri.scheme, "http") == 0 && oas_uri_loopback(&uri, 1)));
}

int oas_redirect_uri_matches(const char *registered, const char *requested, int any_port,
                             apr_pool_t *pool)
{
    oas_uri_t reg;
    oas_uri_t req;

    if (strcmp(registered, requested) == 0) {
        return 1;
    }
    if (!any_port || oas_uri_parse(&reg, registered, pool) != APR_SUCCESS ||
        strcmp(reg.scheme, "http") != 0 || !oas_uri_loopback(&reg, 0)) {
        return 0;
    }
    /* the port alone may differ, so everything around it is compared as text */
    return oas_uri_parse(&req, requested, pool) == APR_SUCCESS &&
           strncmp(requested, "http://", 7) == 0 && req.has_userinfo == reg.has_userinfo &&
           req.host != NULL && strcmp(req.host, reg.host) == 0 &&
           strcmp(behind_authority(registered), behind_authority(requested)) == 0;
}

char *oas_uri_append(const char *uri, const char *encoded, int fragment, apr_pool_t *pool)
{
    const char *behind = fragment ? NULL : strchr(uri, '#');
    const char *separator;

    if (behind != NULL) {
        return apr_pstrcat(
            pool, oas_uri_append(apr_pstrmemdup(pool, uri, behind - uri), encoded, 0, pool), behind,
            NULL);
    }
    if (fragment) {
        separator = "#";
    } else if (strchr(uri, '?') == NULL) {
        separator = "?";
    } else {
        separator = uri[strlen(uri) - 1] == '?' || uri[strlen(uri) - 1] == '&' ? "" : "&";
    }
    return apr_pstrcat(pool, uri, separator, encoded, NULL);
}
