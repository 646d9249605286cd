/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client_json.h
 * Between client_to_json.c and client_from_json.c: the members of a client's metadata that are
 * alike.
 */
#ifndef OAS_STORE_CLIENT_JSON_H
#define OAS_STORE_CLIENT_JSON_H

#include <stddef.h>
#include "../base/model.h"

/** Members that are plain strings. */
typedef struct {
    const char *name;
    apr_size_t offset;
    int required;
} oas_string_member_t;

/** Members that are arrays of URIs. */
typedef struct {
    const char *name;
    apr_size_t offset;
} oas_uris_member_t;

/** Members that are arrays of names, each a bit. */
typedef struct {
    const char *name;
    const oas_name_bit_t *table;
    apr_size_t offset;
} oas_bits_member_t;

/** Members that are true or false. */
typedef struct {
    const char *name;
    apr_size_t offset;
    int absent; /**< what an absent one means: the safer of the two */
} oas_flag_member_t;

/* each ends with a name of NULL */
extern const oas_string_member_t oas_client_strings[];
extern const oas_uris_member_t oas_client_uri_lists[];
extern const oas_bits_member_t oas_client_bit_sets[];
extern const oas_flag_member_t oas_client_flags[];

#define OAS_MEMBER(client, row, type) (*(type *)((char *)(client) + (row)->offset))

/** Methods that work only where the client is configured: its clear secret does not travel. */
#define OAS_AUTH_LOCAL OAS_AUTH_SECRET_JWT

#define OAS_UNTIL_USED "until-used"

#define OAS_CLIENT_METADATA_MAX 262144 /**< bytes of one client's metadata */

#endif
