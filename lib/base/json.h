/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json.h
 * jansson objects tied to a pool, so that an early return never leaks.
 */
#ifndef OAS_BASE_JSON_H
#define OAS_BASE_JSON_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <jansson.h>

/** Releases `json` with the pool; returns it. NULL (out of memory) is passed through. */
json_t *oas_json_own(apr_pool_t *pool, json_t *json);

/** A new object owned by the pool. */
json_t *oas_json_object(apr_pool_t *pool);

/**
 * Parses one JSON text: invalid UTF-8, NUL characters and nesting beyond what jansson allows are
 * APR_EINVAL, a name that occurs twice in one object is APR_EEXIST, more than `max` bytes
 * APR_ENOSPC. Owned by the pool.
 */
apr_status_t oas_json_parse(json_t **out, const char *text, apr_size_t len, apr_size_t max,
                            apr_pool_t *pool);

/** Compact text of an object or an array in `pool`, byte for byte what jansson writes; NULL when it
 * is neither. No value may be its own descendant. */
char *oas_json_text(apr_pool_t *pool, const json_t *json);

/** Sets a string member, whose name is UTF-8; values that are NULL or no UTF-8 are left out. */
void oas_json_set(json_t *object, const char *name, const char *value);

/** The string member `name`, or NULL when absent or of another type. */
const char *oas_json_string(const json_t *object, const char *name);

#endif
