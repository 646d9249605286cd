/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file response.h
 * Steps: how the answer to an authorization request shall look.
 */
#ifndef OAS_CHECK_RESPONSE_H
#define OAS_CHECK_RESPONSE_H

#include "../base/tx.h"

/** Takes state and nonce; assigns the response_mode asked for, or query (OAuth 2.0 Multiple
 * Response Types 2.1). */
oas_outcome_t oas_assign_response_mode(oas_tx_t *tx);

/** response_mode is one we have: query, fragment, form_post. Errors go by the default mode. */
oas_outcome_t oas_check_response_mode(oas_tx_t *tx);

/** request and request_uri are refused as what they are (OIDC Core 3.1.2.6). */
oas_outcome_t oas_check_request_object(oas_tx_t *tx);

/** response_type is known and allowed to this client (RFC 6749 section 3.1.1). */
oas_outcome_t oas_check_response_type(oas_tx_t *tx);

#endif
