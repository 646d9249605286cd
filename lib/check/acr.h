/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file acr.h
 * How strongly the user shall have signed in (OIDC Core sections 3.1.2.1, 5.5.1.1; RFC 9470).
 */
#ifndef OAS_CHECK_ACR_H
#define OAS_CHECK_ACR_H

#include "../base/tx.h"

/**
 * Step, behind check_claims: brings the wishes of the request and the client's requirement together
 * in tx->acr_values, best first. With tx->acr_essential one of them has to be reached; otherwise
 * they are a wish. NULL: none.
 *
 * acr_values is a wish, after claims.id_token.acr. OAuth2ASRequire acr= is essential: what the
 * request wishes of it comes first. Both essential and nothing in common: an empty list, which no
 * login reaches.
 */
oas_outcome_t oas_check_acr(oas_tx_t *tx);

#endif
