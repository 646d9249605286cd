/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/box.h"

#define KEYRING_USE "keyring"

static const char *context_of(const char *kid, const oas_alg_t *alg, const char *issuer,
                              apr_pool_t *pool)
{
    return apr_pstrcat(pool, issuer, "\n", kid, "\n", oas_alg_name(alg), NULL);
}

apr_status_t oas_key_seal(oas_bytes_t *out, const oas_jwk_t *jwk, const oas_alg_t *alg,
                          const oas_seal_for_t *whose, apr_pool_t *pool)
{
    const char *kid = oas_jwk_kid_for(jwk, alg, pool);
    oas_bytes_t der;

    if (oas_jwk_private_der(&der, jwk, pool) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    return oas_box_close(out, whose->secrets, KEYRING_USE,
                         context_of(kid, alg, whose->issuer, pool), der, pool);
}

apr_status_t oas_key_open(oas_jwk_t **out, oas_bytes_t sealed, const char *kid,
                          const oas_alg_t *alg, const oas_seal_for_t *whose, apr_pool_t *pool)
{
    oas_bytes_t der;
    apr_status_t rv = oas_box_open(&der, whose->secrets, KEYRING_USE,
                                   context_of(kid, alg, whose->issuer, pool), sealed, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (oas_jwk_from_der(out, der, pool) != APR_SUCCESS ||
        strcmp(oas_jwk_kid_for(*out, alg, pool), kid) != 0) {
        return APR_EACCES;
    }
    return APR_SUCCESS;
}
