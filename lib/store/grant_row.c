/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_row.h"

#include <string.h>
#include "../base/bytes.h"
#include "../base/json.h"

#define CLAIMS_MAX 65536 /* bytes of one subject's claims, and of a claims parameter */

static apr_status_t read_object(json_t **out, const char *text, apr_pool_t *pool)
{
    return oas_json_parse(out, text, strlen(text), CLAIMS_MAX, pool) == APR_SUCCESS &&
                   json_is_object(*out)
               ? APR_SUCCESS
               : APR_EGENERAL;
}

static apr_status_t fill_grant(const oas_rows_t *rows, oas_grant_t *grant, apr_pool_t *pool)
{
    const char *claims = oas_cell(rows, 0, 10), *asked = oas_cell(rows, 0, 14);

    memset(grant, 0, sizeof(*grant));
    grant->grant_id = oas_cell_id(rows, 0, 1, pool);
    if (!grant->grant_id)
        return APR_SUCCESS;
    grant->client_id = oas_cell(rows, 0, 2);
    grant->sub = oas_cell(rows, 0, 3);
    grant->sid = oas_cell_id(rows, 0, 4, pool);
    grant->resource = oas_cell(rows, 0, 6);
    grant->auth_time = oas_cell_int(rows, 0, 7);
    grant->amr = oas_cell(rows, 0, 8);
    grant->acr = oas_cell(rows, 0, 9);
    grant->now = oas_cell_int(rows, 0, 11);
    grant->nonce = oas_cell(rows, 0, 12);
    grant->offline = oas_cell(rows, 0, 13) != NULL;
    grant->refresh_expires = oas_cell_int(rows, 0, 13);
    if (oas_words_parse_own(&grant->scopes, oas_cell(rows, 0, 5), pool) != APR_SUCCESS || !claims ||
        read_object(&grant->claims, claims, pool) != APR_SUCCESS)
        return APR_EGENERAL;
    return asked ? read_object(&grant->claims_request, asked, pool) : APR_SUCCESS;
}

apr_status_t oas_db_run_grant(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                              const oas_outcome_name_t *names, int *outcome, oas_grant_t *grant,
                              oas_rows_t **rows, apr_pool_t *pool)
{
    oas_rows_t *found;
    apr_status_t rv = oas_db_run_row(db, id, params, &found, pool);

    if (rv != APR_SUCCESS)
        return rv;
    if (rows)
        *rows = found;
    return oas_cell_outcome(found, 0, 0, names, outcome) &&
                   fill_grant(found, grant, pool) == APR_SUCCESS
               ? APR_SUCCESS
               : oas_db_unreadable(db, id);
}
