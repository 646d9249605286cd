/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "bytes.h"
#include "client_rules.h"
#include "uri.h"

/** 1 for a scheme, in any case, by which a browser would run or read something on the user's
 * machine. */
static int is_forbidden_scheme(const char *text)
{
    static const char *const forbidden[] = {"javascript:", "data:", "file:", "vbscript:", NULL};
    int i = 0;

    while (forbidden[i] != NULL && strncasecmp(text, forbidden[i], strlen(forbidden[i])) != 0) {
        i++;
    }
    return forbidden[i] != NULL;
}

const char *oas_redirect_uri_fault(const char *text, apr_pool_t *pool)
{
    oas_uri_t uri;

    if (is_forbidden_scheme(text)) {
        return "has a scheme that can run or read something in the browser";
    }
    if (oas_uri_parse(&uri, text, pool) != APR_SUCCESS) {
        return "is no valid absolute URI";
    }
    if (uri.fragment != NULL) {
        return "has a fragment (RFC 6749 section 3.1.2)";
    }
    if (uri.has_userinfo) {
        return "has a user name in it";
    }
    if (uri.host != NULL && strchr(uri.host, '*') != NULL) {
        return "has a wildcard; redirect URIs are compared exactly";
    }
    if (strcmp(uri.scheme, "http") != 0 && strcmp(uri.scheme, "https") != 0) {
        return NULL;
    }
    if (uri.host == NULL) {
        return "has no host";
    }
    return strcmp(uri.scheme, "https") == 0 || oas_uri_loopback(&uri, 1)
               ? NULL
               : "is http beyond this machine; use https";
}

static int is_web(const oas_uri_t *uri)
{
    return uri->host != NULL && !uri->has_userinfo &&
           (strcmp(uri->scheme, "https") == 0 || strcmp(uri->scheme, "http") == 0);
}

int oas_web_url_valid(const char *text, apr_pool_t *pool)
{
    oas_uri_t uri;

    return oas_uri_parse(&uri, text, pool) == APR_SUCCESS && is_web(&uri);
}

/** An absolute path on this host: "/x", but not "//host", with characters that a URI may have. */
static int is_local_path(const char *text, apr_pool_t *pool)
{
    oas_uri_t uri;

    return text[0] == '/' && text[1] != '/' && text[1] != '\\' &&
           oas_uri_parse(&uri, apr_pstrcat(pool, "https://localhost", text, NULL), pool) ==
               APR_SUCCESS;
}

int oas_picture_valid(const char *text, apr_pool_t *pool)
{
    oas_uri_t uri;

    return is_local_path(text, pool) ||
           (oas_uri_parse(&uri, text, pool) == APR_SUCCESS && is_web(&uri) &&
            (strcmp(uri.scheme, "https") == 0 || oas_uri_loopback(&uri, 1)));
}

int oas_text_valid(const char *text)
{
    apr_size_t len = strlen(text);
    const unsigned char *p = (const unsigned char *)text;

    while (*p >= 0x20 && *p != 0x7f) {
        p++;
    }
    return *p == '\0' && len > 0 && len <= OAS_TEXT_MAX && oas_utf8_valid(text, len);
}

const char *oas_origin_of(const char *text, apr_pool_t *pool)
{
    oas_uri_t uri;

    return oas_uri_parse(&uri, text, pool) == APR_SUCCESS ? oas_uri_origin(&uri, pool) : NULL;
}

oas_words_t *oas_client_origins(const oas_words_t *uris, apr_pool_t *pool)
{
    oas_words_t *origins = oas_words_create(pool);
    int i;

    for (i = 0; i < uris->nelts; i++) {
        const char *origin = oas_origin_of(OAS_WORD(uris, i), pool);
        if (origin != NULL) {
            oas_words_add(origins, origin);
        }
    }
    return origins;
}

int oas_dns_name_valid(const char *text)
{
    const char *p;

    for (p = text; *p != '\0'; p++) {
        if (!apr_isalnum(*p) && *p != '-' && (*p != '.' || p[1] == '.' || p == text)) {
            return 0;
        }
    }
    return *text != '\0' && strlen(text) <= 253;
}

#define MINUTE (60 * APR_USEC_PER_SEC)
#define DAY    (24 * 60 * MINUTE)
#define YEAR   (366 * DAY)

const oas_lifetime_range_t oas_lifetime_ranges[OAS_LIFETIME_COUNT] = {
    [OAS_LIFETIME_CODE] = {{APR_USEC_PER_SEC, 10 * MINUTE, "1s to 10min"}, 1},
    [OAS_LIFETIME_ACCESS_TOKEN] = {{APR_USEC_PER_SEC, 30 * DAY, "1s to 30d"}, 1},
    [OAS_LIFETIME_ID_TOKEN] = {{APR_USEC_PER_SEC, 30 * DAY, "1s to 30d"}, 1},
    [OAS_LIFETIME_REFRESH_TOKEN] = {{APR_USEC_PER_SEC, YEAR, "1s to 366d"}, 1},
    [OAS_LIFETIME_REFRESH_TOKEN_IDLE] = {{APR_USEC_PER_SEC, YEAR, "1s to 366d"}, 1},
    [OAS_LIFETIME_SESSION] = {{APR_USEC_PER_SEC, YEAR, "1s to 366d"}, 0},
    [OAS_LIFETIME_SESSION_IDLE] = {{APR_USEC_PER_SEC, YEAR, "1s to 366d"}, 0},
    [OAS_LIFETIME_JWKS] = {{APR_USEC_PER_SEC, DAY, "1s to 1d"}, 0},
};
