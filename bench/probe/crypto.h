/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file crypto.h
 * Signatures at the price of OpenSSL alone: keys stay, and each thread prepares its context once
 * for each key.
 */
#ifndef OAS_PROBE_CRYPTO_H
#define OAS_PROBE_CRYPTO_H

#include <apr_pools.h>

#define PROBE_SIGNATURE_MAX 512

typedef struct probe_key probe_key_t;

/** A key of a PEM file for RS256, ES256 or EdDSA; it lives as long as `pool`. Returns NULL or what
 * is wrong. */
const char *probe_key_open(probe_key_t **out, const char *alg, const char *file, apr_pool_t *pool);

/** Signs into `signature`, whose length is that of the algorithm. Returns the length, 0 when
 * OpenSSL cannot. */
apr_size_t probe_sign(const probe_key_t *key, const char *text, apr_size_t len,
                      unsigned char signature[PROBE_SIGNATURE_MAX]);

/** 1 when the signature is the key's. */
int probe_verify(const probe_key_t *key, const char *text, apr_size_t len,
                 const unsigned char *signature, apr_size_t signature_len);

/** base64url without padding; writes no NUL. Returns the number of characters. */
apr_size_t probe_encode(char *out, const unsigned char *in, apr_size_t len);

/** The octets of base64url text; `out` has room for 3/4 of `len`. Returns their number, 0 for other
 * text. */
apr_size_t probe_decode(unsigned char *out, const char *in, apr_size_t len);

#endif
