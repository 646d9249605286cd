/* SPDX-License-Identifier: Apache-2.0 */
#include "caches.h"

#include <ap_mpm.h>
#include "../base/words.h"
#include "../check/client_cache.h"
#include "../check/salt.h"
#include "../fetch/jwks.h"
#include "../login/desk.h"
#include "../login/hasher.h"
#include "../login/pace.h"
#include "../store/readiness.h"

static apr_status_t make_caches(oas_server_config_t *config, apr_pool_t *pool)
{
    apr_status_t rv = oas_client_cache_create(&config->client_cache, pool);

    if (rv == APR_SUCCESS) {
        rv = oas_salt_create(&config->salts, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = oas_jwks_cache_create(&config->jwks_cache, &config->issuer, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = oas_readiness_create(&config->readiness, pool);
    }
    return rv == APR_SUCCESS
               ? oas_pace_create(&config->pace, config->issuer.password_providers->nelts, pool)
               : rv;
}

static int worker_threads(void)
{
    int threads = 0;

    return ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) == APR_SUCCESS && threads > 0 ? threads : 1;
}

static oas_hasher_slots_t *slots; /* of the children that are forked next */

apr_status_t oas_caches_prepare(apr_pool_t *pconf)
{
    return oas_hasher_slots_create(&slots, oas_hasher_threads(), pconf);
}

apr_status_t oas_caches_child(apr_pool_t *pchild, server_rec *main_server)
{
    oas_hasher_t *hasher;
    oas_desk_t *desk = NULL;
    apr_status_t rv =
        oas_hasher_create(&hasher, slots, oas_hasher_threads(), OAS_HASHER_WAITING, pchild);
    server_rec *s;

    if (rv == APR_SUCCESS) {
        rv = oas_desk_create(&desk, worker_threads(), pchild);
    }
    for (s = main_server; s != NULL && rv == APR_SUCCESS; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);

        config->hasher = hasher;
        config->desk = desk;
        if (config->issuer.url != NULL) {
            rv = make_caches(config, pchild);
        }
    }
    return rv;
}
