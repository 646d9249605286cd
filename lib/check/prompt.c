/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <string.h>
#include <apr_strings.h>

static const oas_name_bit_t prompts[] = {{"none", OAS_PROMPT_NONE},
                                         {"login", OAS_PROMPT_LOGIN},
                                         {"consent", OAS_PROMPT_CONSENT},
                                         {NULL, 0}};

oas_outcome_t oas_check_prompt(oas_tx_t *tx)
{
    oas_words_t *words;
    int i;

    if (oas_words_parse(&words, oas_params_get(tx->params, "prompt"), tx->pool) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00645), OAS_E_PROMPT, NULL);
    }
    for (i = 0; i < words->nelts; i++) {
        unsigned bit = oas_name_bit(prompts, OAS_WORD(words, i));
        if (bit == 0) {
            return oas_refuse(tx, OAS_TAG(00646), OAS_E_PROMPT, NULL);
        }
        tx->prompt |= bit;
    }
    if ((tx->prompt & OAS_PROMPT_NONE) && tx->prompt != OAS_PROMPT_NONE) {
        return oas_refuse(tx, OAS_TAG(00647), OAS_E_PROMPT, NULL);
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_max_age(oas_tx_t *tx)
{
    const char *text = oas_params_get(tx->params, "max_age");

    tx->max_age = -1;
    if (text == NULL) {
        return OAS_NEXT;
    }
    if (strlen(text) > 9 || strspn(text, "0123456789") != strlen(text)) {
        return oas_refuse(tx, OAS_TAG(00648), OAS_E_MAX_AGE, NULL);
    }
    tx->max_age = apr_atoi64(text);
    return OAS_NEXT;
}
