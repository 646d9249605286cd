/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include "../base/bytes.h"
#include "runner.h"

const char *oas_sql_bytes(const void *data, apr_size_t len, apr_pool_t *pool)
{
    return data ? apr_pstrcat(pool, "\\x", oas_hex_encode(pool, data, len), NULL) : NULL;
}

const char *oas_sql_id(const unsigned char *id, apr_pool_t *pool)
{
    return id ? oas_hex_encode(pool, id, OAS_ID_LEN) : NULL;
}

void oas_sql_put_seconds(char *text, apr_time_t time)
{
    apr_uint64_t micros = time < 0 ? 0 - (apr_uint64_t)time : (apr_uint64_t)time, rest;
    int width = 1;

    if (time < 0)
        *text++ = '-';
    for (rest = micros / APR_USEC_PER_SEC; rest > 9; rest /= 10)
        width++;
    oas_put_digits(text, width, micros / APR_USEC_PER_SEC);
    text[width] = '.';
    oas_put_digits(text + width + 1, 6, micros % APR_USEC_PER_SEC);
    text[width + 7] = '\0';
}

const char *oas_sql_seconds(apr_interval_time_t time, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, OAS_SQL_SECONDS_SIZE);

    oas_sql_put_seconds(text, time);
    return text;
}

const char *oas_sql_int(apr_int64_t number, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
}

const char *oas_sql_array(const unsigned char *const *members, int n, apr_size_t len,
                          apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = 0; i < n; i++) {
        if (members[i])
            text = apr_pstrcat(pool, text, *text ? "," : "", "\"\\\\x",
                               oas_hex_encode(pool, members[i], len), "\"", NULL);
    }
    return apr_pstrcat(pool, "{", text, "}", NULL);
}
