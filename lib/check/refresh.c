/* SPDX-License-Identifier: Apache-2.0 */
#include "refresh.h"

#include <string.h>
#include "../base/handle.h"
#include "scope.h"

/* A token without an API is for the issuer, and good at userinfo: either may be named. */
static const char *resource_of_grant(const oas_issuer_t *issuer, const char *uri)
{
    const char *userinfo = issuer->endpoint_urls[OAS_EP_USERINFO];

    if (uri != NULL &&
        (strcmp(uri, issuer->url) == 0 || (userinfo != NULL && strcmp(uri, userinfo) == 0))) {
        return "";
    }
    return uri;
}

oas_outcome_t oas_check_refresh_token(oas_tx_t *tx)
{
    unsigned char id[OAS_ID_LEN];
    unsigned char hash[OAS_SHA256_LEN];
    const char *resource;

    tx->refresh_token = oas_params_get(tx->params, "refresh_token");
    if (tx->refresh_token == NULL) {
        return oas_refuse(tx, OAS_TAG(00824), OAS_E_REFRESH_MISSING, NULL);
    }
    if (oas_secret_in_page(tx)) {
        return oas_refuse(tx, OAS_TAG(00890), OAS_E_REFRESH_IN_PAGE, NULL);
    }
    if (oas_handle_split(tx->refresh_token, id, hash, tx->pool) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00825), OAS_E_REFRESH_INVALID, "no token of ours");
    }
    if (oas_words_parse(&tx->scopes, oas_params_get(tx->params, "scope"), tx->pool) !=
        APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00826), OAS_E_SCOPE_MALFORMED, NULL);
    }
    if (tx->scopes->nelts == 0) {
        tx->scopes = NULL;
    }
    if (!oas_named_resource(tx, &resource)) {
        return oas_refuse(tx, OAS_TAG(00827), OAS_E_TARGET_SEVERAL, NULL);
    }
    tx->grant_resource = resource_of_grant(tx->issuer, resource);
    return OAS_NEXT;
}
