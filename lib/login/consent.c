/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"

#include <string.h>
#include "../base/uri.h"

/* 1 when another program on the user's device could receive this redirect. */
static int redirect_unproven(const oas_tx_t *tx)
{
    oas_uri_t uri;

    if (oas_uri_parse(&uri, tx->redirect_uri, tx->pool) != APR_SUCCESS) {
        return 1;
    }
    return strcmp(uri.scheme, "https") != 0;
}

/* Nobody has answered a page of ours yet, and the redirect cannot show who gets it (RFC 8252 8.6).
 */
static int silent_and_unproven(const oas_tx_t *tx)
{
    return tx->form_step == OAS_FORM_NONE && tx->client->type == OAS_CLIENT_NATIVE &&
           redirect_unproven(tx);
}

oas_outcome_t oas_load_consent(oas_tx_t *tx)
{
    const oas_expr_t *rule =
        tx->client->skip_consent != NULL ? tx->client->skip_consent : tx->issuer->skip_consent;

    if (tx->client->first_party && rule != NULL && !(tx->prompt & OAS_PROMPT_CONSENT) &&
        !silent_and_unproven(tx)) {
        tx->consent_skipped = tx->host->test(tx, rule);
    }
    return OAS_NEXT;
}

int oas_consent_covers(const oas_tx_t *tx)
{
    if (tx->consent_skipped || tx->consent_given) {
        return 1;
    }
    if ((tx->prompt & OAS_PROMPT_CONSENT) || tx->session == NULL ||
        tx->session->consented == NULL) {
        return 0;
    }
    return !silent_and_unproven(tx) && oas_words_subset(tx->permissions, tx->session->consented);
}
