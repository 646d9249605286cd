/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file absent.h
 * Profile auth0: paths of Auth0's APIs that this server does not have. SDKs that call them expect
 * JSON and, in a browser, CORS; they get a 404 that they can read.
 */
#ifndef OAS_ENDPOINT_ABSENT_H
#define OAS_ENDPOINT_ABSENT_H

#include "../base/tx.h"

/**
 * The part of `path`, a whole path on this host, that names such an API, in `pool`: the issuer's
 * path and "/mfa", "/oauth/par", ...; NULL for all other paths, and in other profiles.
 */
const char *oas_absent_api(const oas_issuer_t *issuer, const char *path, apr_pool_t *pool);

/** Answers a request for one: 404 not_found, a preflight as an endpoint does. Fills tx->reply. */
void oas_absent_run(oas_tx_t *tx);

#endif
