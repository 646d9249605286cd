/* SPDX-License-Identifier: Apache-2.0 */
#include "redirect_uri.h"

#include "../base/uri.h"

static int asks_openid(const oas_tx_t *tx)
{
    oas_words_t *scopes;

    return oas_words_parse(&scopes, oas_params_get(tx->params, "scope"), tx->pool) == APR_SUCCESS &&
           oas_words_has(scopes, "openid");
}

oas_outcome_t oas_check_redirect_uri(oas_tx_t *tx)
{
    const char *requested = oas_params_get(tx->params, "redirect_uri");
    const oas_words_t *registered = tx->client->redirect_uris;
    int i;

    if (requested == NULL) {
        if (registered->nelts != 1 || asks_openid(tx)) {
            return oas_refuse(tx, OAS_TAG(00615), OAS_E_REDIRECT_URI_MISSING, NULL);
        }
        tx->redirect_uri = OAS_WORD(registered, 0);
        return OAS_NEXT;
    }
    for (i = 0; i < registered->nelts; i++) {
        if (oas_redirect_uri_matches(OAS_WORD(registered, i), requested,
                                     tx->client->type == OAS_CLIENT_NATIVE, tx->pool)) {
            tx->redirect_uri = requested;
            tx->redirect_uri_sent = 1;
            return OAS_NEXT;
        }
    }
    return oas_refuse(tx, OAS_TAG(00616), OAS_E_REDIRECT_URI_MISMATCH, NULL);
}
