/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file code.h
 * Grants, and the authorization codes that are made together with them and redeemed once.
 */
#ifndef OAS_ISSUE_CODE_H
#define OAS_ISSUE_CODE_H

#include "../base/tx.h"

/**
 * Step of /authorize: makes the grant in one statement, with the consent given and with a code when
 * the response has one; sets tx->grant, tx->code and the member code of tx->answer. Whatever else
 * leaves is made of tx->grant, so nothing leaves that was not committed.
 */
oas_outcome_t oas_issue_code(oas_tx_t *tx);

/**
 * Step of the token endpoint: redeems tx->code in one statement; sets tx->grant. The public answer
 * to an unknown, expired, used or foreign code is the same (RFC 6749 section 5.2); the log has the
 * reason.
 */
oas_outcome_t oas_issue_redemption(oas_tx_t *tx);

#endif
