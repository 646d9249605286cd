/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file introspection.h
 * Steps of introspection (RFC 7662): who may ask, and whether the token in question is good.
 */
#ifndef OAS_CHECK_INTROSPECTION_H
#define OAS_CHECK_INTROSPECTION_H

#include "../base/tx.h"

/** Step: whoever asks has proved who it is (RFC 7662 section 2.1); a public client cannot. */
oas_outcome_t oas_check_introspection_client(oas_tx_t *tx);

/**
 * Step: tx->token->active, by one statement whose clock judges expiry. 1 only when the token is
 * good and the asking client's own, or an access token for an API that names this client
 * (OAuth2ASIntrospectionClient). A refresh token concerns nobody but its client; its grant is then
 * in tx->grant. Why a token is not active is for the log alone (RFC 7662 section 2.2).
 */
oas_outcome_t oas_load_token_state(oas_tx_t *tx);

#endif
