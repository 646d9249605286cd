/* SPDX-License-Identifier: Apache-2.0 */
#include "grant.h"

#include "grant_row.h"

/* Outcomes as the schema's functions name them; 'gone' (oas_grant_for_1): the subject was deleted.
 */
static const oas_outcome_name_t put_outcomes[] = {
    {"put", OAS_CODE_PUT},
    {"session_gone", OAS_CODE_SESSION_GONE},
    {"consent_gone", OAS_CODE_CONSENT_GONE},
    {"gone", OAS_CODE_SESSION_GONE},
    {NULL, 0},
};

static const oas_outcome_name_t redeem_outcomes[] = {
    {"done", OAS_REDEEM_DONE},
    {"unknown", OAS_REDEEM_UNKNOWN},
    {"foreign", OAS_REDEEM_FOREIGN},
    {"redirect_uri", OAS_REDEEM_REDIRECT_URI},
    {"redirect_uri_missing", OAS_REDEEM_REDIRECT_URI_MISSING},
    {"verifier", OAS_REDEEM_VERIFIER},
    {"verifier_missing", OAS_REDEEM_VERIFIER_MISSING},
    {"resource", OAS_REDEEM_RESOURCE},
    {"expired", OAS_REDEEM_EXPIRED},
    {"replayed", OAS_REDEEM_REPLAYED},
    {"revoked", OAS_REDEEM_REVOKED},
    {"gone", OAS_REDEEM_REVOKED},
    {NULL, 0},
};

static const oas_outcome_name_t live_outcomes[] = {{"live", 0}, {NULL, 0}};

enum { PASSWORD_PUT, PASSWORD_WRONG };
static const oas_outcome_name_t password_outcomes[] = {
    {"put", PASSWORD_PUT},
    {"wrong", PASSWORD_WRONG},
    {NULL, 0},
};

static const char *const consent_modes[] = {
    [OAS_CONSENT_SKIP] = "skip",
    [OAS_CONSENT_REQUIRE] = "require",
    [OAS_CONSENT_ALLOW] = "allow",
};

apr_status_t oas_store_code_put(oas_db_t *db, const oas_code_put_t *in,
                                oas_code_put_outcome_t *outcome, oas_grant_t *grant,
                                apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(in->grant_id, pool),
        in->with_code ? oas_sql_bytes(in->code_hash, OAS_SHA256_LEN, pool) : NULL,
        oas_sql_id(in->session_id, pool),
        in->client_id,
        in->scope,
        in->resource,
        in->redirect_uri,
        in->redirect_uri_required ? "t" : "f",
        in->code_challenge,
        in->nonce,
        oas_sql_seconds(in->code_lifetime, pool),
        oas_sql_seconds(in->access_lifetime, pool),
        consent_modes[in->consent],
        oas_sql_int(in->form_started, pool),
        in->activate ? "t" : "f",
        in->claims_request,
        in->track ? "t" : "f",
        in->queue ? "t" : "f",
        in->claims_request ? in->permissions : NULL,
    };
    int found;
    apr_status_t rv =
        oas_db_run_grant(db, OAS_STMT_CODE_PUT, params, put_outcomes, &found, grant, NULL, pool);

    if (rv != APR_SUCCESS)
        return rv;
    *outcome = (oas_code_put_outcome_t)found;
    grant->nonce = in->nonce;
    return APR_SUCCESS;
}

apr_status_t oas_store_code_redeem(oas_db_t *db, const oas_code_redeem_t *in,
                                   oas_redeem_outcome_t *outcome, oas_grant_t *grant,
                                   apr_pool_t *pool)
{
    const oas_refresh_first_t *first = in->refresh;
    const char *const params[] = {
        oas_sql_id(in->grant_id, pool),
        oas_sql_bytes(in->code_hash, OAS_SHA256_LEN, pool),
        in->client_id,
        in->redirect_uri,
        in->code_challenge,
        in->resource,
        oas_sql_id(in->attempt, pool),
        first ? oas_sql_bytes(first->token_hash, OAS_SHA256_LEN, pool) : NULL,
        first ? oas_sql_seconds(first->lifetime, pool) : NULL,
        oas_sql_seconds(in->access_lifetime, pool),
        first ? first->cnf : NULL,
    };
    int found;
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_grant(db, OAS_STMT_CODE_REDEEM, params, redeem_outcomes, &found,
                                       grant, &rows, pool);
    const char *sub;

    if (rv != APR_SUCCESS)
        return rv;
    *outcome = (oas_redeem_outcome_t)found;
    sub = oas_cell(rows, 0, OAS_GRANT_COLUMNS);
    if (sub) {
        grant->sub = sub;
        grant->grant_id = oas_base64url_encode(pool, in->grant_id, OAS_ID_LEN);
    }
    return APR_SUCCESS;
}

apr_status_t oas_store_password_grant(oas_db_t *db, const oas_password_grant_t *in,
                                      oas_grant_t *grant, apr_pool_t *pool)
{
    const oas_refresh_first_t *first = in->refresh;
    const char *const params[] = {
        oas_sql_id(in->grant_id, pool),
        in->client_id,
        in->scope,
        in->resource,
        in->sub,
        in->provider,
        in->name,
        in->claims,
        in->amr ? in->amr : "",
        first ? oas_sql_bytes(first->token_hash, OAS_SHA256_LEN, pool) : NULL,
        first ? oas_sql_seconds(first->lifetime, pool) : NULL,
        oas_sql_seconds(in->access_lifetime, pool),
        first ? first->cnf : NULL,
        oas_throttle_forgotten(in->attempt, pool),
        oas_throttle_forgiven(in->attempt, pool),
        in->proof,
    };
    int found;
    apr_status_t rv = oas_db_run_grant(db, OAS_STMT_PASSWORD_GRANT, params, password_outcomes,
                                       &found, grant, NULL, pool);

    return rv == APR_SUCCESS && found == PASSWORD_WRONG ? APR_ENOENT : rv;
}

apr_status_t oas_store_grant_load(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                  oas_grant_t *grant, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(grant_id, pool)};
    int found;

    return oas_db_run_grant(db, OAS_STMT_GRANT_LOAD, params, live_outcomes, &found, grant, NULL,
                            pool);
}

apr_status_t oas_store_grant_revoke(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                    const char *reason, apr_int64_t expires, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(grant_id, pool), reason, oas_sql_int(expires, pool)};

    return oas_db_run_row(db, OAS_STMT_GRANT_REVOKE, params, NULL, pool);
}
