/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file recheck.h
 * OAuth2ASSubjectRecheck: before access goes on, somebody is asked whether the user is still one of
 * ours.
 */
#ifndef OAS_LOGIN_RECHECK_H
#define OAS_LOGIN_RECHECK_H

#include "../base/tx.h"

/**
 * Asks an expression or a program about the subject behind a refresh token; no connection is held
 * meanwhile. Whoever has gone loses the whole family (OAS_E_USER_BLOCKED); when nobody can tell,
 * the client is asked to come back (OAS_E_UNAVAILABLE). A token that is not the family's valid one,
 * or another client's, is not looked into: the statement that uses it has its own answer. The kind
 * OAS_RECHECK_SQL is part of that statement.
 */
oas_outcome_t oas_recheck_subject(oas_tx_t *tx, const unsigned char grant_id[OAS_ID_LEN],
                                  const unsigned char token_hash[OAS_SHA256_LEN]);

/** Step: the same for tx->refresh_token. */
oas_outcome_t oas_check_subject(oas_tx_t *tx);

#endif
