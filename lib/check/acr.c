/* SPDX-License-Identifier: Apache-2.0 */
#include "acr.h"

/* Appends what is in `allowed` too (NULL: all of it). */
static void append(oas_words_t *target, const oas_words_t *words, const oas_words_t *allowed)
{
    int i;

    for (i = 0; words != NULL && i < words->nelts; i++) {
        if (allowed == NULL || oas_words_has(allowed, OAS_WORD(words, i))) {
            oas_words_add(target, OAS_WORD(words, i));
        }
    }
}

oas_outcome_t oas_check_acr(oas_tx_t *tx)
{
    const oas_words_t *required = tx->client->required_acr;
    oas_words_t *values = oas_words_create(tx->pool);
    oas_words_t *voluntary;

    if (oas_words_parse(&voluntary, oas_params_get(tx->params, "acr_values"), tx->pool) !=
        APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00946), OAS_E_ACR_VALUES, NULL);
    }
    append(values, tx->acr_values, required);
    if (!tx->acr_essential) {
        append(values, voluntary, required);
        append(values, required, NULL);
    }
    tx->acr_essential |= required != NULL;
    tx->acr_values = values->nelts > 0 || tx->acr_essential ? values : NULL;
    return OAS_NEXT;
}
