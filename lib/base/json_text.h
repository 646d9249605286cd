/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_text.h
 * JSON texts written piece by piece into a pool (RFC 8259), compact, byte for byte what jansson
 * writes.
 */
#ifndef OAS_BASE_JSON_TEXT_H
#define OAS_BASE_JSON_TEXT_H

#include <apr_pools.h>
#include <jansson.h>

/** A text under way; to begin with all is 0 but the pool. `len` bytes of `size` are written. */
typedef struct {
    apr_pool_t *pool;
    char *data;
    apr_size_t len, size;
    int failed; /**< 1: a number could not be written */
} oas_json_text_t;

/** How many octets from the first on stand in a string as they are: none of them is a control
 * character, a quote or a backslash. */
apr_size_t oas_json_plain_run(const char *string, apr_size_t len);

/** Octets as they are. */
void oas_json_put(oas_json_text_t *text, const char *data, apr_size_t len);
void oas_json_put_char(oas_json_text_t *text, char c);

/** A string, which is UTF-8, in quotes. */
void oas_json_put_string(oas_json_text_t *text, const char *string, apr_size_t len);

void oas_json_put_integer(oas_json_text_t *text, json_int_t number);

/** Any value. None may be its own descendant. */
void oas_json_put_value(oas_json_text_t *text, const json_t *json);

/** The text, which ends with a NUL; NULL when it failed. */
char *oas_json_text_end(oas_json_text_t *text);

#endif
