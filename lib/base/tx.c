/* SPDX-License-Identifier: Apache-2.0 */
#include "tx.h"

int oas_secret_in_page(const oas_tx_t *tx)
{
    return tx->request.origin != NULL && tx->auth_method != OAS_AUTH_NONE;
}

const char *oas_grant_type(const oas_tx_t *tx)
{
    const oas_name_bit_t *row;

    if (tx->endpoint != OAS_EP_TOKEN) {
        return NULL;
    }
    for (row = oas_grant_type_names; row->name != NULL; row++) {
        if (row->bit == tx->mask) {
            return row->name;
        }
    }
    return NULL;
}

static oas_outcome_t fail(oas_tx_t *tx, const char *tag, oas_error_id_t id, apr_status_t status,
                          const char *detail)
{
    const oas_error_row_t *row = oas_error_row(id);

    tx->error = id;
    tx->detail = detail;
    oas_log(tx->log, row->level, tag, status, "%s: %s%s%s client=%s ref=%s", row->code, row->text,
            detail != NULL ? " " : "", detail != NULL ? detail : "",
            tx->client != NULL ? tx->client->client_id : "-", tx->request_id);
    return OAS_FAILED;
}

oas_outcome_t oas_refuse(oas_tx_t *tx, const char *tag, oas_error_id_t id, const char *detail)
{
    return fail(tx, tag, id, APR_SUCCESS, detail);
}

oas_outcome_t oas_fault(oas_tx_t *tx, const char *tag, oas_error_id_t id, apr_status_t status,
                        const char *detail)
{
    return fail(tx, tag, id, status, detail);
}

oas_outcome_t oas_store_fault(oas_tx_t *tx, const char *tag, apr_status_t status,
                              const char *detail)
{
    if (status == OAS_DB_UNAVAILABLE) {
        tx->retry_after = 2;
        return oas_fault(tx, tag, OAS_E_UNAVAILABLE, APR_SUCCESS, detail);
    }
    return oas_fault(tx, tag, OAS_E_SERVER, status, detail);
}
