/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "../base/subject.h"
#include "../store/session.h"
#include "cookie.h"

oas_outcome_t oas_load_session(oas_tx_t *tx)
{
    unsigned char id[OAS_ID_LEN];
    unsigned char hash[OAS_SHA256_LEN];
    oas_session_t *session;
    apr_status_t rv;

    if ((tx->prompt & OAS_PROMPT_NONE) && tx->response_mode == OAS_MODE_WEB_MESSAGE) {
        oas_cookie_read_framed(tx);
    }
    if (oas_cookie_session(tx, id, hash) != APR_SUCCESS) {
        return OAS_NEXT;
    }
    session = apr_pcalloc(tx->pool, sizeof(*session));
    rv =
        oas_store_session_load(tx->db, id, hash, tx->client != NULL ? tx->client->client_id : "",
                               tx->resource != NULL ? tx->resource->uri : "",
                               tx->issuer->lifetimes[OAS_LIFETIME_SESSION_IDLE], session, tx->pool);
    if (rv == APR_ENOENT) {
        return OAS_NEXT;
    }
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00507), rv, "session not loaded");
    }
    tx->session = session;
    oas_cookie_keep_framed(tx);
    return OAS_NEXT;
}

/* 1 when this is the user whom a value of the request names. */
static int is_expected(const oas_tx_t *tx)
{
    int i;

    for (i = 0; i < tx->expected_subs->nelts; i++) {
        if (oas_subject_is(tx, tx->client, OAS_WORD(tx->expected_subs, i), tx->session->sub)) {
            return 1;
        }
    }
    return 0;
}

int oas_session_is_another(const oas_tx_t *tx)
{
    if (tx->session == NULL) {
        return 0;
    }
    if (tx->hinted_client != NULL &&
        !oas_subject_is(tx, tx->hinted_client, tx->hinted_sub, tx->session->sub)) {
        return 1;
    }
    return tx->expected_subs != NULL && !is_expected(tx);
}

int oas_session_reaches_acr(const oas_tx_t *tx)
{
    return tx->session != NULL && tx->session->acr != NULL &&
           oas_words_has(tx->acr_values, tx->session->acr);
}

int oas_acr_reachable(const oas_tx_t *tx)
{
    int i;

    for (i = 0; i < tx->acr_values->nelts; i++) {
        if (oas_acr_offered(tx->issuer, OAS_WORD(tx->acr_values, i))) {
            return 1;
        }
    }
    return 0;
}

/* A wish is put to the user once: whoever has signed in on this page, or gone on from it, is asked
 * no second time. */
static int wants_step_up(const oas_tx_t *tx)
{
    return tx->acr_values != NULL && !oas_session_reaches_acr(tx) &&
           tx->form_step == OAS_FORM_NONE && !(tx->prompt & OAS_PROMPT_NONE) &&
           oas_acr_reachable(tx);
}

static int is_fresh(const oas_tx_t *tx)
{
    if (tx->max_age < 0) {
        return 1;
    }
    /* whole seconds, rounded down, so an equal age may be a second too old already */
    return tx->session->auth_time != 0 && tx->session->now - tx->session->auth_time < tx->max_age;
}

int oas_session_must_be_new(const oas_tx_t *tx)
{
    return (tx->prompt & (OAS_PROMPT_LOGIN | OAS_PROMPT_CREATE)) ||
           (tx->hinted_sub != NULL && tx->hinted_sub[0] == '\0');
}

int oas_session_satisfies(const oas_tx_t *tx)
{
    if (tx->session == NULL || tx->other_account || oas_session_is_another(tx) ||
        (tx->acr_essential && !oas_session_reaches_acr(tx))) {
        return 0;
    }
    if (tx->login_time != 0 && tx->login_time == tx->session->auth_time) {
        return 1;
    }
    return !oas_session_must_be_new(tx) && is_fresh(tx) && !wants_step_up(tx);
}

int oas_session_needs_choice(const oas_tx_t *tx)
{
    int answered =
        tx->form_step == OAS_FORM_SELECT ? tx->account_chosen : tx->form_step != OAS_FORM_NONE;

    return (tx->prompt & OAS_PROMPT_SELECT_ACCOUNT) && !answered;
}
