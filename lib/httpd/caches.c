/* SPDX-License-Identifier: Apache-2.0 */
#include "caches.h"

#include "../check/client_cache.h"
#include "../check/salt.h"
#include "../fetch/jwks.h"
#include "../login/hasher.h"

static apr_status_t make_caches(oas_server_config_t *config, apr_pool_t *pool)
{
    apr_status_t rv = oas_client_cache_create(&config->client_cache, pool);

    if (rv == APR_SUCCESS) {
        rv = oas_salt_create(&config->salts, pool);
    }
    return rv == APR_SUCCESS ? oas_jwks_cache_create(&config->jwks_cache, &config->issuer, pool)
                             : rv;
}

apr_status_t oas_caches_child(apr_pool_t *pchild, server_rec *main_server)
{
    oas_hasher_t *hasher;
    apr_status_t rv = oas_hasher_create(&hasher, oas_hasher_threads(), OAS_HASHER_WAITING, pchild);
    server_rec *s;

    for (s = main_server; s != NULL && rv == APR_SUCCESS; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);

        config->hasher = hasher;
        if (config->issuer.url != NULL) {
            rv = make_caches(config, pchild);
        }
    }
    return rv;
}
