/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include <string.h>
#include "../base/box.h"

#define SEAL_USE "seal"

apr_status_t oas_seal(const char **out, const oas_issuer_t *issuer, const char *context,
                      const char *text, apr_pool_t *pool)
{
    const oas_bytes_t bytes = {(unsigned char *)text, strlen(text)};
    oas_bytes_t box;

    if (bytes.len > OAS_SEAL_MAX) {
        return APR_ENOSPC;
    }
    if (oas_box_close(&box, issuer->secrets, SEAL_USE, context, bytes, pool) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    *out = oas_base64url_encode(pool, box.data, box.len);
    return APR_SUCCESS;
}

apr_status_t oas_unseal(const char **out, const oas_issuer_t *issuer, const char *context,
                        const char *sealed, apr_pool_t *pool)
{
    apr_size_t len = strlen(sealed);
    oas_bytes_t box, text;

    if (len > (OAS_SEAL_MAX + OAS_BOX_OVERHEAD) / 3 * 4 + 4 ||
        oas_base64url_decode(pool, sealed, len, &box) != APR_SUCCESS ||
        oas_box_open(&text, issuer->secrets, SEAL_USE, context, box, pool) != APR_SUCCESS) {
        return APR_EACCES;
    }
    *out = (const char *)text.data;
    return APR_SUCCESS;
}
