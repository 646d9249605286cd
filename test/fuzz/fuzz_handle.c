/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles: codes, session cookies, refresh tokens. What is taken is exactly what we would have
 * made, and the refresh token that replaces it is another one, the same each time.
 */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/refresh_token.h"
#include "../../lib/base/handle.h"

static void check_child(const unsigned char *id, const unsigned char *secret, apr_pool_t *pool)
{
    static const char bytes[OAS_SECRET_MIN] = "a server's secret of thirty-two";
    unsigned char child[OAS_SECRET_LEN], again[OAS_SECRET_LEN];
    oas_secret_t *server;

    FUZZ_HOLDS(oas_secret_create(&server, bytes, sizeof(bytes), pool) == APR_SUCCESS);
    FUZZ_HOLDS(oas_refresh_secret(server, id, secret, child) == APR_SUCCESS);
    FUZZ_HOLDS(oas_refresh_secret(server, id, secret, again) == APR_SUCCESS);
    FUZZ_HOLDS(oas_equal(child, again, sizeof(child)));
    FUZZ_HOLDS(!oas_equal(child, secret, sizeof(child)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *handle = apr_pstrmemdup(pool, (const char *)data, size);
    unsigned char id[OAS_ID_LEN], same_id[OAS_ID_LEN];
    unsigned char secret[OAS_SECRET_LEN];
    unsigned char hash[OAS_SHA256_LEN], made[OAS_SHA256_LEN];
    apr_status_t rv = oas_handle_open(handle, id, secret, pool);

    FUZZ_HOLDS(rv == APR_SUCCESS || rv == APR_EINVAL);
    FUZZ_HOLDS(oas_handle_split(handle, same_id, hash, pool) == rv);
    if (rv == APR_SUCCESS) {
        FUZZ_HOLDS(strlen(handle) == OAS_HANDLE_LEN);
        FUZZ_HOLDS(oas_equal_str(oas_handle_make(id, secret, pool), handle));
        oas_sha256(secret, sizeof(secret), made);
        FUZZ_HOLDS(oas_equal(made, hash, sizeof(made)));
        FUZZ_HOLDS(oas_equal(id, same_id, sizeof(id)));
        check_child(id, secret, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
