/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file handle.h
 * Handles: what codes, session cookies and refresh tokens are made of. base64url(id || secret): the
 * id finds the row, of the secret only the SHA-256 rests in it (laws 3 and 4).
 */
#ifndef OAS_BASE_HANDLE_H
#define OAS_BASE_HANDLE_H

#include "bytes.h"

#define OAS_HANDLE_LEN 64 /**< characters of a handle */

/** The text of a handle in `pool`. */
char *oas_handle_make(const unsigned char id[OAS_ID_LEN],
                      const unsigned char secret[OAS_SECRET_LEN], apr_pool_t *pool);

/** Splits a handle into its halves; the caller wipes `secret`. APR_EINVAL when it is none. */
apr_status_t oas_handle_open(const char *handle, unsigned char id[OAS_ID_LEN],
                             unsigned char secret[OAS_SECRET_LEN], apr_pool_t *pool);

/** Splits a handle into its id and the SHA-256 of its secret. APR_EINVAL when it is none. */
apr_status_t oas_handle_split(const char *handle, unsigned char id[OAS_ID_LEN],
                              unsigned char secret_hash[OAS_SHA256_LEN], apr_pool_t *pool);

#endif
