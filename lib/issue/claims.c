/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#include <string.h>

static int has_name(const json_t *names, const char *name)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(names, i, entry)
    {
        if (json_is_string(entry) && strcmp(json_string_value(entry), name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* 1 when the request asked for this claim by itself there, and what the configuration gives the
 * client has not shrunk since. */
static int is_requested(const oas_tx_t *tx, const oas_claim_t *claim, unsigned where)
{
    const json_t *request = tx->grant->claims_request;
    const char *api = tx->grant->resource;

    return (((where & OAS_IN_ID_TOKEN) &&
             has_name(json_object_get(request, "id_token"), claim->name)) ||
            ((where & OAS_IN_USERINFO) &&
             has_name(json_object_get(request, "userinfo"), claim->name))) &&
           oas_claim_requestable(claim, tx->client,
                                 api != NULL ? oas_resource_find(tx->issuer, api) : NULL);
}

static int is_released(const oas_tx_t *tx, const oas_claim_t *claim, const oas_words_t *scopes,
                       unsigned where)
{
    return ((claim->in & where) &&
            oas_words_has(scopes, claim->scope != NULL ? claim->scope : "openid")) ||
           (oas_words_has(scopes, "openid") && is_requested(tx, claim, where));
}

void oas_release_claims(const oas_tx_t *tx, const oas_words_t *scopes, unsigned where,
                        oas_members_t *target)
{
    int i;

    if (json_object_size(tx->grant->claims) == 0) { /* NULL: of a client by itself */
        return;
    }
    for (i = 0; i < tx->issuer->claims->nelts; i++) {
        const oas_claim_t *claim = &APR_ARRAY_IDX(tx->issuer->claims, i, oas_claim_t);
        json_t *value = json_object_get(tx->grant->claims, claim->name);

        if (value != NULL && is_released(tx, claim, scopes, where) &&
            !oas_members_has(target, claim->name)) {
            oas_members_json(target, claim->name, value);
        }
    }
}
