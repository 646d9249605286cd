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
#define OAS_MUSTACHE_MAX_STEPS                                                                     \
    1000000 /**< tags and texts of one rendering, repetitions counted                              \
             */

typedef struct oas_mustache oas_mustache_t;

/** Finds a partial by name, or returns NULL (which renders as nothing, by the specification). */
typedef const oas_mustache_t *(*oas_mustache_partial_t)(void *baton, const char *name);

/**
 * Compiles a template. Needs `text` during the call only.
 * @param why on error: "line: what", in `pool`
 * @return APR_EINVAL for an unclosed or mismatched tag or a malformed name, APR_ENOSPC beyond a
 * bound
 */
apr_status_t oas_mustache_compile(oas_mustache_t **out, const char *text, apr_size_t len,
                                  const char **why, apr_pool_t *pool);

/** A template that is `text` as it stands, whatever it contains; keeps no reference to `text`. */
oas_mustache_t *oas_mustache_literal(const char *text, apr_size_t len, apr_pool_t *pool);

/**
 * Looks every partial up that the template names. @param why on error: "line: what", in `pool`
 * @return APR_ENOENT when one is not found
 */
apr_status_t oas_mustache_check_partials(const oas_mustache_t *template,
                                         oas_mustache_partial_t partial, void *baton,
                                         const char **why, apr_pool_t *pool);

/**
 * Renders with `data`. Partials are looked up by `partial` (may be NULL).
 * False are: false, null, an absent name, an empty array and an empty string. Objects and arrays
 * as values render as nothing. The result is in `pool`, NUL-terminated behind `len` bytes.
 * @return APR_ENOSPC when depth, steps or output bounds are passed
 */
apr_status_t oas_mustache_render(const oas_mustache_t *template, const json_t *data,
                                 oas_mustache_partial_t partial, void *baton, const char **out,
                                 apr_size_t *len, apr_pool_t *pool);

/**
 * As oas_mustache_render; names that `data` does not have are looked for in `common` (may be NULL).
 * Neither is changed, not even its reference count, so several threads may share them.
 */
apr_status_t oas_mustache_render_with(const oas_mustache_t *template, const json_t *common,
                                      const json_t *data, oas_mustache_partial_t partial,
                                      void *baton, const char **out, apr_size_t *len,
                                      apr_pool_t *pool);

/** `text` with & < > " ' as character references: safe in text and in quoted attributes. */
const char *oas_html_escape(const char *text, apr_pool_t *pool);

#endif
