/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <string.h>
#include <openssl/evp.h>

apr_status_t oas_child_secret(const oas_secret_t *secret, const unsigned char id[OAS_ID_LEN],
                              const unsigned char parent[OAS_SECRET_LEN],
                              unsigned char child[OAS_SECRET_LEN])
{
    unsigned char key[OAS_KEY_LEN];
    unsigned char message[OAS_ID_LEN + OAS_SECRET_LEN];
    size_t len = 0;
    apr_status_t rv = oas_secret_derive(secret, NULL, 0, "refresh child", key);

    memcpy(message, id, OAS_ID_LEN);
    memcpy(message + OAS_ID_LEN, parent, OAS_SECRET_LEN);
    if (rv == APR_SUCCESS &&
        (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, sizeof(key), message, sizeof(message),
                   child, OAS_SECRET_LEN, &len) == NULL ||
         len != OAS_SECRET_LEN)) {
        rv = APR_EGENERAL;
    }
    oas_wipe(key, sizeof(key));
    oas_wipe(message, sizeof(message));
    return rv;
}
