/* SPDX-License-Identifier: Apache-2.0 */
#include "logout.h"

#include <string.h>
#include "../base/json.h"
#include "../base/subject.h"
#include "../base/uri.h"
#include "client.h"
#include "id_token.h"

/* The client that the hint was issued to; NULL: there is no hint, or none that counts. */
static const char *hinted_client(const oas_tx_t *tx)
{
    return tx->ending->hint != NULL ? oas_json_string(tx->ending->hint, "aud") : NULL;
}

static void give_up_hint(oas_tx_t *tx)
{
    tx->ending->hint = NULL;
    tx->ending->hint_unusable = 1;
}

oas_outcome_t oas_load_logout_hint(oas_tx_t *tx)
{
    const char *hint = oas_params_get(tx->params, "id_token_hint");

    tx->ending = apr_pcalloc(tx->pool, sizeof(*tx->ending));
    if (hint != NULL && tx->endpoint == OAS_EP_LOGOUT) {
        tx->ending->hint = oas_id_token_read(tx, hint);
        if (hinted_client(tx) == NULL) {
            give_up_hint(tx);
        }
    }
    return OAS_NEXT;
}

oas_outcome_t oas_load_logout_client(oas_tx_t *tx)
{
    const char *named = oas_params_get(tx->params, "client_id");
    const char *hinted = hinted_client(tx);
    const char *client_id = named != NULL ? named : hinted;
    apr_status_t rv;

    if (client_id == NULL) {
        return OAS_NEXT;
    }
    if (named != NULL && hinted != NULL && strcmp(named, hinted) != 0) {
        return oas_refuse(tx, OAS_TAG(00960), OAS_E_LOGOUT_HINT, NULL);
    }
    rv = oas_client_find(tx, client_id, &tx->client);
    if (rv == APR_ENOENT && named == NULL) {
        give_up_hint(tx);
        return OAS_NEXT;
    }
    if (rv == APR_ENOENT) {
        return oas_refuse(tx, OAS_TAG(00961), OAS_E_CLIENT_UNKNOWN, NULL);
    }
    return rv == APR_SUCCESS
               ? OAS_NEXT
               : oas_store_fault(tx, OAS_TAG(00962), rv, "client of a logout not looked up");
}

static int is_registered(const oas_client_t *client, const char *uri, apr_pool_t *pool)
{
    const oas_words_t *uris = client->post_logout_redirect_uris;
    int i;

    for (i = 0; uris != NULL && i < uris->nelts; i++) {
        if (oas_redirect_uri_matches(OAS_WORD(uris, i), uri, client->type == OAS_CLIENT_NATIVE,
                                     pool)) {
            return 1;
        }
    }
    return 0;
}

oas_outcome_t oas_check_post_logout_redirect_uri(oas_tx_t *tx)
{
    const char *uri = oas_params_get(tx->params, "post_logout_redirect_uri");

    if (uri == NULL) {
        return OAS_NEXT;
    }
    if (tx->client == NULL || tx->ending->hint_unusable) {
        oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00963), APR_SUCCESS,
                "nobody is sent to post_logout_redirect_uri: %s client=%s ref=%s",
                tx->ending->hint_unusable ? "id_token_hint is no ID token of this issuer"
                                          : "neither client_id nor id_token_hint",
                tx->client != NULL ? tx->client->client_id : "-", tx->request_id);
        return OAS_NEXT;
    }
    if (!is_registered(tx->client, uri, tx->pool)) {
        return oas_refuse(tx, OAS_TAG(00964), OAS_E_LOGOUT_RETURN, "post_logout_redirect_uri");
    }
    tx->ending->return_to = uri;
    return OAS_NEXT;
}

static int is_registered_anywhere(const oas_tx_t *tx, const char *uri)
{
    apr_hash_index_t *hi;

    for (hi = apr_hash_first(tx->pool, tx->issuer->clients); hi != NULL; hi = apr_hash_next(hi)) {
        if (is_registered(apr_hash_this_val(hi), uri, tx->pool)) {
            return 1;
        }
    }
    return 0;
}

oas_outcome_t oas_check_return_to(oas_tx_t *tx)
{
    const char *uri = oas_params_get(tx->params, "returnTo");
    const oas_words_t *own = tx->client != NULL ? tx->client->post_logout_redirect_uris : NULL;

    if (uri == NULL) {
        tx->ending->return_to = own != NULL && own->nelts > 0 ? OAS_WORD(own, 0) : NULL;
        return OAS_NEXT;
    }
    if (tx->client != NULL ? !is_registered(tx->client, uri, tx->pool)
                           : !is_registered_anywhere(tx, uri)) {
        return oas_refuse(tx, OAS_TAG(00965), OAS_E_LOGOUT_RETURN, "returnTo");
    }
    tx->ending->return_to = uri;
    return OAS_NEXT;
}

/* 1 when logout_hint is absent, or says what the ID token says: its session or its user. */
static int hints_agree(const json_t *hint, const char *logout_hint)
{
    return logout_hint == NULL || oas_equal_str(logout_hint, oas_json_string(hint, "sid")) ||
           oas_equal_str(logout_hint, oas_json_string(hint, "sub"));
}

/* What whoever asks would know of this browser's session as its sid. */
static const char *told_sid(const oas_tx_t *tx)
{
    return tx->client != NULL ? oas_sid_for(tx, tx->client, tx->session->id) : tx->session->id;
}

int oas_logout_confirmed(const oas_tx_t *tx)
{
    const char *logout_hint = oas_params_get(tx->params, "logout_hint");
    const json_t *hint = tx->ending->hint;

    if (tx->session == NULL) {
        return 1;
    }
    if (tx->form_step == OAS_FORM_CONFIRM) {
        return oas_equal_str(oas_params_get(tx->form, "confirm"), "yes");
    }
    if (hint != NULL) {
        return oas_equal_str(oas_json_string(hint, "sid"), told_sid(tx)) &&
               hints_agree(hint, logout_hint);
    }
    return !tx->ending->hint_unusable && oas_equal_str(logout_hint, told_sid(tx));
}
