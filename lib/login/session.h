/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file session.h
 * The browser's session in an authorization request, and whether it satisfies prompt and max_age.
 */
#ifndef OAS_LOGIN_SESSION_H
#define OAS_LOGIN_SESSION_H

#include "../base/tx.h"

/** Step: finds the session of the cookie, with what the user remembers having allowed this client.
 */
oas_outcome_t oas_load_session(oas_tx_t *tx);

/** 1 when id_token_hint or claims.id_token.sub names somebody, and the session is of somebody else
 * (OIDC Core sections 3.1.2.2, 5.5.1). */
int oas_session_is_another(const oas_tx_t *tx);

/** 1 when the session is as strong as one of tx->acr_values. */
int oas_session_reaches_acr(const oas_tx_t *tx);

/** 1 when some way to sign in gives one of tx->acr_values. */
int oas_acr_reachable(const oas_tx_t *tx);

/**
 * 1 when there is a session of the user whom the client expects, strong enough where that is
 * essential, and neither prompt nor max_age asks for a newer one. A login made during this
 * interaction satisfies those two, however long the consent page stayed open since (OIDC Core
 * section 3.1.2.1). Where a wish of acr_values can be reached, a weaker session that was there
 * before does not satisfy; but what the user signs in with then does. Whoever's time of
 * authentication nobody knows (auth_time 0) satisfies no max_age.
 */
int oas_session_satisfies(const oas_tx_t *tx);

/** 1 when prompt=select_account is still to be answered. A login answers it, too. */
int oas_session_needs_choice(const oas_tx_t *tx);

/** 1 when only a login made during this interaction will do (prompt=login, a hint of nobody). */
int oas_session_must_be_new(const oas_tx_t *tx);

#endif
