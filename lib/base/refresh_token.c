/* SPDX-License-Identifier: Apache-2.0 */
#include "refresh_token.h"

#include <string.h>

apr_status_t oas_refresh_secret(const oas_secret_t *secret, const unsigned char id[OAS_ID_LEN],
                                const unsigned char parent[OAS_SECRET_LEN],
                                unsigned char child[OAS_SECRET_LEN])
{
    unsigned char message[OAS_ID_LEN + OAS_SECRET_LEN];
    apr_status_t rv;

    memcpy(message, id, OAS_ID_LEN);
    memcpy(message + OAS_ID_LEN, parent, OAS_SECRET_LEN);
    rv = oas_hmac_sha256(secret->refresh_key, OAS_KEY_LEN, message, sizeof(message), child);
    oas_wipe(message, sizeof(message));
    return rv;
}
