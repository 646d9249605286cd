/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "id_token.h"

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

/* The sub of an ID token of this issuer, or "". */
static const char *hinted_subject(const oas_tx_t *tx, const char *hint)
{
    const json_t *claims = oas_id_token_read(tx, hint);

    return claims != NULL ? oas_json_string(claims, "sub") : "";
}

oas_outcome_t oas_load_id_token_hint(oas_tx_t *tx)
{
    const char *hint = oas_params_get(tx->params, "id_token_hint");

    tx->hinted_sub = hint != NULL ? hinted_subject(tx, hint) : NULL;
    return OAS_NEXT;
}
