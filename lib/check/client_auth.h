/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client_auth.h
 * Client authentication (RFC 6749 section 2.3): by secret, by assertion (assertion.h), by
 * certificate (certificate.h), or none.
 */
#ifndef OAS_CHECK_CLIENT_AUTH_H
#define OAS_CHECK_CLIENT_AUTH_H

#include "../base/tx.h"

/**
 * Takes an Authorization header of scheme Basic apart (RFC 7617; both halves percent-decoded as RFC
 * 6749 section 2.3.1 asks). APR_ENOENT: no header or another scheme; APR_EINVAL: malformed. The
 * secret is wiped with the pool.
 */
apr_status_t oas_basic_parse(const char *header, const char **client_id, const char **secret,
                             apr_pool_t *pool);

/**
 * Step: finds the client of a token request and makes sure that it is the one it says, in the one
 * way it is registered for; more than one way in a request is refused. An unknown client and a
 * wrong secret answer alike. Sets tx->client, tx->auth_method and tx->cnf. A configured client with
 * a secret costs no statement, an assertion one.
 */
oas_outcome_t oas_check_client_auth(oas_tx_t *tx);

#endif
