/* SPDX-License-Identifier: Apache-2.0 */
#include "refresh_token.h"

#include <string.h>
#include <openssl/evp.h>

apr_status_t oas_refresh_secret(const oas_secret_t *secret, const unsigned char id[OAS_ID_LEN],
                                const unsigned char parent[OAS_SECRET_LEN],
                                unsigned char child[OAS_SECRET_LEN])
{
    unsigned char message[OAS_ID_LEN + OAS_SECRET_LEN];
    size_t len = 0;
    int ok;

    memcpy(message, id, OAS_ID_LEN);
    memcpy(message + OAS_ID_LEN, parent, OAS_SECRET_LEN);
    ok = EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, secret->refresh_key, OAS_KEY_LEN, message,
                   sizeof(message), child, OAS_SECRET_LEN, &len) != NULL &&
         len == OAS_SECRET_LEN;
    oas_wipe(message, sizeof(message));
    return ok ? APR_SUCCESS : APR_EGENERAL;
}
