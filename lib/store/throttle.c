/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include <apr_strings.h>
#include "../base/bytes.h"
#include "runner.h"

static const char *keys_param(const oas_throttle_attempt_t *in, apr_pool_t *pool)
{
    const unsigned char *keys[OAS_THROTTLE_KEYS];
    int i;

    for (i = 0; i < OAS_THROTTLE_KEYS; i++)
        keys[i] = in->key[i];
    return oas_sql_array(keys, OAS_THROTTLE_KEYS, OAS_SHA256_LEN, pool);
}

const char *oas_throttle_forgotten(const oas_throttle_attempt_t *in, apr_pool_t *pool)
{
    return in && in->forgets ? oas_sql_bytes(in->key[OAS_THROTTLE_PAIR], OAS_SHA256_LEN, pool)
                             : NULL;
}

const char *oas_throttle_forgiven(const oas_throttle_attempt_t *in, apr_pool_t *pool)
{
    const unsigned char *const keys[OAS_THROTTLE_KEYS] = {
        in && !in->forgets ? in->key[OAS_THROTTLE_PAIR] : NULL,
        in ? in->key[OAS_THROTTLE_ACCOUNT] : NULL,
        in ? in->key[OAS_THROTTLE_ADDRESS] : NULL,
    };

    return oas_sql_array(keys, OAS_THROTTLE_KEYS, OAS_SHA256_LEN, pool);
}

apr_status_t oas_store_throttle_attempt(oas_db_t *db, const oas_throttle_attempt_t *in, int *wait_s,
                                        apr_pool_t *pool)
{
    const char *const params[] = {
        keys_param(in, pool),
        apr_psprintf(pool, "{%d,%d,%d}", in->limit[OAS_THROTTLE_PAIR],
                     in->limit[OAS_THROTTLE_ACCOUNT], in->limit[OAS_THROTTLE_ADDRESS]),
        oas_sql_seconds(in->max, pool),
    };
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_THROTTLE_ATTEMPT, params, &rows, pool);

    *wait_s = rv == APR_SUCCESS ? (int)oas_cell_int(rows, 0, 0) : 0;
    return rv;
}

apr_status_t oas_store_throttle_forgive(oas_db_t *db, const oas_throttle_attempt_t *in,
                                        apr_pool_t *pool)
{
    const char *const params[] = {keys_param(in, pool)};

    return oas_db_run_row(db, OAS_STMT_THROTTLE_FORGIVE, params, NULL, pool);
}
