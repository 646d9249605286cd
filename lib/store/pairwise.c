/* SPDX-License-Identifier: Apache-2.0 */
#include "pairwise.h"

#include <string.h>
#include "../base/bytes.h"
#include "runner.h"

apr_status_t oas_store_pairwise_salt(oas_db_t *db, unsigned char salt[OAS_SALT_LEN],
                                     apr_pool_t *pool)
{
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_PAIRWISE_SALT, NULL, &rows, pool);
    const char *hex;

    if (rv != APR_SUCCESS)
        return rv == APR_ENOENT ? oas_db_unreadable(db, OAS_STMT_PAIRWISE_SALT) : rv;
    hex = oas_cell(rows, 0, 0);
    if (!hex || strlen(hex) != (apr_size_t)2 * OAS_SALT_LEN ||
        oas_hex_decode(hex, salt, OAS_SALT_LEN) != APR_SUCCESS)
        return oas_db_unreadable(db, OAS_STMT_PAIRWISE_SALT);
    return APR_SUCCESS;
}
