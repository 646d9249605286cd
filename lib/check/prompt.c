/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "client.h"
#include "id_token.h"

static const oas_name_bit_t prompts[] = {
    {"none", OAS_PROMPT_NONE},       {"login", OAS_PROMPT_LOGIN},
    {"consent", OAS_PROMPT_CONSENT}, {"select_account", OAS_PROMPT_SELECT_ACCOUNT},
    {"create", OAS_PROMPT_CREATE},   {NULL, 0}};

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
    if (tx->prompt == (OAS_PROMPT_NONE | OAS_PROMPT_SELECT_ACCOUNT)) {
        return oas_refuse(tx, OAS_TAG(00947), OAS_E_ACCOUNT_SELECTION, NULL);
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
    if (strspn(text, "0123456789") != strlen(text)) {
        return oas_refuse(tx, OAS_TAG(00648), OAS_E_MAX_AGE, NULL);
    }
    tx->max_age = apr_atoi64(text); /* one that is too large is APR_INT64_MAX: any age */
    return OAS_NEXT;
}

oas_outcome_t oas_load_id_token_hint(oas_tx_t *tx)
{
    const char *hint = oas_params_get(tx->params, "id_token_hint");
    const json_t *claims = hint != NULL ? oas_id_token_read(tx, hint) : NULL;
    const char *aud = claims != NULL ? oas_json_string(claims, "aud") : NULL;
    apr_status_t rv;

    tx->hinted_sub = hint != NULL ? "" : NULL;
    if (aud == NULL) {
        return OAS_NEXT;
    }
    rv = oas_client_find(tx, aud, &tx->hinted_client);
    if (rv == APR_SUCCESS) {
        tx->hinted_sub = oas_json_string(claims, "sub");
    }
    return rv == APR_SUCCESS || rv == APR_ENOENT
               ? OAS_NEXT
               : oas_store_fault(tx, OAS_TAG(00940), rv, "client of id_token_hint not looked up");
}
