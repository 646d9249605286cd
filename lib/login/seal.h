/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file seal.h
 * Authenticated encryption of what travels through a browser: AES-256-GCM under a key that HKDF
 * makes for this one message from the server's secret and a random salt, so no nonce is ever used
 * twice.
 */
#ifndef OAS_LOGIN_SEAL_H
#define OAS_LOGIN_SEAL_H

#include "../base/model.h"

#define OAS_SEAL_MAX 24576 /**< bytes of plain text in one seal */

/**
 * Seals `text` with the first secret. The same `context` must be given to open it.
 * @param out base64url(secret id || salt || ciphertext || tag) in `pool`
 * @return APR_ENOSPC when the text is longer than OAS_SEAL_MAX; APR_EGENERAL when OpenSSL fails
 */
apr_status_t oas_seal(const char **out, const oas_issuer_t *issuer, const char *context,
                      const char *text, apr_pool_t *pool);

/**
 * Opens what any of the issuer's secrets sealed. APR_EACCES for everything that is not exactly what
 * was sealed with this context. The plain text is in `pool`, NUL-terminated, and wiped with it.
 */
apr_status_t oas_unseal(const char **out, const oas_issuer_t *issuer, const char *context,
                        const char *sealed, apr_pool_t *pool);

#endif
