/* SPDX-License-Identifier: Apache-2.0 */
#include "../check/params.h"
#include "../jose/keyset.h"
#include "../reply/reply.h"
#include "pipeline.h"

static oas_outcome_t respond_document(oas_tx_t *tx)
{
    const oas_issuer_t *issuer = tx->issuer;

    if (tx->endpoint == OAS_EP_JWKS) {
        oas_reply_document(tx, oas_keyset_json(tx->keys), oas_keyset_etag(tx->keys),
                           issuer->jwks_max_age);
    } else {
        oas_reply_document(tx, issuer->metadata_json, issuer->metadata_etag, OAS_DOCUMENT_MAX_AGE);
    }
    return OAS_ANSWERED;
}

const oas_step_t oas_document_steps[] = {
    {"check_method_get", oas_check_method_get, OAS_ALWAYS, "RFC 8414 3.1, OIDC Discovery 4.1"},
    {"respond_document", respond_document, OAS_ALWAYS, "RFC 7517 5, RFC 8414 3.2"},
    {NULL, NULL, 0, NULL}};
