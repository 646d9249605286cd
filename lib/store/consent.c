/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"

#include "runner.h"

apr_status_t oas_store_consent_withdraw(oas_db_t *db, const char *sub, const char *client_id,
                                        const char *resource, apr_pool_t *pool)
{
    const char *const params[] = {sub, client_id, resource ? resource : ""};

    return oas_db_run_true(db, OAS_STMT_CONSENT_WITHDRAW, params, pool);
}
