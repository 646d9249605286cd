/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file refresh_token.h
 * Derived refresh tokens (law 6): the token that replaces another one follows from it, so whoever
 * presents the old one again gets the same new one, on any node with the same secret, with nothing
 * stored but hashes.
 */
#ifndef OAS_BASE_REFRESH_TOKEN_H
#define OAS_BASE_REFRESH_TOKEN_H

#include "bytes.h"
#include "secret.h"

/**
 * The secret half of the token that replaces one: HMAC-SHA-256 of id || parent under the server's
 * secret (secret->refresh_key). Who has the parent, or the database, but not the server's secret
 * cannot tell the child.
 * @param id     handle id of both, the grant's
 * @param parent secret half of the token that is replaced; of it only the SHA-256 rests
 * @param child  to be wiped by the caller
 * @return APR_EGENERAL when OpenSSL cannot
 */
apr_status_t oas_refresh_secret(const oas_secret_t *secret, const unsigned char id[OAS_ID_LEN],
                                const unsigned char parent[OAS_SECRET_LEN],
                                unsigned char child[OAS_SECRET_LEN]);

#endif
