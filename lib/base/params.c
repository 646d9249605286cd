/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"

#include <string.h>
#include <apr_lib.h>
#include <openssl/crypto.h>

oas_params_t *oas_params_create(apr_pool_t *pool)
{
    oas_params_t *params = apr_palloc(pool, sizeof(*params));

    params->list = apr_array_make(pool, 16, sizeof(oas_param_t));
    return params;
}

/* The next `c` from `at` on, or the end. `known`: the one that was found last. */
static const char *next(const char *known, const char *at, const char *end, char c)
{
    if (known == NULL || known < at) {
        known = memchr(at, c, end - at);
    }
    return known != NULL ? known : end;
}

apr_status_t oas_percent_decode(apr_pool_t *pool, const char *text, apr_size_t len, int plus,
                                char **out)
{
    char *decoded = apr_palloc(pool, len + 1);
    char *p = decoded;
    const char *at = text, *end = text + len;
    const char *percent = next(NULL, at, end, '%'), *blank = plus ? next(NULL, at, end, '+') : end;

    for (;;) {
        const char *special = percent < blank ? percent : blank;
        int high, low;

        memcpy(p, at, special - at);
        p += special - at;
        if (special == end) {
            break;
        }
        at = special + 1;
        if (special == blank) {
            *p++ = ' ';
            blank = next(blank, at, end, '+');
            continue;
        }
        high = end - at >= 2 ? OPENSSL_hexchar2int((unsigned char)at[0]) : -1;
        low = end - at >= 2 ? OPENSSL_hexchar2int((unsigned char)at[1]) : -1;
        if (high < 0 || low < 0) {
            return APR_EINVAL;
        }
        *p++ = (char)(high << 4 | low);
        at += 2;
        percent = next(percent, at, end, '%');
    }
    *p = '\0';
    *out = decoded;
    return oas_utf8_valid(decoded, p - decoded) ? APR_SUCCESS : APR_EINVAL;
}

static apr_status_t parse_pair(oas_params_t *params, const char *pair, apr_size_t len,
                               apr_pool_t *pool)
{
    const char *equals = memchr(pair, '=', len);
    apr_size_t name_len = equals != NULL ? (apr_size_t)(equals - pair) : len;
    char *name;
    char *value = "";
    apr_status_t rv;

    rv = oas_percent_decode(pool, pair, name_len, 1, &name);
    if (rv == APR_SUCCESS && equals != NULL) {
        rv = oas_percent_decode(pool, equals + 1, len - name_len - 1, 1, &value);
    }
    if (rv == APR_SUCCESS) {
        oas_params_add(params, name, value);
    }
    return rv;
}

apr_status_t oas_params_parse(oas_params_t **out, const char *data, apr_size_t len,
                              apr_pool_t *pool)
{
    oas_params_t *params = oas_params_create(pool);
    apr_size_t at = 0;

    *out = params;
    if (len > OAS_PARAMS_MAX_LEN) {
        return APR_ENOSPC;
    }
    while (at < len) {
        const char *end = memchr(data + at, '&', len - at);
        apr_size_t pair_len = end != NULL ? (apr_size_t)(end - data) - at : len - at;
        apr_status_t rv;

        if (pair_len > 0) {
            if (params->list->nelts == OAS_PARAMS_MAX) {
                return APR_ENOSPC;
            }
            rv = parse_pair(params, data + at, pair_len, pool);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        at += pair_len + 1;
    }
    return APR_SUCCESS;
}

const char *oas_params_get(const oas_params_t *params, const char *name)
{
    int i;

    for (i = 0; i < params->list->nelts; i++) {
        const oas_param_t *param = &APR_ARRAY_IDX(params->list, i, oas_param_t);
        if (param->name[0] == name[0] && strcmp(param->name, name) == 0 &&
            param->value[0] != '\0') {
            return param->value;
        }
    }
    return NULL;
}

int oas_params_count(const oas_params_t *params, const char *name)
{
    int count = 0;
    int i;

    for (i = 0; i < params->list->nelts; i++) {
        count += strcmp(APR_ARRAY_IDX(params->list, i, oas_param_t).name, name) == 0;
    }
    return count;
}

void oas_params_add(oas_params_t *params, const char *name, const char *value)
{
    oas_param_t *param = apr_array_push(params->list);

    param->name = name;
    param->value = value;
}

/* Writes the encoded form of text at p; returns the place behind it. */
static char *percent_encode_at(char *p, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (apr_isalnum(c) || strchr("-._~", c) != NULL) {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = digits[c >> 4];
            *p++ = digits[c & 15];
        }
    }
    return p;
}

char *oas_percent_encode(apr_pool_t *pool, const char *text)
{
    char *out = apr_palloc(pool, 3 * strlen(text) + 1);

    *percent_encode_at(out, text) = '\0';
    return out;
}

char *oas_params_encode(const oas_params_t *params, apr_pool_t *pool)
{
    apr_size_t size = 1;
    char *out;
    char *p;
    int i;

    for (i = 0; i < params->list->nelts; i++) {
        const oas_param_t *param = &APR_ARRAY_IDX(params->list, i, oas_param_t);
        size += 3 * (strlen(param->name) + strlen(param->value)) + 2;
    }
    out = p = apr_palloc(pool, size);
    for (i = 0; i < params->list->nelts; i++) {
        const oas_param_t *param = &APR_ARRAY_IDX(params->list, i, oas_param_t);
        if (i > 0) {
            *p++ = '&';
        }
        p = percent_encode_at(p, param->name);
        *p++ = '=';
        p = percent_encode_at(p, param->value);
    }
    *p = '\0';
    return out;
}
