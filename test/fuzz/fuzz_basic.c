/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization headers of scheme Basic. What is taken apart is two strings of valid UTF-8. */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/check/client_auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *header = apr_pstrmemdup(pool, (const char *)data, size);
    const char *id = NULL;
    const char *secret = NULL;
    apr_status_t rv = oas_basic_parse(header, &id, &secret, pool);

    FUZZ_HOLDS(rv == APR_SUCCESS || rv == APR_ENOENT || rv == APR_EINVAL);
    if (rv == APR_SUCCESS) {
        FUZZ_HOLDS(id != NULL && id[0] != '\0' && secret != NULL);
        FUZZ_HOLDS(oas_utf8_valid(id, strlen(id)) && oas_utf8_valid(secret, strlen(secret)));
        FUZZ_HOLDS(strlen(id) + strlen(secret) < size);
    }
    apr_pool_destroy(pool);
    return 0;
}
