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

const char *oas_sql_seconds(apr_interval_time_t time, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_TIME_T_FMT ".%06d", apr_time_sec(time),
                        (int)apr_time_usec(time));
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
