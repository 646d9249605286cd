/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file code.h
 * Authorization codes: made together with their grant, redeemed once.
 */
#ifndef OAS_ISSUE_CODE_H
#define OAS_ISSUE_CODE_H

#include "../base/tx.h"

/** Step of /authorize: makes grant and code in one statement, with the consent given; sets
 * tx->code. */
oas_outcome_t oas_issue_code(oas_tx_t *tx);

/**
 * Step of the token endpoint: redeems tx->code in one statement; sets tx->grant. The public answer
 * to an unknown, expired, used or foreign code is the same (RFC 6749 section 5.2); the log has the
 * reason.
 */
oas_outcome_t oas_issue_redemption(oas_tx_t *tx);

#endif
