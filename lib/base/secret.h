/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file secret.h
 * The server's secrets (OAuth2ASSecret): nothing uses them directly, HKDF makes one key per use.
 */
#ifndef OAS_BASE_SECRET_H
#define OAS_BASE_SECRET_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_strings.h>
#include "bytes.h"

#define OAS_SECRET_MIN    32 /**< bytes of an OAuth2ASSecret */
#define OAS_KEY_LEN       32
#define OAS_SECRET_ID_LEN 8

/** One configured secret. All of it is wiped with the pool it lives in. */
typedef struct {
    oas_bytes_t bytes;
    unsigned char id[OAS_SECRET_ID_LEN];    /**< public name of this secret: HKDF output for "id" */
    unsigned char refresh_key[OAS_KEY_LEN]; /**< HKDF output for "refresh child" */
    unsigned char known_key[OAS_KEY_LEN];   /**< HKDF output for "known browser" */
    unsigned char log_key[OAS_KEY_LEN];     /**< HKDF output for "log subject" */
} oas_secret_t;

/**
 * Takes over a secret: copies it to `pool`, wipes the copy with the pool, computes its id and the
 * keys that are the same for every use.
 * APR_EINVAL when it is shorter than OAS_SECRET_MIN bytes.
 */
apr_status_t oas_secret_create(oas_secret_t **out, const void *data, apr_size_t len,
                               apr_pool_t *pool);

/** Text files end with a line feed that nobody means: cuts it off, where all else is printable;
 * bytes stay as they are. There is room for a NUL behind the bytes, which are the caller's. */
void oas_secret_trim(oas_bytes_t *bytes);

/**
 * HKDF-SHA-256 (RFC 5869).
 * @param salt may be NULL
 * @param use names the key's one purpose, e.g. "seal"
 */
apr_status_t oas_secret_derive(const oas_secret_t *secret, const void *salt, apr_size_t salt_len,
                               const char *use, unsigned char out[OAS_KEY_LEN]);

#endif
