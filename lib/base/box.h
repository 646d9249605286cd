/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file box.h
 * Authenticated encryption under the server's secrets: AES-256-GCM with a key that HKDF makes for
 * this one message from a secret and a random salt, so no nonce is ever used twice.
 */
#ifndef OAS_BASE_BOX_H
#define OAS_BASE_BOX_H

#include "secret.h"

#define OAS_BOX_OVERHEAD 40 /**< bytes by which a box is longer than what is in it */

/**
 * Closes `text` in a box: secret id || salt || ciphertext || tag, in `pool`.
 * @param secrets array of oas_secret_t *; the first one is used
 * @param use     what boxes of this kind are for, e.g. "seal"; part of the key
 * @param context has to be given to open it
 * @return APR_EGENERAL when OpenSSL cannot
 */
apr_status_t oas_box_close(oas_bytes_t *out, const apr_array_header_t *secrets, const char *use,
                           const char *context, oas_bytes_t text, apr_pool_t *pool);

/**
 * Opens a box that any of the secrets closed.
 * @param out NUL-terminated behind its length, in `pool` and wiped with it
 * @return APR_ENOENT: closed with a secret that is none of these; APR_EACCES: not exactly what was
 *         closed for this use and context
 */
apr_status_t oas_box_open(oas_bytes_t *out, const apr_array_header_t *secrets, const char *use,
                          const char *context, oas_bytes_t box, apr_pool_t *pool);

/** 1 when the first of the secrets closed it (or so it says). */
int oas_box_is_current(const apr_array_header_t *secrets, oas_bytes_t box);

#endif
