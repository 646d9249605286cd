/* SPDX-License-Identifier: Apache-2.0 */
#include "client_keys.h"

#include <string.h>
#include "../base/json.h"
#include "../fetch/jwks.h"
#include "../store/db.h"

#define RETRY_AFTER 5 /* seconds: OAS_JWKS_PAUSE */

/* A set that came with the client's metadata from the database. */
static const oas_jwks_t *parse_registered(oas_tx_t *tx)
{
    const char *text = tx->client->jwks_json;
    const char *why = "it is no JSON";
    oas_jwks_t *jwks = NULL;
    json_t *json;

    if (oas_json_parse(&json, text, strlen(text), strlen(text), tx->pool) != APR_SUCCESS ||
        oas_jwks_parse(&jwks, json, &why, tx->pool) != APR_SUCCESS) {
        oas_log(tx->log, OAS_LOG_WARNING, OAS_TAG(00686), APR_SUCCESS,
                "the key set of client %s cannot be used: %s", tx->client->client_id, why);
    }
    return jwks;
}

static oas_outcome_t fetch(oas_tx_t *tx, const oas_jwks_t *lacking, const oas_jwks_t **out)
{
    const char *why = "this process fetches nothing";
    apr_status_t rv = APR_EGENERAL;

    oas_db_release(tx->db);
    if (tx->jwks != NULL) {
        rv = oas_jwks_cache_get(tx->jwks, tx->client->jwks_uri, lacking, out, &why, tx->log,
                                tx->pool);
    }
    if (rv == APR_SUCCESS || rv == APR_ENOENT) {
        return OAS_NEXT;
    }
    tx->retry_after = RETRY_AFTER;
    return oas_refuse(tx, OAS_TAG(00687), OAS_E_CLIENT_KEYS_UNAVAILABLE, why);
}

oas_outcome_t oas_client_keys(oas_tx_t *tx, const oas_jwks_t *lacking, const oas_jwks_t **out)
{
    const oas_client_t *client = tx->client;

    *out = NULL;
    if (client->jwks == NULL && client->jwks_json == NULL && client->jwks_uri != NULL) {
        return fetch(tx, lacking, out);
    }
    if (lacking == NULL && client->jwks != NULL) {
        *out = client->jwks;
    } else if (lacking == NULL && client->jwks_json != NULL) {
        *out = parse_registered(tx);
    }
    return OAS_NEXT;
}
