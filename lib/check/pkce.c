/* SPDX-License-Identifier: Apache-2.0 */
#include "pkce.h"

#include <string.h>

#define CHALLENGE_LEN 43 /* base64url of a SHA-256 */
#define VERIFIER_MIN  43
#define VERIFIER_MAX  128

static const char base64url_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char unreserved[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

oas_outcome_t oas_check_code_challenge(oas_tx_t *tx)
{
    const char *challenge = oas_params_get(tx->params, "code_challenge");
    const char *method = oas_params_get(tx->params, "code_challenge_method");

    if (challenge == NULL) {
        if (method != NULL || tx->client->require_pkce) {
            return oas_refuse(tx, OAS_TAG(00640), OAS_E_CHALLENGE_MISSING, NULL);
        }
        return OAS_NEXT;
    }
    if (method == NULL || strcmp(method, "S256") != 0) {
        return oas_refuse(tx, OAS_TAG(00641), OAS_E_CHALLENGE_METHOD, NULL);
    }
    if (strlen(challenge) != CHALLENGE_LEN || strspn(challenge, base64url_chars) != CHALLENGE_LEN) {
        return oas_refuse(tx, OAS_TAG(00642), OAS_E_CHALLENGE_MALFORMED, NULL);
    }
    tx->code_challenge = challenge;
    return OAS_NEXT;
}

apr_status_t oas_code_challenge(const char **out, const char *verifier, apr_pool_t *pool)
{
    unsigned char hash[OAS_SHA256_LEN];
    apr_size_t len = strlen(verifier);

    if (len < VERIFIER_MIN || len > VERIFIER_MAX || strspn(verifier, unreserved) != len) {
        return APR_EINVAL;
    }
    oas_sha256(verifier, len, hash);
    *out = oas_base64url_encode(pool, hash, sizeof(hash));
    return APR_SUCCESS;
}
