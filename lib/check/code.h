/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file code.h
 * Step of the token endpoint: what a code needs to be redeemed (RFC 6749 section 4.1.3).
 */
#ifndef OAS_CHECK_CODE_H
#define OAS_CHECK_CODE_H

#include "../base/tx.h"

/** code and code_verifier are there and well-formed, resource is there once at most. Redeeming them
 * is oas_issue_redemption's. */
oas_outcome_t oas_check_code(oas_tx_t *tx);

#endif
