/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bearer.h
 * Access tokens that come back to us (RFC 6750, RFC 9068 section 4).
 */
#ifndef OAS_CHECK_BEARER_H
#define OAS_CHECK_BEARER_H

#include "../base/tx.h"

/**
 * Step of userinfo: one access token, in the Authorization header or, with POST, in the form body;
 * in profile auth0 also in the query, for a client with OAuth2ASQueryToken. It is signed by us, of
 * type at+jwt, for this issuer's userinfo, with scope openid, of a client that still is one, and
 * came over a connection with the certificate that it names, if it names one. Sets
 * tx->token and tx->client. Expiry is judged by the database (load_grant).
 */
oas_outcome_t oas_check_access_token(oas_tx_t *tx);

/** Step: the grant behind the token is live and the token has not expired. Sets tx->grant. */
oas_outcome_t oas_load_grant(oas_tx_t *tx);

#endif
