/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

void oas_release_claims(const oas_tx_t *tx, const oas_words_t *scopes, unsigned where,
                        json_t *target)
{
    int i;

    for (i = 0; i < tx->issuer->claims->nelts; i++) {
        const oas_claim_t *claim = &APR_ARRAY_IDX(tx->issuer->claims, i, oas_claim_t);
        json_t *value = json_object_get(tx->grant->claims, claim->name);

        if (value != NULL && (claim->in & where) &&
            oas_words_has(scopes, claim->scope != NULL ? claim->scope : "openid") &&
            json_object_get(target, claim->name) == NULL) {
            json_object_set(target, claim->name, value);
        }
    }
}
