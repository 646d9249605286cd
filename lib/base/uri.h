/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file uri.h
 * URIs: validity of what administrators register, origins, adding response parameters.
 */
#ifndef OAS_BASE_URI_H
#define OAS_BASE_URI_H

#include <apr_errno.h>
#include <apr_pools.h>

#define OAS_URI_MAX 2000 /**< longest URI we accept */

typedef struct {
    const char *scheme;   /**< lower case */
    const char *host;     /**< lower case, "[::1]" with its brackets, or NULL */
    const char *port;     /**< digits, or NULL */
    const char *path;     /**< "" or what follows the authority */
    const char *query;    /**< without '?', or NULL */
    const char *fragment; /**< without '#', or NULL */
    int has_userinfo;
} oas_uri_t;

/**
 * Splits an absolute URI (RFC 3986): visible ASCII only, at most OAS_URI_MAX bytes, valid percent
 * escapes, a port of 1-65535. APR_EINVAL otherwise.
 */
apr_status_t oas_uri_parse(oas_uri_t *out, const char *text, apr_pool_t *pool);

/** "scheme://host[:port]" with a default port left out, or NULL for a URI without host. */
char *oas_uri_origin(const oas_uri_t *uri, apr_pool_t *pool);

/** 1 for 127.0.0.1 and [::1]; with `names` also for localhost and names below it. */
int oas_uri_loopback(const oas_uri_t *uri, int names);

/** 1 for a URL that the server may fetch from as far as its form goes: https, or http on loopback;
 * with a host, without user name and fragment. */
int oas_uri_fetchable(const char *text, apr_pool_t *pool);

/**
 * 1 when `requested` is `registered`, octet by octet (RFC 9700 section 4.1.3). With `any_port`, a
 * registered http URI on a loopback address matches with whatever port (RFC 8252 section 7.3).
 */
int oas_redirect_uri_matches(const char *registered, const char *requested, int any_port,
                             apr_pool_t *pool);

/** `uri` with `encoded` ("a=b") added after '?' or '&' (before a fragment), or after '#' when
 * `fragment`. */
char *oas_uri_append(const char *uri, const char *encoded, int fragment, apr_pool_t *pool);

#endif
