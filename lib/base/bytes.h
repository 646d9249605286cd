/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bytes.h
 * Bytes and their text forms: base64url, hex, random, SHA-256, constant-time compare, wiping,
 * UTF-8.
 */
#ifndef OAS_BASE_BYTES_H
#define OAS_BASE_BYTES_H

#include <stddef.h>
#include <apr_errno.h>
#include <apr_pools.h>

#define OAS_SHA256_LEN 32
#define OAS_SHA512_LEN 64
#define OAS_ID_LEN     16 /**< grant_id, session_id, attempt id: 128 random bits */
#define OAS_SECRET_LEN                                                                             \
    32 /**< the secret half of codes, tokens and session handles: 256 random bits */

/** A run of bytes in some pool. */
typedef struct {
    const unsigned char *data;
    apr_size_t len;
} oas_bytes_t;

/** base64url without padding (RFC 4648 section 5) of `len` bytes, NUL-terminated, in `pool`. */
char *oas_base64url_encode(apr_pool_t *pool, const void *data, apr_size_t len);

/**
 * Strictly decodes base64url without padding: any other character, padding, an impossible length or
 * non-zero trailing bits are APR_EINVAL (RFC 7515 section 2, RFC 4648 section 3.5).
 * `out->data` is in `pool` and followed by a NUL that `out->len` does not count.
 */
apr_status_t oas_base64url_decode(apr_pool_t *pool, const char *text, apr_size_t len,
                                  oas_bytes_t *out);

/** Strictly decodes ordinary base64 with padding (HTTP Basic, RFC 7617); otherwise as above. */
apr_status_t oas_base64_decode(apr_pool_t *pool, const char *text, apr_size_t len,
                               oas_bytes_t *out);

/** Lower-case hex of `len` bytes, NUL-terminated, in `pool`. */
char *oas_hex_encode(apr_pool_t *pool, const void *data, apr_size_t len);

/** Decodes exactly `len` bytes from 2*len hex digits (either case); else APR_EINVAL. */
apr_status_t oas_hex_decode(const char *text, unsigned char *out, apr_size_t len);

/** Writes the last `width` decimal digits of `number`, with zeros before them, and no NUL. */
void oas_put_digits(char *out, int width, apr_uint64_t number);

/** Fills `out` from the operating system's generator (by OpenSSL). APR_EGENERAL when there is none.
 */
apr_status_t oas_random(void *out, apr_size_t len) __attribute__((warn_unused_result));

/** SHA-256 of `len` bytes (FIPS 180-4). */
void oas_sha256(const void *data, apr_size_t len, unsigned char out[OAS_SHA256_LEN]);

/** SHA-512 likewise. */
void oas_sha512(const void *data, apr_size_t len, unsigned char out[OAS_SHA512_LEN]);

/** HMAC-SHA256 (RFC 2104). APR_EGENERAL when OpenSSL cannot; its error queue stays as it was. */
apr_status_t oas_hmac_sha256(const void *key, apr_size_t key_len, const void *data, apr_size_t len,
                             unsigned char out[OAS_SHA256_LEN]) __attribute__((warn_unused_result));

/** 1 when the two runs are equal, in a time that does not depend on where they differ. */
int oas_equal(const void *a, const void *b, apr_size_t len);

/** 1 when two strings are equal; the time shows their lengths at most. NULL equals nothing. */
int oas_equal_str(const char *a, const char *b);

/** A strong entity tag of a text (RFC 9110 section 8.8.3), quotes included. */
const char *oas_etag(const char *text, apr_pool_t *pool);

/** Overwrites memory so that the compiler cannot leave it out. */
void oas_wipe(void *data, apr_size_t len);

/** Has `len` bytes at `data` wiped when `pool` is cleared. */
void oas_wipe_with_pool(apr_pool_t *pool, void *data, apr_size_t len);

/** 1 when the bytes are well-formed UTF-8 (RFC 3629: no overlong form, no surrogate) without NUL.
 */
int oas_utf8_valid(const char *text, apr_size_t len);

#endif
