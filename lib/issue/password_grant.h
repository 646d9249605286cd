/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file password_grant.h
 * Access by a user's password, sent by the operator's own application (RFC 6749 section 4.3).
 */
#ifndef OAS_ISSUE_PASSWORD_GRANT_H
#define OAS_ISSUE_PASSWORD_GRANT_H

#include "../base/tx.h"

/** Step: stores whom tx->login names and makes a live grant with tx->scopes of tx->resource, with a
 * refresh token where one was asked for and may be. There is no session. Sets tx->grant. */
oas_outcome_t oas_issue_password_grant(oas_tx_t *tx);

#endif
