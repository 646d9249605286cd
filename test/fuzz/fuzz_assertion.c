/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: a client_assertion, or (when it begins with '{') the key set of a client. An assertion
 * goes through client authentication by a client that has the key of fuzz_keys.h and a secret, at a
 * time that stands still, so that those of the corpus stay valid. Whoever gets through was noted as
 * used, once.
 */
#include "fuzz_keys.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/json.h"
#include "../../lib/check/assertion.h"
#include "../../lib/check/client_auth.h"
#include "../../lib/jose/jwks.h"
#include "../../lib/store/jti.h"
#include "../unit/fake_tx.h"

#define NOW 1800000000

static const char secret[] = "a secret of the client, longer than 32 bytes";
static int noted;

apr_time_t __wrap_apr_time_now(void) __attribute__((visibility("default")));
apr_status_t __wrap_oas_store_jti_use(oas_db_t *db, const unsigned char key[OAS_SHA256_LEN],
                                      apr_int64_t expires, const unsigned char attempt[OAS_ID_LEN],
                                      apr_pool_t *p);

apr_time_t __wrap_apr_time_now(void)
{
    return apr_time_from_sec(NOW);
}

apr_status_t __wrap_oas_store_jti_use(oas_db_t *db, const unsigned char key[OAS_SHA256_LEN],
                                      apr_int64_t expires, const unsigned char attempt[OAS_ID_LEN],
                                      apr_pool_t *p)
{
    FUZZ_HOLDS(expires > NOW && expires <= NOW + 3600 + 60 + 120);
    noted++;
    return APR_SUCCESS;
}

static void read_set(const char *text, size_t len, apr_pool_t *pool)
{
    const char *why = NULL;
    oas_jwks_t *set;
    json_t *json;

    if (oas_json_parse(&json, text, len, 65536, pool) == APR_SUCCESS) {
        apr_status_t rv = oas_jwks_parse(&set, json, &why, pool);
        FUZZ_HOLDS((rv == APR_SUCCESS) == (set != NULL));
        FUZZ_HOLDS(rv == APR_SUCCESS || (rv == APR_EINVAL && why != NULL));
    }
}

static oas_tx_t *make_tx(const char *assertion, apr_pool_t *pool)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_client_t *client = (oas_client_t *)tx->client;
    oas_bytes_t *bytes;
    const char *why;

    client->auth_methods = OAS_AUTH_PRIVATE_KEY_JWT | OAS_AUTH_SECRET_JWT;
    FUZZ_HOLDS(oas_jwks_parse(&client->jwks, oas_keyset_public(fuzz_keys(pool), pool), &why,
                              pool) == APR_SUCCESS);
    client->hmac_secrets = apr_array_make(pool, 1, sizeof(oas_bytes_t));
    bytes = apr_array_push(client->hmac_secrets);
    *bytes = (oas_bytes_t){(const unsigned char *)secret, sizeof(secret) - 1};
    tx->endpoint = OAS_EP_TOKEN;
    tx->client = NULL;
    oas_params_add(tx->params, "client_id", "app"); /* another one is refused before any look-up */
    oas_params_add(tx->params, "client_assertion_type", OAS_ASSERTION_TYPE);
    oas_params_add(tx->params, "client_assertion", assertion);
    return tx;
}

static void authenticate(const char *text, apr_pool_t *pool)
{
    oas_tx_t *tx = make_tx(text, pool);
    oas_outcome_t outcome = oas_check_client_auth(tx);

    if (outcome == OAS_NEXT) {
        FUZZ_HOLDS(noted == 1 && tx->auth_method != 0 && tx->error == OAS_E_NONE);
    } else {
        FUZZ_HOLDS(noted == 0);
        FUZZ_HOLDS(tx->error == OAS_E_ASSERTION_INVALID || tx->error == OAS_E_CLIENT_AUTH_SEVERAL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *text = apr_pstrmemdup(pool, (const char *)data, size);

    noted = 0;
    if (size > 0 && data[0] == '{') {
        read_set(text, size, pool);
    } else if (*text != '\0') {
        authenticate(text, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
