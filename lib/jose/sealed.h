/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sealed.h
 * A private key as it rests in the database: PKCS#8 in a box (base/box.h) that only the server's
 * secrets open, and only for this issuer, kid and algorithm.
 */
#ifndef OAS_JOSE_SEALED_H
#define OAS_JOSE_SEALED_H

#include "../base/secret.h"
#include "jwk.h"

/** Whose key it is. */
typedef struct {
    const char *issuer;                /**< its URL */
    const apr_array_header_t *secrets; /**< of oas_secret_t *; the first one seals */
} oas_seal_for_t;

/** Seals a key under the first secret, in `pool`. APR_EGENERAL when it cannot be had or sealed. */
apr_status_t oas_key_seal(oas_bytes_t *out, const oas_jwk_t *jwk, const oas_alg_t *alg,
                          const oas_seal_for_t *whose, apr_pool_t *pool);

/**
 * Opens what oas_key_seal made of the key that has this kid for this algorithm.
 * @return APR_ENOENT: none of the secrets sealed it; APR_EACCES: it was changed, is another's, or
 *         is no such key
 */
apr_status_t oas_key_open(oas_jwk_t **out, oas_bytes_t sealed, const char *kid,
                          const oas_alg_t *alg, const oas_seal_for_t *whose, apr_pool_t *pool);

#endif
