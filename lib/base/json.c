/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <string.h>
#include "json_plain.h"

static apr_status_t json_cleanup(void *baton)
{
    json_decref(baton);
    return APR_SUCCESS;
}

json_t *oas_json_own(apr_pool_t *pool, json_t *json)
{
    if (json != NULL) {
        apr_pool_cleanup_register(pool, json, json_cleanup, apr_pool_cleanup_null);
    }
    return json;
}

json_t *oas_json_object(apr_pool_t *pool)
{
    return oas_json_own(pool, json_object());
}

apr_status_t oas_json_parse(json_t **out, const char *text, apr_size_t len, apr_size_t max,
                            apr_pool_t *pool)
{
    json_error_t error;

    *out = NULL;
    if (len > max) {
        return APR_ENOSPC;
    }
    *out = oas_json_plain(text, len);
    if (*out == NULL) {
        *out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    }
    if (oas_json_own(pool, *out) == NULL) {
        return json_error_code(&error) == json_error_duplicate_key ? APR_EEXIST : APR_EINVAL;
    }
    return APR_SUCCESS;
}

/* 1 when there is no byte beyond ASCII, as in all tokens and most other texts. */
static int is_ascii(const char *text, apr_size_t len)
{
    const apr_uint64_t tops = ~APR_UINT64_C(0) / 255 << 7;
    apr_uint64_t word, seen = 0;
    apr_size_t i;

    for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, text + i, sizeof(word));
        seen |= word;
    }
    for (; i < len; i++) {
        seen |= (unsigned char)text[i];
    }
    return (seen & tops) == 0;
}

void oas_json_set(json_t *object, const char *name, const char *value)
{
    apr_size_t len = value != NULL ? strlen(value) : 0;

    if (value != NULL) {
        /* jansson looks at each character for UTF-8 */
        json_object_set_new_nocheck(object, name,
                                    is_ascii(value, len) ? json_stringn_nocheck(value, len)
                                                         : json_stringn(value, len));
    }
}

const char *oas_json_string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}
