/* SPDX-License-Identifier: Apache-2.0 */
#include "salt.h"

#include <string.h>
#include <apr_thread_mutex.h>
#include "../base/subject.h"
#include "../store/pairwise.h"

struct oas_salt {
    apr_thread_mutex_t *mutex;
    int known;
    unsigned char bytes[OAS_SALT_LEN];
};

apr_status_t oas_salt_create(oas_salt_t **out, apr_pool_t *pool)
{
    oas_salt_t *salt = apr_pcalloc(pool, sizeof(*salt));

    *out = salt;
    oas_wipe_with_pool(pool, salt->bytes, sizeof(salt->bytes));
    return apr_thread_mutex_create(&salt->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

/* Nobody waits for another's statement: it gives the same to all. */
apr_status_t oas_salt_get(oas_salt_t *salt, struct oas_db *db, const unsigned char **out,
                          apr_pool_t *pool)
{
    unsigned char bytes[OAS_SALT_LEN];
    apr_status_t rv = APR_SUCCESS;
    int known;

    apr_thread_mutex_lock(salt->mutex);
    known = salt->known;
    apr_thread_mutex_unlock(salt->mutex);
    if (!known) {
        rv = oas_store_pairwise_salt(db, bytes, pool);
    }
    if (!known && rv == APR_SUCCESS) {
        apr_thread_mutex_lock(salt->mutex);
        if (!salt->known) { /* from here on others read it without the lock */
            memcpy(salt->bytes, bytes, sizeof(bytes));
            salt->known = 1;
        }
        apr_thread_mutex_unlock(salt->mutex);
        oas_wipe(bytes, sizeof(bytes));
    }
    *out = rv == APR_SUCCESS ? salt->bytes : NULL;
    return rv;
}

apr_status_t oas_salt_for(oas_tx_t *tx, const oas_client_t *client)
{
    if (client == NULL || client->sector == NULL || tx->salt != NULL) {
        return APR_SUCCESS;
    }
    return oas_salt_get(tx->salts, tx->db, &tx->salt, tx->pool);
}

oas_outcome_t oas_load_salt(oas_tx_t *tx)
{
    apr_status_t rv = oas_salt_for(tx, tx->client);

    if (rv == APR_SUCCESS) {
        rv = oas_salt_for(tx, tx->hinted_client);
    }
    return rv == APR_SUCCESS
               ? OAS_NEXT
               : oas_store_fault(tx, OAS_TAG(00949), rv, "salt of pairwise subjects not read");
}
