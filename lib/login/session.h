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

/** 1 when id_token_hint names somebody, and the session is of somebody else (OIDC Core 3.1.2.2). */
int oas_session_is_another(const oas_tx_t *tx);

/**
 * 1 when there is a session of the user whom the client expects, and neither prompt=login nor
 * max_age asks for a newer one. A login made during this interaction satisfies both, however long
 * the consent page stayed open since (OIDC Core section 3.1.2.1).
 */
int oas_session_satisfies(const oas_tx_t *tx);

#endif
