/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

#include <string.h>

char *oas_handle_make(const unsigned char id[OAS_ID_LEN],
                      const unsigned char secret[OAS_SECRET_LEN], apr_pool_t *pool)
{
    unsigned char both[OAS_ID_LEN + OAS_SECRET_LEN];
    char *handle;

    memcpy(both, id, OAS_ID_LEN);
    memcpy(both + OAS_ID_LEN, secret, OAS_SECRET_LEN);
    handle = oas_base64url_encode(pool, both, sizeof(both));
    oas_wipe(both, sizeof(both));
    return handle;
}

apr_status_t oas_handle_open(const char *handle, unsigned char id[OAS_ID_LEN],
                             unsigned char secret[OAS_SECRET_LEN], apr_pool_t *pool)
{
    oas_bytes_t bytes;

    if (strlen(handle) != OAS_HANDLE_LEN ||
        oas_base64url_decode(pool, handle, OAS_HANDLE_LEN, &bytes) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    memcpy(id, bytes.data, OAS_ID_LEN);
    memcpy(secret, bytes.data + OAS_ID_LEN, OAS_SECRET_LEN);
    oas_wipe((void *)bytes.data, bytes.len);
    return APR_SUCCESS;
}

apr_status_t oas_handle_split(const char *handle, unsigned char id[OAS_ID_LEN],
                              unsigned char secret_hash[OAS_SHA256_LEN], apr_pool_t *pool)
{
    unsigned char secret[OAS_SECRET_LEN];
    apr_status_t rv = oas_handle_open(handle, id, secret, pool);

    if (rv == APR_SUCCESS) {
        oas_sha256(secret, sizeof(secret), secret_hash);
        oas_wipe(secret, sizeof(secret));
    }
    return rv;
}
