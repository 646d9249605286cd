/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file subject.h
 * From an identity that a login source vouches for to the subject and its claims.
 */
#ifndef OAS_LOGIN_SUBJECT_H
#define OAS_LOGIN_SUBJECT_H

#include "../base/tx.h"

#define OAS_SUBJECT_MAX 255   /**< ASCII characters of a sub (OIDC Core section 2) */
#define OAS_CLAIMS_MAX  16384 /**< bytes of the claims of one subject as JSON */

/** ASCII letters folded to lower case, in `pool`. */
char *oas_fold_case(const char *text, apr_pool_t *pool);

/**
 * The sub of an identity: OAuth2ASSubject, or "provider|canonical name"; folded to lower case where
 * the provider ignores case; everything outside visible ASCII percent-encoded; a longer one than
 * OAS_SUBJECT_MAX becomes "provider|sha256:HASH".
 * @return APR_EGENERAL when the expression cannot be evaluated or gives nothing
 */
apr_status_t oas_subject_make(oas_tx_t *tx, const oas_identity_t *identity, const char **sub);

/**
 * Evaluates OAuth2ASClaim for whoever has just signed in. Empty values and values that do not fit
 * their type are left out (the latter logged).
 * @param out JSON object owned by tx->pool
 */
apr_status_t oas_subject_claims(oas_tx_t *tx, json_t **out);

#endif
