/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mustache.h
 * A small Mustache engine: interpolation (always HTML-escaped unless {{{ }}} or {{& }}), sections,
 * inverted sections, partials, comments, delimiter changes. Templates are compiled once, at
 * start-up, and rendered by many threads.
 */
#ifndef OAS_REPLY_MUSTACHE_H
#define OAS_REPLY_MUSTACHE_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <jansson.h>

#define OAS_MUSTACHE_MAX_TEMPLATE 262144  /**< bytes of one template */
#define OAS_MUSTACHE_MAX_DEPTH    32      /**< nesting of sections and partials */
#define OAS_MUSTACHE_MAX_OUTPUT   1048576 /**< bytes of one page */

typedef struct oas_mustache oas_mustache_t;

/** Finds a partial by name, or returns NULL (which renders as nothing, by the specification). */
typedef const oas_mustache_t *(*oas_mustache_partial_t)(void *baton, const char *name);

/**
 * Compiles a template. @param why on error: what and on which line, in `pool`
 * @return APR_EINVAL for an unclosed or mismatched tag, APR_ENOSPC beyond a bound
 */
apr_status_t oas_mustache_compile(oas_mustache_t **out, const char *text, apr_size_t len,
                                  const char **why, apr_pool_t *pool);

/**
 * Renders with `data` (a JSON object). Partials are looked up by `partial` (may be NULL).
 * @return APR_ENOSPC when depth or output bounds are passed
 */
apr_status_t oas_mustache_render(const oas_mustache_t *template, const json_t *data,
                                 oas_mustache_partial_t partial, void *baton, const char **out,
                                 apr_size_t *len, apr_pool_t *pool);

#endif
