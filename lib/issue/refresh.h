/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file refresh.h
 * Refresh tokens: the first one of a family, the one that replaces another, and what the client is
 * told when there is none (law 5).
 */
#ifndef OAS_ISSUE_REFRESH_H
#define OAS_ISSUE_REFRESH_H

#include "../base/tx.h"
#include "../store/grant.h"

/**
 * Makes the first refresh token of a grant, if this client may have one in this request: it is
 * registered for the grant type, and a request from a page (Origin) authenticates with nothing but
 * PKCE, for whatever else a page holds can be taken from it. Sets tx->refresh_token; *out is what
 * is to be stored, NULL for none.
 */
apr_status_t oas_refresh_first(oas_tx_t *tx, const unsigned char grant_id[OAS_ID_LEN],
                               const oas_refresh_first_t **out);

/**
 * Step: uses tx->refresh_token, in one statement. Sets tx->grant, with the scopes of this answer,
 * and tx->refresh_token to the token to hand out. All refusals of a token read the same on the wire
 * (RFC 6749 section 5.2), but for a user who is blocked; the log has the reason.
 */
oas_outcome_t oas_issue_rotation(oas_tx_t *tx);

/**
 * What the configuration gives a client by now (oas_refresh_t.allowed): an API or a scope that was
 * taken from it is not handed out for the rest of a family's life. Only the store knows which API a
 * token is about, and it has to know before it spends the token.
 * @return JSON object: uri of each API ("" for the scopes of OpenID Connect) -> scopes; in `pool`,
 *         NULL when it cannot be written
 */
const char *oas_refresh_allowed(const oas_issuer_t *issuer, const oas_client_t *client,
                                apr_pool_t *pool);

/** Step: puts the refresh token, when the grant has one, into tx->answer. */
oas_outcome_t oas_issue_refresh_token(oas_tx_t *tx);

#endif
