/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file members.h
 * The members of a JSON object that is being put together to be written once: the claims of a
 * token, an answer, an audit line. All is in one pool, and there is nothing to release.
 *
 * A member that is set again keeps its place. Names are literals or live as long as the pool, and
 * so do values: nothing is copied.
 */
#ifndef OAS_BASE_MEMBERS_H
#define OAS_BASE_MEMBERS_H

#include <apr_tables.h>
#include <jansson.h>
#include "words.h"

/** An array of oas_member_t. */
typedef apr_array_header_t oas_members_t;

typedef enum {
    OAS_MEMBER_STRING,
    OAS_MEMBER_INTEGER,
    OAS_MEMBER_BOOLEAN,
    OAS_MEMBER_WORDS,
    OAS_MEMBER_OBJECT,
    OAS_MEMBER_JSON
} oas_member_kind_t;

typedef struct {
    const char *name;
    oas_member_kind_t kind;
    apr_size_t len; /**< of the string */
    union {
        const char *string;
        apr_int64_t integer; /**< also the boolean */
        const oas_words_t *words;
        const oas_members_t *object;
        const json_t *json;
    } value;
} oas_member_t;

/** The i-th member. */
#define OAS_MEMBER_AT(members, i) (&APR_ARRAY_IDX((members), (i), oas_member_t))

/** None yet. */
oas_members_t *oas_members_create(apr_pool_t *pool);

/** A string; a value that is NULL or no UTF-8 is left out. */
void oas_members_string(oas_members_t *members, const char *name, const char *value);

void oas_members_integer(oas_members_t *members, const char *name, apr_int64_t value);

void oas_members_boolean(oas_members_t *members, const char *name, int value);

/** An array of strings; NULL is left out. */
void oas_members_words(oas_members_t *members, const char *name, const oas_words_t *value);

/** An object in the object. */
void oas_members_object(oas_members_t *members, const char *name, const oas_members_t *value);

/** Any JSON value, which somebody else owns; NULL is left out. */
void oas_members_json(oas_members_t *members, const char *name, const json_t *value);

/** Each member of a JSON object. */
void oas_members_update(oas_members_t *members, const json_t *object);

/** Each member of other ones; NULL has none. */
void oas_members_add(oas_members_t *members, const oas_members_t *other);

/** 1 when there is one of this name. */
int oas_members_has(const oas_members_t *members, const char *name);

/** The string of this name, or NULL; NULL has none. */
const char *oas_members_get(const oas_members_t *members, const char *name);

void oas_members_remove(oas_members_t *members, const char *name);

/** The object as compact JSON in the members' pool; NULL when it cannot be written. */
char *oas_members_text(const oas_members_t *members);

#endif
