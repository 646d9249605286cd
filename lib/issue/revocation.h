/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file revocation.h
 * The end of a token at its client's wish (RFC 7009).
 */
#ifndef OAS_ISSUE_REVOCATION_H
#define OAS_ISSUE_REVOCATION_H

#include "../base/tx.h"

/**
 * Step: ends what tx->token stands for, in one statement. A refresh token ends its grant, and the
 * consent where OAuth2ASRevokeConsent says so; an access token ends its grant; a client's own
 * access token is put on the list of revoked ones. A token that is unknown, another client's,
 * malformed or past its end changes nothing, and the answer does not tell (RFC 7009 section 2.2).
 */
oas_outcome_t oas_issue_revocation(oas_tx_t *tx);

#endif
