/* SPDX-License-Identifier: Apache-2.0 */
#include "members.h"

#include <string.h>
#include "bytes.h"
#include "json_text.h"

#define MEMBERS 16 /* what a token has, about */

oas_members_t *oas_members_create(apr_pool_t *pool)
{
    return apr_array_make(pool, MEMBERS, sizeof(oas_member_t));
}

static oas_member_t *find(const oas_members_t *members, const char *name)
{
    int i;

    for (i = 0; members != NULL && i < members->nelts; i++) {
        oas_member_t *member = OAS_MEMBER_AT(members, i);

        /* most differ in the first letter */
        if (member->name[0] == name[0] && strcmp(member->name, name) == 0) {
            return member;
        }
    }
    return NULL;
}

/* The place for a member: its own, or a new one. */
static oas_member_t *place(oas_members_t *members, const char *name, oas_member_kind_t kind)
{
    oas_member_t *member = find(members, name);

    if (member == NULL) {
        member = apr_array_push(members);
    }
    member->name = name;
    member->kind = kind;
    return member;
}

void oas_members_string(oas_members_t *members, const char *name, const char *value)
{
    apr_size_t len = value != NULL ? strlen(value) : 0;
    oas_member_t *member;

    if (value == NULL || !oas_utf8_valid(value, len)) {
        return;
    }
    member = place(members, name, OAS_MEMBER_STRING);
    member->value.string = value;
    member->len = len;
}

void oas_members_integer(oas_members_t *members, const char *name, apr_int64_t value)
{
    place(members, name, OAS_MEMBER_INTEGER)->value.integer = value;
}

void oas_members_boolean(oas_members_t *members, const char *name, int value)
{
    place(members, name, OAS_MEMBER_BOOLEAN)->value.integer = value;
}

void oas_members_words(oas_members_t *members, const char *name, const oas_words_t *value)
{
    if (value != NULL) {
        place(members, name, OAS_MEMBER_WORDS)->value.words = value;
    }
}

void oas_members_object(oas_members_t *members, const char *name, const oas_members_t *value)
{
    place(members, name, OAS_MEMBER_OBJECT)->value.object = value;
}

void oas_members_json(oas_members_t *members, const char *name, const json_t *value)
{
    if (value != NULL) {
        place(members, name, OAS_MEMBER_JSON)->value.json = value;
    }
}

void oas_members_update(oas_members_t *members, const json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        oas_members_json(members, name, value);
    }
}

void oas_members_add(oas_members_t *members, const oas_members_t *other)
{
    int i;

    for (i = 0; other != NULL && i < other->nelts; i++) {
        const oas_member_t *member = OAS_MEMBER_AT(other, i);

        *place(members, member->name, member->kind) = *member;
    }
}

int oas_members_has(const oas_members_t *members, const char *name)
{
    return find(members, name) != NULL;
}

const char *oas_members_get(const oas_members_t *members, const char *name)
{
    const oas_member_t *member = find(members, name);

    return member != NULL && member->kind == OAS_MEMBER_STRING ? member->value.string : NULL;
}

void oas_members_remove(oas_members_t *members, const char *name)
{
    oas_member_t *member = find(members, name);

    if (member != NULL) {
        oas_member_t *last = OAS_MEMBER_AT(members, members->nelts - 1);

        memmove(member, member + 1, (apr_size_t)(last - member) * sizeof(*member));
        members->nelts--;
    }
}

static void put_words(oas_json_text_t *text, const oas_words_t *words)
{
    int i;

    oas_json_put_char(text, '[');
    for (i = 0; i < words->nelts; i++) {
        if (i > 0) {
            oas_json_put_char(text, ',');
        }
        oas_json_put_string(text, OAS_WORD(words, i), strlen(OAS_WORD(words, i)));
    }
    oas_json_put_char(text, ']');
}

static void put_object(oas_json_text_t *text, const oas_members_t *members);

static void put_member(oas_json_text_t *text, const oas_member_t *member)
{
    oas_json_put_string(text, member->name, strlen(member->name));
    oas_json_put_char(text, ':');
    switch (member->kind) {
    case OAS_MEMBER_STRING:
        oas_json_put_string(text, member->value.string, member->len);
        break;
    case OAS_MEMBER_INTEGER:
        oas_json_put_integer(text, member->value.integer);
        break;
    case OAS_MEMBER_BOOLEAN:
        oas_json_put(text, member->value.integer ? "true" : "false", member->value.integer ? 4 : 5);
        break;
    case OAS_MEMBER_WORDS:
        put_words(text, member->value.words);
        break;
    case OAS_MEMBER_OBJECT:
        put_object(text, member->value.object);
        break;
    case OAS_MEMBER_JSON:
        oas_json_put_value(text, member->value.json);
        break;
    }
}

static void put_object(oas_json_text_t *text, const oas_members_t *members)
{
    int i;

    oas_json_put_char(text, '{');
    for (i = 0; i < members->nelts; i++) {
        if (i > 0) {
            oas_json_put_char(text, ',');
        }
        put_member(text, OAS_MEMBER_AT(members, i));
    }
    oas_json_put_char(text, '}');
}

char *oas_members_text(const oas_members_t *members)
{
    oas_json_text_t text = {.pool = members->pool};

    put_object(&text, members);
    return oas_json_text_end(&text);
}
