/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <string.h>
#include "../jose/keyset.h"
#include "../store/client.h"
#include "client_cache.h"

/* From the clients table, or what this process remembers of it. */
static apr_status_t find_stored(oas_tx_t *tx, const char *client_id, oas_client_t **out)
{
    const char *metadata = oas_client_cache_get(tx->clients, client_id, tx->pool);
    apr_time_t asked = apr_time_now();
    apr_status_t rv;

    if (metadata != NULL && oas_client_from_json(out, metadata, tx->pool) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    rv = oas_store_client_load(tx->db, client_id, out, tx->pool);
    if (rv == APR_SUCCESS) {
        oas_client_cache_put(tx->clients, client_id, (*out)->config_json, asked);
    }
    return rv;
}

apr_status_t oas_client_find(oas_tx_t *tx, const char *client_id, const oas_client_t **out)
{
    oas_client_t *stored;
    apr_status_t rv;

    *out = apr_hash_get(tx->issuer->clients, client_id, APR_HASH_KEY_STRING);
    if (*out != NULL) {
        return APR_SUCCESS;
    }
    if (!oas_client_id_valid(client_id)) {
        return APR_ENOENT;
    }
    rv = find_stored(tx, client_id, &stored);
    if (rv == OAS_CLIENT_UNSOUND) {
        oas_log(tx->log, OAS_LOG_WARNING, OAS_TAG(00893), APR_SUCCESS,
                "client %s of the database counts for none: its grant types or ways to "
                "authenticate are not for its kind, and configtest would refuse them",
                client_id);
        return APR_ENOENT;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (tx->keys == NULL) {
        return OAS_DB_UNAVAILABLE; /* which keys there are is not known yet */
    }
    /* found out here, not when its code has been redeemed already */
    if (oas_keyset_signer(tx->keys, stored->id_token_alg) == NULL) {
        oas_log(tx->log, OAS_LOG_WARNING, OAS_TAG(00613), APR_SUCCESS,
                "client %s of the database wants ID tokens signed with %s: no such key here",
                client_id, stored->id_token_alg);
        return APR_ENOENT;
    }
    *out = stored;
    return APR_SUCCESS;
}

oas_outcome_t oas_load_client(oas_tx_t *tx)
{
    const char *client_id = oas_params_get(tx->params, "client_id");
    apr_status_t rv;

    if (client_id == NULL) {
        return oas_refuse(tx, OAS_TAG(00610),
                          tx->params->list->nelts == 0 ? OAS_E_BARE : OAS_E_CLIENT_ID_MISSING,
                          NULL);
    }
    rv = oas_client_find(tx, client_id, &tx->client);
    if (rv == APR_ENOENT) {
        return oas_refuse(tx, OAS_TAG(00611), OAS_E_CLIENT_UNKNOWN, NULL);
    }
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00612), rv, "client not looked up");
    }
    return OAS_NEXT;
}
