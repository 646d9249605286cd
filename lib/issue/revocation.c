/* SPDX-License-Identifier: Apache-2.0 */
#include "revocation.h"

#include <string.h>
#include "../base/audit.h"
#include "../base/json.h"
#include "../check/token.h"
#include "../store/grant.h"
#include "../store/jti.h"
#include "../store/refresh.h"

/* Each of these returns APR_SUCCESS when something has ended now; else APR_ENOENT says with *why
 * that there was nothing to end, and any other status that the statement failed. */

static apr_status_t end_family(oas_tx_t *tx, const oas_token_t *token, const char **why)
{
    *why = "no refresh token of this client, or ended before";
    return oas_store_refresh_revoke(tx->db, token->grant_id, token->hash, tx->client->client_id,
                                    tx->issuer->revoke_consent, tx->pool);
}

static apr_status_t end_access_token(oas_tx_t *tx, const oas_token_t *token, const char **why)
{
    if (token->client_id == NULL || strcmp(token->client_id, tx->client->client_id) != 0) {
        *why = "the access token of another client";
        return APR_ENOENT;
    }
    if (token->has_grant) {
        *why = "expired, or its grant ended before";
        return oas_store_grant_revoke(tx->db, token->grant_id, "access token revoked", token->exp,
                                      tx->pool);
    }
    *why = "without grant and id";
    return token->jti != NULL ? oas_store_jti_revoke(tx->db, token->jti, token->exp, tx->pool)
                              : APR_ENOENT;
}

static apr_status_t end_token(oas_tx_t *tx, const oas_token_t *token, const char **why)
{
    switch (token->kind) {
    case OAS_TOKEN_HANDLE:
        return end_family(tx, token, why);
    case OAS_TOKEN_ACCESS:
        return end_access_token(tx, token, why);
    case OAS_TOKEN_NONE:
        break;
    }
    *why = token->why;
    return APR_ENOENT;
}

static void audit(oas_tx_t *tx, const oas_token_t *token)
{
    oas_members_t *more = oas_members_create(tx->pool);

    if (token->has_grant) {
        oas_members_string(more, "grant_id",
                           oas_base64url_encode(tx->pool, token->grant_id, OAS_ID_LEN));
    }
    if (token->kind == OAS_TOKEN_ACCESS) {
        oas_members_string(more, "sub", oas_json_string(token->claims, "sub"));
        oas_members_string(more, "jti", token->jti);
    }
    oas_audit(tx, OAS_AUDIT_REVOKE,
              token->kind == OAS_TOKEN_HANDLE ? "refresh token" : "access token", more);
}

oas_outcome_t oas_issue_revocation(oas_tx_t *tx)
{
    const char *why = NULL;
    apr_status_t rv = end_token(tx, tx->token, &why);

    if (rv == APR_ENOENT) {
        oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00860), APR_SUCCESS,
                "nothing revoked: %s client=%s ref=%s", why, tx->client->client_id, tx->request_id);
        return OAS_NEXT;
    }
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00861), rv, "token not revoked");
    }
    audit(tx, tx->token);
    return OAS_NEXT;
}
