/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file params.h
 * Request parameters: application/x-www-form-urlencoded in and out (RFC 6749 appendix B).
 */
#ifndef OAS_BASE_PARAMS_H
#define OAS_BASE_PARAMS_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "bytes.h"

#define OAS_PARAMS_MAX     200   /**< parameters in one request; more are refused */
#define OAS_PARAMS_MAX_LEN 65536 /**< bytes of one body or query; more are refused */

typedef struct {
    const char *name;
    const char *value;
} oas_param_t;

/** Parameters in the order they came, repeated ones included. */
typedef struct {
    apr_array_header_t *list; /**< of oas_param_t */
} oas_params_t;

/** An empty list in `pool`. */
oas_params_t *oas_params_create(apr_pool_t *pool);

/**
 * Decodes a query or a form body.
 * @param data may be NULL when len is 0; is not changed
 * @return APR_SUCCESS; APR_EINVAL for a malformed percent escape, a NUL byte or invalid UTF-8;
 *         APR_ENOSPC for more than OAS_PARAMS_MAX parameters or OAS_PARAMS_MAX_LEN bytes.
 * Parameters without a value count as absent (RFC 6749 section 3.1) but still count as repeated.
 */
apr_status_t oas_params_parse(oas_params_t **out, const char *data, apr_size_t len,
                              apr_pool_t *pool);

/** The first non-empty value of `name`, or NULL. */
const char *oas_params_get(const oas_params_t *params, const char *name);

/** How often `name` occurs, empty values included. */
int oas_params_count(const oas_params_t *params, const char *name);

/** Appends one parameter; the strings are not copied. */
void oas_params_add(oas_params_t *params, const char *name, const char *value);

/** "a=b&c=d", percent-encoded, in `pool`. */
char *oas_params_encode(const oas_params_t *params, apr_pool_t *pool);

/** One value percent-encoded (everything outside RFC 3986 unreserved), in `pool`. */
char *oas_percent_encode(apr_pool_t *pool, const char *text);

/**
 * Percent-decodes `len` bytes. `plus` makes '+' a space (forms do, paths do not).
 * APR_EINVAL for a malformed escape, a NUL byte or invalid UTF-8. The result is NUL-terminated.
 */
apr_status_t oas_percent_decode(apr_pool_t *pool, const char *text, apr_size_t len, int plus,
                                char **out);

#endif
