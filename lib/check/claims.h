/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file claims.h
 * Claims that a request asks for one by one: the parameter `claims` (OIDC Core section 5.5).
 */
#ifndef OAS_CHECK_CLAIMS_H
#define OAS_CHECK_CLAIMS_H

#include "../base/tx.h"

#define OAS_CLAIMS_REQUEST_MAX 4096 /**< bytes of the parameter */

/**
 * Step: reads `claims` of a request with scope openid (without, it is no OpenID Connect request and
 * the parameter has no meaning). A JSON object; its members id_token and userinfo are objects whose
 * members are null or objects; members that are not known are ignored.
 *
 * Sets tx->claims_request to what can be released of it, {"id_token": [NAME...], "userinfo":
 * [NAME...]}, NULL for nothing: claims of OAuth2ASClaim that go to applications at all (not those
 * for access tokens only), whose scope this client may ask for. tx->permissions becomes tx->scopes
 * and a word OAS_CLAIM_WORD for each of those claims that these scopes do not release anyway: what
 * the user is asked for, and what is remembered.
 *
 * id_token.sub with value or values sets tx->expected_subs, id_token.acr with value or values
 * tx->acr_values and tx->acr_essential (section 5.5.1.1). Values asked of other claims do not
 * matter: a claim is what it is.
 */
oas_outcome_t oas_check_claims(oas_tx_t *tx);

#endif
