/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pkce.h
 * Proof Key for Code Exchange (RFC 7636), S256 only (RFC 9700 section 2.1.1).
 */
#ifndef OAS_CHECK_PKCE_H
#define OAS_CHECK_PKCE_H

#include "../base/tx.h"

/** Step of /authorize: code_challenge is there when required, of method S256 and well-formed. */
oas_outcome_t oas_check_code_challenge(oas_tx_t *tx);

/**
 * The S256 challenge of a code_verifier in `pool`; APR_EINVAL unless it is 43 to 128 unreserved
 * characters (RFC 7636 sections 4.1, 4.2).
 */
apr_status_t oas_code_challenge(const char **out, const char *verifier, apr_pool_t *pool);

#endif
