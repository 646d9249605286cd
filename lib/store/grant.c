/* SPDX-License-Identifier: Apache-2.0 */
#include "grant.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/json.h"
#include "runner.h"

#define CLAIMS_MAX 65536 /* bytes of one subject's claims */

typedef struct {
    const char *name;
    int value;
} outcome_name_t;

/* Outcomes as oas_code_put_1 and oas_code_redeem_1 name them. */
static const outcome_name_t put_outcomes[] = {
    {"put", OAS_CODE_PUT},
    {"session_gone", OAS_CODE_SESSION_GONE},
    {"consent_gone", OAS_CODE_CONSENT_GONE},
    {NULL, 0},
};

static const outcome_name_t redeem_outcomes[] = {
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
    {NULL, 0},
};

static const char *const consent_modes[] = {
    [OAS_CONSENT_SKIP] = "skip",
    [OAS_CONSENT_REQUIRE] = "require",
    [OAS_CONSENT_ALLOW] = "allow",
};

/* -1: an outcome that this version does not know. */
static int outcome_of(const outcome_name_t *names, const char *name)
{
    for (; name && names->name; names++) {
        if (!strcmp(names->name, name))
            return names->value;
    }
    return -1;
}

apr_status_t oas_store_code_put(oas_db_t *db, const oas_code_put_t *in,
                                oas_code_put_outcome_t *outcome, apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(in->grant_id, pool),
        oas_sql_bytes(in->code_hash, OAS_SHA256_LEN, pool),
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
        apr_psprintf(pool, "%" APR_INT64_T_FMT, in->form_started),
    };
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_CODE_PUT, params, &rows, pool);
    int found;

    if (rv != APR_SUCCESS)
        return rv;
    found = outcome_of(put_outcomes, oas_cell(rows, 0, 0));
    if (found < 0)
        return oas_db_unreadable(db, OAS_STMT_CODE_PUT);
    *outcome = (oas_code_put_outcome_t)found;
    return APR_SUCCESS;
}

/* Fills a grant from a row of OAS_STMT_CODE_REDEEM or OAS_STMT_GRANT_LOAD. */
static apr_status_t fill_grant(oas_db_t *db, oas_stmt_id_t id, const oas_rows_t *rows,
                               oas_grant_t *grant, apr_pool_t *pool)
{
    const char *claims = oas_cell(rows, 0, 10);

    memset(grant, 0, sizeof(*grant));
    grant->grant_id = oas_cell_id(rows, 0, 1, pool);
    grant->client_id = oas_cell(rows, 0, 2);
    grant->sub = oas_cell(rows, 0, 3);
    grant->sid = oas_cell_id(rows, 0, 4, pool);
    grant->resource = oas_cell(rows, 0, 6);
    grant->auth_time = oas_cell_int(rows, 0, 7);
    grant->amr = oas_cell(rows, 0, 8);
    grant->acr = oas_cell(rows, 0, 9);
    grant->now = oas_cell_int(rows, 0, 11);
    grant->nonce = oas_cell(rows, 0, 12);
    if (oas_words_parse(&grant->scopes, oas_cell(rows, 0, 5), pool) == APR_SUCCESS && claims &&
        oas_json_parse(&grant->claims, claims, strlen(claims), CLAIMS_MAX, pool) == APR_SUCCESS &&
        json_is_object(grant->claims))
        return APR_SUCCESS;
    return oas_db_unreadable(db, id);
}

apr_status_t oas_store_code_redeem(oas_db_t *db, const oas_code_redeem_t *in,
                                   oas_redeem_outcome_t *outcome, oas_grant_t *grant,
                                   apr_pool_t *pool)
{
    const char *const params[] = {
        oas_sql_id(in->grant_id, pool),
        oas_sql_bytes(in->code_hash, OAS_SHA256_LEN, pool),
        in->client_id,
        in->redirect_uri,
        in->code_challenge,
        in->resource,
        oas_sql_id(in->attempt, pool),
    };
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_CODE_REDEEM, params, &rows, pool);
    int found;

    if (rv != APR_SUCCESS)
        return rv;
    found = outcome_of(redeem_outcomes, oas_cell(rows, 0, 0));
    if (found < 0)
        return oas_db_unreadable(db, OAS_STMT_CODE_REDEEM);
    *outcome = (oas_redeem_outcome_t)found;
    return found == OAS_REDEEM_DONE ? fill_grant(db, OAS_STMT_CODE_REDEEM, rows, grant, pool)
                                    : APR_SUCCESS;
}

apr_status_t oas_store_grant_load(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                  oas_grant_t *grant, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(grant_id, pool)};
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_GRANT_LOAD, params, &rows, pool);

    return rv == APR_SUCCESS ? fill_grant(db, OAS_STMT_GRANT_LOAD, rows, grant, pool) : rv;
}

apr_status_t oas_store_grant_revoke(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                    const char *reason, apr_pool_t *pool)
{
    const char *const params[] = {oas_sql_id(grant_id, pool), reason};

    return oas_db_run_row(db, OAS_STMT_GRANT_REVOKE, params, NULL, pool);
}
