/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file scope.h
 * Steps: which API, and which permissions.
 */
#ifndef OAS_CHECK_SCOPE_H
#define OAS_CHECK_SCOPE_H

#include "../base/tx.h"

/** The API that a request names by `audience` or `resource`, NULL for none; 0 when it names two. */
int oas_named_resource(const oas_tx_t *tx, const char **uri);

/**
 * Step: `audience` and `resource` name one API that the client may ask for (RFC 8707); none: the
 * default API if the client may use it. The userinfo URL as audience means no API. Sets
 * tx->resource.
 */
oas_outcome_t oas_check_resource(oas_tx_t *tx);

/**
 * Step: parses scope and keeps what may be granted, in tx->scopes (RFC 6749 section 3.3). OpenID
 * Connect scopes are open to all clients; offline_access is dropped where no refresh token can be
 * issued (OIDC Core section 11): without that grant type, without a code, or for an API with
 * OAuth2ASOfflineAccess off. Any other scope must be one of the API's that the client has: profile
 * oauth21 refuses the request, profile auth0 leaves the scope out. No scope at all means all that
 * the client may have of the named API.
 */
oas_outcome_t oas_check_scope(oas_tx_t *tx);

/**
 * Step of client_credentials: the same for a client in its own name. It needs an API; only scopes
 * of that API count, so OpenID Connect's and offline_access are beyond it. An API that has no
 * scopes, or none for this client, gives a token without scope.
 */
oas_outcome_t oas_check_own_scope(oas_tx_t *tx);

#endif
