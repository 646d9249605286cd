/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file response.h
 * Steps: what the answer to an authorization request shall be, and how it shall travel.
 */
#ifndef OAS_CHECK_RESPONSE_H
#define OAS_CHECK_RESPONSE_H

#include "../base/tx.h"

/**
 * Takes state, nonce and the parts of response_type; assigns the response_mode asked for, or the
 * default of the parts: fragment with a token or an ID token, else query (OAuth 2.0 Multiple
 * Response Types 2.1, 5). What is wrong here is refused below, and the refusal travels by the mode
 * assigned. Never fails.
 */
oas_outcome_t oas_assign_response_mode(oas_tx_t *tx);

/**
 * With web_message: this client may use it, and the origin of redirect_uri is one of its web
 * origins. Sets tx->message_origin; otherwise a page, never a message.
 */
oas_outcome_t oas_check_web_message(oas_tx_t *tx);

/** response_mode is one we have; never query for what holds a token or an ID token. */
oas_outcome_t oas_check_response_mode(oas_tx_t *tx);

/** request and request_uri are refused as what they are (OIDC Core 3.1.2.6). */
oas_outcome_t oas_check_request_object(oas_tx_t *tx);

/**
 * response_type is known, in whatever order its words are, and allowed to this client (RFC 6749
 * section 3.1.1); sets tx->mask to its parts. Profile oauth21 has no access tokens from the front
 * channel (RFC 9700 section 2.1.2), nor has a client whose tokens are bound to its certificate.
 */
oas_outcome_t oas_check_response_type(oas_tx_t *tx);

/** What an ID token from the front channel needs: nonce, and scope openid (OIDC Core 3.2.2.1,
 * 3.3.2.11). */
oas_outcome_t oas_check_id_token_request(oas_tx_t *tx);

#endif
