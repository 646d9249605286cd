/* SPDX-License-Identifier: Apache-2.0 */
#include "attributes.h"

#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <mod_auth.h>
#include "../base/json.h"
#include "../login/fold.h"

#define VALUE_MAX 1024 /* bytes; no spelling of a name that somebody types is longer */
#define SEVERAL   "; " /* what mod_authnz_ldap puts between the values of one attribute */

static int is_attribute(const char *name)
{
    return strncasecmp(name, AUTHN_PREFIX, strlen(AUTHN_PREFIX)) == 0;
}

void oas_attributes_forget(request_rec *r)
{
    const apr_array_header_t *list = apr_table_elts(r->subprocess_env);
    apr_array_header_t *names = apr_array_make(r->pool, 4, sizeof(const char *));
    int i;

    for (i = 0; i < list->nelts; i++) {
        const char *name = APR_ARRAY_IDX(list, i, apr_table_entry_t).key;
        if (is_attribute(name)) {
            APR_ARRAY_PUSH(names, const char *) = name;
        }
    }
    for (i = 0; i < names->nelts; i++) {
        apr_table_unset(r->subprocess_env, APR_ARRAY_IDX(names, i, const char *));
    }
}

/** One claim as text: strings as they are, anything else as JSON. */
static const char *claim_text(const json_t *value, apr_pool_t *pool)
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_boolean(value)) {
        return json_is_true(value) ? "true" : "false";
    }
    if (json_is_integer(value)) {
        return apr_psprintf(pool, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    }
    return json_is_object(value) || json_is_array(value) ? oas_json_text(pool, value) : NULL;
}

void oas_attributes_export(request_rec *r, const json_t *claims)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)claims, name, value)
    {
        char *variable = apr_pstrcat(r->pool, AUTHN_PREFIX, name, NULL);
        const char *text = claim_text(value, r->pool);
        char *p;

        for (p = variable; *p != '\0'; p++) {
            *p = apr_isalnum(*p) ? (char)apr_toupper(*p) : '_';
        }
        if (text != NULL) {
            apr_table_set(r->subprocess_env, variable, text);
        }
    }
}

/** The attribute that was exported first, or NULL. Tables keep their order. */
static const char *first_attribute(const request_rec *r)
{
    const apr_array_header_t *list = apr_table_elts(r->subprocess_env);
    int i;

    for (i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(list, i, apr_table_entry_t);
        if (is_attribute(entry->key)) {
            return entry->val;
        }
    }
    return NULL;
}

/** Without the blanks that a directory does not see (RFC 4518 section 2.6.1): around, and but one
 * inside. NULL when anything but visible ASCII is left, which has spellings without number. */
static const char *squeezed(const char *typed, apr_pool_t *pool)
{
    char *name = apr_pstrdup(pool, typed);
    char *out = name;

    for (; *typed != '\0'; typed++) {
        if ((unsigned char)*typed < ' ' || (unsigned char)*typed >= 0x7f) {
            return NULL;
        }
        if (*typed != ' ' || (out > name && typed[1] != ' ' && typed[1] != '\0')) {
            *out++ = *typed;
        }
    }
    *out = '\0';
    return name;
}

/** The search for the value that was typed. */
typedef struct {
    const char *typed, *folded;
    const char *found; /* the first that is a spelling of it */
    int exact;         /* somebody typed it so */
    int others;        /* there are other spellings of it */
    apr_pool_t *pool;
} choice_t;

static void judge(choice_t *choice, const char *value)
{
    if (choice->exact || strcmp(oas_fold_name(value, choice->pool), choice->folded) != 0) {
        return;
    }
    choice->exact = strcmp(value, choice->typed) == 0;
    choice->others |= choice->found != NULL && strcmp(value, choice->found) != 0;
    choice->found = value;
}

/** All that begins at `begin` and ends where a value may end. */
static void judge_from(choice_t *choice, const char *begin)
{
    const char *end = begin;

    while (end != NULL) {
        apr_size_t len;

        end = strstr(end, SEVERAL);
        len = end != NULL ? (apr_size_t)(end - begin) : strlen(begin);
        if (len > VALUE_MAX) {
            return;
        }
        judge(choice, apr_pstrmemdup(choice->pool, begin, len));
        end = end != NULL ? end + strlen(SEVERAL) : NULL;
    }
}

/**
 * The value that was typed, as the directory spells it. A value may itself have in it what stands
 * between two, so every run of parts may be one; the directory has found the typed one among them.
 */
static const char *one_of(const char *values, const char *typed, apr_pool_t *pool)
{
    choice_t choice = {.typed = typed, .folded = oas_fold_name(typed, pool), .pool = pool};
    const char *begin = values;

    while (begin != NULL) {
        judge_from(&choice, begin);
        begin = strstr(begin, SEVERAL);
        begin = begin != NULL ? begin + strlen(SEVERAL) : NULL;
    }
    return choice.exact || !choice.others ? choice.found : NULL;
}

const char *oas_attributes_ldap_name(request_rec *r, const char *typed)
{
    const char *name = first_attribute(r);

    if (r->user != NULL && *r->user != '\0' && strcmp(r->user, typed) != 0) {
        return r->user;
    }
    if (name == NULL || *name == '\0') {
        return squeezed(typed, r->pool);
    }
    return strstr(name, SEVERAL) == NULL ? name : one_of(name, typed, r->pool);
}
