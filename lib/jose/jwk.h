/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jwk.h
 * Keys (RFC 7517, 7518, 8037) on OpenSSL EVP_PKEY, and the allow-list of algorithms.
 */
#ifndef OAS_JOSE_JWK_H
#define OAS_JOSE_JWK_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <jansson.h>
#include <openssl/evp.h>
#include "../base/bytes.h"

#define OAS_RSA_MIN_BITS 2048

/** One row of the allow-list: RS256, PS256, ES256, EdDSA. No other key signs or verifies, ever;
 * HS256 is apart (oas_jws_verify_hmac). */
typedef struct oas_alg oas_alg_t;

/** The algorithm called `name` (case-sensitive), or NULL: "none" and all others are NULL. */
const oas_alg_t *oas_alg_find(const char *name);
/** The same for what others write: they may call EdDSA by its curve, Ed25519 (RFC 9864). */
const oas_alg_t *oas_alg_find_foreign(const char *name);
/** Its JWS name. */
const char *oas_alg_name(const oas_alg_t *alg);
/** The i-th of the list in order of preference (RS256, PS256, ES256, EdDSA), or NULL at the end. */
const oas_alg_t *oas_alg_at(int i);

/** The place of one in that order. */
int oas_alg_index(const oas_alg_t *alg);

/** A public or private key with its RFC 7638 thumbprint; immutable, usable from many threads. */
typedef struct oas_jwk oas_jwk_t;

/**
 * Wraps a key; takes over one reference, released with the pool.
 * @return APR_EINVAL when the key is of no supported kind (RSA, P-256, Ed25519) or an RSA key is
 *         shorter than OAS_RSA_MIN_BITS, has an even exponent or one below 65537, or was made by a
 *         generator known as broken; *why then says so in plain words, without a full stop (static
 *         or in `pool`). `why` may be NULL.
 */
apr_status_t oas_jwk_create(oas_jwk_t **out, EVP_PKEY *key, const char **why, apr_pool_t *pool);

/**
 * Reads a private key from a PEM or DER file or any OpenSSL store URI (OSSL_STORE). Never asks for
 * a passphrase. APR_ENOENT: cannot be opened, is encrypted, or holds no private key; APR_EINVAL as
 * above. *why as above; it must not be NULL.
 */
apr_status_t oas_jwk_load(oas_jwk_t **out, const char *uri, const char **why, apr_pool_t *pool);

/**
 * Reads a public key from a JWK object (RFC 7517): kty, members and their lengths, point on the
 * curve, RSA size as above. "use" other than "sig", "key_ops" without "verify" and an "alg" that
 * does not fit are APR_EINVAL. Private members are ignored.
 */
apr_status_t oas_jwk_parse(oas_jwk_t **out, const json_t *jwk, apr_pool_t *pool);

/** 1 when the key can be used with the algorithm, and, if it names an alg itself, with that one. */
int oas_jwk_fits(const oas_jwk_t *jwk, const oas_alg_t *alg);

/** The algorithm a key has when nobody says: RS256 for RSA, ES256 for P-256, EdDSA for Ed25519. */
const oas_alg_t *oas_jwk_default_alg(const oas_jwk_t *jwk);

/** RFC 7638 SHA-256 thumbprint, base64url. Our kids are made of it (see oas_keyset_add). */
const char *oas_jwk_thumbprint(const oas_jwk_t *jwk);

/** "kid" that came with a parsed JWK, or NULL. */
const char *oas_jwk_kid(const oas_jwk_t *jwk);

/** The public key as a JWK with kid (as in a key set), alg and use; owned by the pool. */
json_t *oas_jwk_public(const oas_jwk_t *jwk, const oas_alg_t *alg, apr_pool_t *pool);

/** A new private key for an algorithm. RSA gets 2048 bits. */
apr_status_t oas_jwk_generate(oas_jwk_t **out, const oas_alg_t *alg, apr_pool_t *pool);

/** The kid under which a key is published for an algorithm (see oas_keyset_add). */
const char *oas_jwk_kid_for(const oas_jwk_t *jwk, const oas_alg_t *alg, apr_pool_t *pool);

/** The private key as PKCS#8 DER, in `pool` and wiped with it. APR_EGENERAL when it cannot be had:
 * it is in a token that does not give it away. */
apr_status_t oas_jwk_private_der(oas_bytes_t *out, const oas_jwk_t *jwk, apr_pool_t *pool);

/** A private key from PKCS#8 DER; as oas_jwk_create. */
apr_status_t oas_jwk_from_der(oas_jwk_t **out, oas_bytes_t der, apr_pool_t *pool);

/** A new private key for an algorithm as PKCS#8 PEM text in `pool` (wiped with it). RSA gets 2048
 * bits. */
apr_status_t oas_jwk_generate_pem(const char **pem, const oas_alg_t *alg, apr_pool_t *pool);

#endif
