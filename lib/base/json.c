/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

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
    *out = oas_json_own(pool, json_loadb(text, len, JSON_REJECT_DUPLICATES, &error));
    if (*out == NULL) {
        return json_error_code(&error) == json_error_duplicate_key ? APR_EEXIST : APR_EINVAL;
    }
    return APR_SUCCESS;
}

void oas_json_set(json_t *object, const char *name, const char *value)
{
    if (value != NULL) {
        json_object_set_new(object, name, json_string(value));
    }
}

const char *oas_json_string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}
