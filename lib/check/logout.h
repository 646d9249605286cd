/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file logout.h
 * Steps of the logout endpoints: who asks for a logout, and where the browser may go afterwards
 * (OpenID Connect RP-Initiated Logout 1.0; Auth0's /v2/logout).
 */
#ifndef OAS_CHECK_LOGOUT_H
#define OAS_CHECK_LOGOUT_H

#include "../base/tx.h"

/** A logout on its way. */
typedef struct oas_end_session {
    const json_t *hint;    /**< claims of id_token_hint; NULL: none that counts */
    int hint_unusable;     /**< 1: there is one, and it is no ID token of ours: the browser is not
                              sent anywhere, since nobody knows who asks */
    const char *return_to; /**< registered address of tx->client, or NULL */
    oas_words_t *told;     /**< clients that took part in the session and want to know, or NULL; by
                              issue_logout */
} oas_end_session_t;

/** Sets tx->ending; reads id_token_hint, expired or not, which Auth0's endpoint does not know.
 * Never fails. */
oas_outcome_t oas_load_logout_hint(oas_tx_t *tx);

/**
 * Sets tx->client where client_id or the hint names one. Both have to name the same
 * (RP-Initiated Logout section 2). The client of a hint that is no client any more leaves the hint
 * unusable; an unknown client_id is refused.
 */
oas_outcome_t oas_load_logout_client(oas_tx_t *tx);

/** post_logout_redirect_uri: exactly a registered one (section 3). Without a client, and with a
 * hint that is unusable, it is left out of account. */
oas_outcome_t oas_check_post_logout_redirect_uri(oas_tx_t *tx);

/** returnTo of Auth0's logout: exactly a registered one, without client_id of any configured
 * client. None: the client's first one. */
oas_outcome_t oas_check_return_to(oas_tx_t *tx);

/**
 * 1 when the logout need not be confirmed by its user, behind load_salt and load_session: nobody is
 * signed in; the page that asks was answered with yes; or whoever asks has an ID token of this very
 * session, or knows its sid as this client is told it (as logout_hint, which Auth0's SDKs send).
 * Everybody else may be a stranger who sent the browser here.
 */
int oas_logout_confirmed(const oas_tx_t *tx);

#endif
