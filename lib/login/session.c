/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <string.h>
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

int oas_session_is_another(const oas_tx_t *tx)
{
    return tx->session != NULL && tx->hinted_sub != NULL && tx->hinted_sub[0] != '\0' &&
           strcmp(tx->hinted_sub, tx->session->sub) != 0;
}

int oas_session_satisfies(const oas_tx_t *tx)
{
    if (tx->session == NULL || oas_session_is_another(tx)) {
        return 0;
    }
    if (tx->login_time != 0 && tx->login_time == tx->session->auth_time) {
        return 1;
    }
    if ((tx->prompt & OAS_PROMPT_LOGIN) || (tx->hinted_sub != NULL && tx->hinted_sub[0] == '\0')) {
        return 0;
    }
    /* whole seconds, rounded down, so an equal age may be a second too old already */
    return tx->max_age < 0 || tx->session->now - tx->session->auth_time < tx->max_age;
}
