/* SPDX-License-Identifier: Apache-2.0 */
#include "recheck.h"

#include <string.h>
#include "../base/audit.h"
#include "../base/handle.h"
#include "../store/refresh.h"

#define RETRY_AFTER 5

static oas_outcome_t end_family(oas_tx_t *tx, const unsigned char grant_id[OAS_ID_LEN],
                                const unsigned char token_hash[OAS_SHA256_LEN])
{
    apr_status_t rv =
        oas_store_refresh_revoke(tx->db, grant_id, token_hash, tx->client->client_id, 0, tx->pool);

    if (rv != APR_SUCCESS && rv != APR_ENOENT) {
        return oas_store_fault(tx, OAS_TAG(00511), rv, "tokens of a user who has gone not revoked");
    }
    oas_audit(tx, OAS_AUDIT_REVOKE, "the subject is no longer one of ours", NULL);
    return oas_refuse(tx, OAS_TAG(00512), OAS_E_USER_BLOCKED,
                      "the subject is no longer one of ours");
}

oas_outcome_t oas_recheck_subject(oas_tx_t *tx, const unsigned char grant_id[OAS_ID_LEN],
                                  const unsigned char token_hash[OAS_SHA256_LEN])
{
    oas_recheck_kind_t kind = tx->issuer->recheck.kind;
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    const char *provider = NULL;
    const char *name = NULL;
    apr_status_t rv;

    if (kind != OAS_RECHECK_EXPR && kind != OAS_RECHECK_EXEC) {
        return OAS_NEXT;
    }
    rv = oas_store_refresh_load(
        tx->db, grant_id, token_hash,
        oas_lifetime(tx->issuer, tx->client, NULL, OAS_LIFETIME_REFRESH_TOKEN_IDLE),
        tx->issuer->password_providers, grant, &provider, &name, tx->pool);
    if (rv == APR_ENOENT ||
        (rv == APR_SUCCESS && strcmp(grant->client_id, tx->client->client_id) != 0)) {
        return OAS_NEXT;
    }
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00513), rv, "subject not looked up");
    }
    oas_db_release(tx->db);
    tx->grant = grant; /* for the audit log */
    switch (tx->host->recheck(tx, grant->sub, provider, name)) {
    case OAS_SUBJECT_OURS:
        tx->grant = NULL;
        return OAS_NEXT;
    case OAS_SUBJECT_GONE:
        return end_family(tx, grant_id, token_hash);
    case OAS_SUBJECT_UNCLEAR:
        break;
    }
    tx->retry_after = RETRY_AFTER;
    return oas_fault(tx, OAS_TAG(00514), OAS_E_UNAVAILABLE, APR_SUCCESS,
                     "OAuth2ASSubjectRecheck cannot tell whether the subject is still one of ours");
}

oas_outcome_t oas_check_subject(oas_tx_t *tx)
{
    unsigned char id[OAS_ID_LEN];
    unsigned char hash[OAS_SHA256_LEN];

    if (oas_handle_split(tx->refresh_token, id, hash, tx->pool) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00515), OAS_E_REFRESH_INVALID, NULL);
    }
    return oas_recheck_subject(tx, id, hash);
}
