/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file internal.h
 * What the files of this room share; nobody else includes it.
 */
#ifndef OAS_JOSE_INTERNAL_H
#define OAS_JOSE_INTERNAL_H

#include "jws.h"

#define OAS_ES256_HALF 32 /**< bytes of r and of s (RFC 7518 section 3.4) */

typedef enum { OAS_KIND_RSA, OAS_KIND_P256, OAS_KIND_ED25519, OAS_KIND_COUNT } oas_jwk_kind_t;

/** What distinguishes the kinds of keys. Member names are in the order of RFC 7638 section 3.3. */
typedef struct {
    const char *openssl;   /**< key type for EVP_PKEY_is_a */
    const char *kty;       /**< RFC 7517 section 4.1 */
    const char *crv;       /**< or NULL */
    const char *member[2]; /**< public members; the second may be NULL */
    apr_size_t len;        /**< bytes of each member, 0: any */
} oas_kind_row_t;

extern const oas_kind_row_t oas_kinds[OAS_KIND_COUNT];

struct oas_alg {
    const char *name;
    oas_jwk_kind_t kind;
    const char *digest; /**< of the signature, NULL: part of the algorithm */
    void (*hash)(const void *data, apr_size_t len,
                 unsigned char *out); /**< of at_hash and its like */
    apr_size_t hash_len;
    int pss;
    int raw_ecdsa; /**< r||s instead of DER */
};

struct oas_jwk {
    EVP_PKEY *key;
    oas_jwk_kind_t kind;
    const oas_alg_t *only; /**< the "alg" it came with, or NULL */
    const char *value[2];  /**< base64url of the public members */
    const char *thumbprint;
    const char *kid;
};

#define OAS_SIGNER_TYPES 2

struct oas_signer {
    const oas_jwk_t *jwk;
    const oas_alg_t *alg;
    const char *kid;
    oas_key_state_t state;
    const oas_key_times_t *times;          /**< or NULL */
    const char *headers[OAS_SIGNER_TYPES]; /**< encoded, one for each of the usual "typ" values */
    EVP_MD_CTX *sign;   /**< initialised, only ever copied; NULL: the key cannot be prepared */
    EVP_MD_CTX *verify; /**< likewise */
};

/** Reads the n-th public member of a key (n, e, x or y) as base64url; NULL when there is none. */
const char *oas_kind_value(const EVP_PKEY *key, oas_jwk_kind_t kind, int n, apr_pool_t *pool);

/** Makes `ctx` ready to sign (or verify) with the key; 1 when it worked. */
int oas_alg_begin(EVP_MD_CTX *ctx, const oas_alg_t *alg, EVP_PKEY *key, int sign);

/**
 * Signs. `prepared` is copied when it is not NULL, else the work is begun anew.
 * APR_EGENERAL when OpenSSL cannot. Leaves OpenSSL's error queue as it was, as does the next one.
 */
apr_status_t oas_alg_sign(oas_bytes_t *signature, const oas_alg_t *alg, EVP_PKEY *key,
                          const EVP_MD_CTX *prepared, const char *text, apr_size_t len,
                          apr_pool_t *pool);

/** Verifies; APR_EACCES when the signature is not right, in length or in value. */
apr_status_t oas_alg_verify(const oas_alg_t *alg, EVP_PKEY *key, const EVP_MD_CTX *prepared,
                            const char *text, apr_size_t len, oas_bytes_t signature);

/** The encoded JOSE header of a signer for a "typ" that may be NULL; NULL when out of memory. */
const char *oas_signer_header(const oas_signer_t *signer, const char *typ, apr_pool_t *pool);

#endif
