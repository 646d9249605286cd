/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jwks.h
 * The public keys of a client (RFC 7517 section 5): those it registered, or what its jwks_uri says.
 */
#ifndef OAS_JOSE_JWKS_H
#define OAS_JOSE_JWKS_H

#include <openssl/x509.h>
#include "jws.h"

#define OAS_JWKS_KEYS_MAX 32 /**< keys of one set, those we cannot use included */

/** Immutable, usable from many threads. */
typedef struct oas_jwks oas_jwks_t;

/**
 * Reads a JWK Set. Keys that cannot be used here (other kinds, sizes, algorithms or uses, missing
 * members) are left out, as RFC 7517 section 5 says; of those the certificate in "x5c" is still
 * kept.
 * @param why plain words without a full stop (static), when it is refused
 * @return APR_EINVAL: no JWK Set; more than OAS_JWKS_KEYS_MAX keys; a private or symmetric key
 *         among them; nothing left that can be used
 * Nothing of `set` is kept: it may go before the result does.
 */
apr_status_t oas_jwks_parse(oas_jwks_t **out, const json_t *set, const char **why,
                            apr_pool_t *pool);

/**
 * Checks a signature with the keys that fit the header's alg: the ones named by its kid, and those
 * without a kid of their own; all of them when it has no kid, up to a bound. A key that the header
 * brings ("jwk", "jku", "x5c", "x5u") is not looked at.
 * @return APR_EACCES: alg is not in the allow-list, or the key that the header names did not verify
 *         it; APR_ENOENT: none verified it and no key here has its kid, so newer keys may
 */
apr_status_t oas_jwks_verify(const oas_jwks_t *set, const oas_jws_t *jws);

/** 1 when the certificate's public key is one of the keys, or the certificate itself is the first
 * one of an "x5c" (RFC 8705 section 2.2.2). */
int oas_jwks_has_certificate(const oas_jwks_t *set, const X509 *certificate);

#endif
