/* SPDX-License-Identifier: Apache-2.0 */
#include "logout.h"

#include "../base/audit.h"
#include "../check/logout.h"
#include "../store/logout.h"
#include "cookie.h"

oas_outcome_t oas_issue_logout(oas_tx_t *tx)
{
    unsigned char id[OAS_ID_LEN];
    unsigned char hash[OAS_SHA256_LEN];
    apr_status_t rv = APR_ENOENT;

    if (tx->session != NULL && oas_cookie_session(tx, id, hash) == APR_SUCCESS) {
        rv = oas_store_session_logout(tx->db, id, hash, &tx->ending->told, tx->pool);
    }
    if (rv == APR_SUCCESS) {
        oas_audit(tx, OAS_AUDIT_LOGOUT, NULL, NULL);
    } else if (rv != APR_ENOENT) {
        return oas_store_fault(tx, OAS_TAG(00966), rv, "session not ended");
    }
    oas_cookie_end_session(tx);
    return OAS_NEXT;
}
