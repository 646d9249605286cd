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

apr_status_t oas_handle_split(const char *handle, unsigned char id[OAS_ID_LEN],
                              unsigned char secret_hash[OAS_SHA256_LEN], apr_pool_t *pool)
{
    oas_bytes_t bytes;

    if (strlen(handle) != OAS_HANDLE_LEN ||
        oas_base64url_decode(pool, handle, OAS_HANDLE_LEN, &bytes) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    memcpy(id, bytes.data, OAS_ID_LEN);
    oas_sha256(bytes.data + OAS_ID_LEN, OAS_SECRET_LEN, secret_hash);
    return APR_SUCCESS;
}
