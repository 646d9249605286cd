/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client_grant.h
 * Access of a client in its own name (RFC 6749 section 4.4).
 */
#ifndef OAS_ISSUE_CLIENT_GRANT_H
#define OAS_ISSUE_CLIENT_GRANT_H

#include "../base/tx.h"

/**
 * Step: tx->grant for tx->client itself, with tx->scopes of tx->resource. Nothing is stored and
 * nothing is asked: the grant has no id, and its token is dated by this node's clock, so that a
 * client of the configuration gets one while the database is away. There is nobody behind it: no
 * session, no claims, and sub is the client's id, for an API of dialect auth0 "id@clients".
 */
oas_outcome_t oas_issue_client_grant(oas_tx_t *tx);

#endif
