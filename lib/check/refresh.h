/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file refresh.h
 * What a refresh request says (RFC 6749 section 6).
 */
#ifndef OAS_CHECK_REFRESH_H
#define OAS_CHECK_REFRESH_H

#include "../base/tx.h"

/**
 * Step: refresh_token has the form of one of ours, no page sent it with a secret, scope is
 * well-formed, and one API at most is named (RFC 8707 section 2.2). Sets tx->refresh_token,
 * tx->scopes (NULL: all of the grant's) and tx->grant_resource; whether they fit the grant is
 * judged by the statement that uses the token. Everything else that a request carries is ignored.
 */
oas_outcome_t oas_check_refresh_token(oas_tx_t *tx);

#endif
