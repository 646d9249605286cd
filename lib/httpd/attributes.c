/* SPDX-License-Identifier: Apache-2.0 */
#include "attributes.h"

#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <mod_auth.h>
#include "../base/json.h"

#define SEVERAL "; " /* what mod_authnz_ldap puts between the values of one attribute */

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
 * inside. */
static const char *squeezed(const char *typed, apr_pool_t *pool)
{
    char *name = apr_pstrdup(pool, typed);
    char *out = name;

    while (*typed != '\0') {
        if (*typed != ' ' || (out > name && typed[1] != ' ' && typed[1] != '\0')) {
            *out++ = *typed;
        }
        typed++;
    }
    *out = '\0';
    return name;
}

const char *oas_attributes_ldap_name(request_rec *r, const char *typed)
{
    const char *name = first_attribute(r);

    if (r->user != NULL && *r->user != '\0' && strcmp(r->user, typed) != 0) {
        return r->user;
    }
    return name != NULL && *name != '\0' && strstr(name, SEVERAL) == NULL
               ? name
               : squeezed(typed, r->pool);
}
