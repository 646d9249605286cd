/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_plain.h
 * A short way for JSON texts with nothing special in them, as tokens, rows and files of texts have.
 */
#ifndef OAS_BASE_JSON_PLAIN_H
#define OAS_BASE_JSON_PLAIN_H

#include <jansson.h>

/**
 * The value of an object or array of a few levels, with strings without escapes,
 * whole numbers of at most 18 digits, true, false and null. A new reference; NULL for whatever
 * else, right or wrong, names that occur twice included: jansson decides about that.
 */
json_t *oas_json_plain(const char *text, size_t len);

#endif
