/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jws.h
 * JWS compact serialisation (RFC 7515).
 */
#ifndef OAS_JOSE_JWS_H
#define OAS_JOSE_JWS_H

#include "keyset.h"
#include "../base/bytes.h"

#define OAS_HMAC_ALG "HS256"
#define OAS_HMAC_MIN 32    /**< bytes of a secret: as long as the hash */
#define OAS_JWS_MAX  16384 /**< bytes of a compact JWS; longer ones are refused unread */

/** A JWS taken apart but not yet believed. */
typedef struct {
    json_t *header;      /**< owned by the pool */
    const char *alg;     /**< header member, never NULL */
    const char *kid;     /**< or NULL */
    const char *typ;     /**< or NULL */
    oas_bytes_t payload; /**< decoded */
    oas_bytes_t signature;
    const char *signed_text; /**< "header.payload" as it came */
    apr_size_t signed_len;
} oas_jws_t;

/**
 * Signs `payload` with a signer.
 * @param typ header "typ" ("JWT", "at+jwt"), or NULL
 * @param out compact serialisation in `pool`
 * @return APR_EGENERAL when OpenSSL cannot sign
 */
apr_status_t oas_jws_sign(const char **out, const oas_signer_t *signer, const char *typ,
                          const void *payload, apr_size_t len, apr_pool_t *pool);

/**
 * Takes a compact JWS apart, into memory of its own. APR_EINVAL unless it is three strict base64url
 * parts with a JSON object as header that has a string "alg", no duplicate members, no "crit" (none
 * is understood) and no "b64" but true; APR_ENOSPC when longer than OAS_JWS_MAX.
 */
apr_status_t oas_jws_parse(oas_jws_t **out, const char *text, apr_size_t len, apr_pool_t *pool);

/**
 * Checks the signature with this one key; a key that the header brings is not looked at. APR_EACCES
 * when it does not verify, when header alg is not in the allow-list, or does not fit the key. ES256
 * signatures must be exactly 64 bytes (RFC 7518 3.4).
 */
apr_status_t oas_jws_verify(const oas_jws_t *jws, const oas_jwk_t *jwk);

/**
 * Checks an HMAC with a secret that is shared with whoever made the JWS (RFC 7518 section 3.2);
 * HS256 is the only one, and no key of any other function here verifies it. APR_EACCES when it is
 * not right, or the secret is shorter than OAS_HMAC_MIN bytes.
 */
apr_status_t oas_jws_verify_hmac(const oas_jws_t *jws, oas_bytes_t secret);

/**
 * Checks a JWS of our own: kid and alg must name one key of the set, and the header brings no key
 * ("jwk", "jku", "x5c", "x5u"). APR_EACCES otherwise.
 */
apr_status_t oas_jws_verify_own(const oas_jws_t *jws, const oas_keyset_t *set);

#endif
