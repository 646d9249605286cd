/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file claims.h
 * Which of a subject's claims go where.
 */
#ifndef OAS_ISSUE_CLAIMS_H
#define OAS_ISSUE_CLAIMS_H

#include "../base/tx.h"

/**
 * Adds to `target` the claims of tx->grant that OAuth2ASClaim releases with these scopes in
 * this place, and those that the request asked for there by themselves (parameter claims, OIDC Core
 * section 5.5). Members that `target` has already are never overwritten, so no claim can pose as a
 * protocol one.
 * @param where one OAS_IN_ bit
 */
void oas_release_claims(const oas_tx_t *tx, const oas_words_t *scopes, unsigned where,
                        oas_members_t *target);

#endif
