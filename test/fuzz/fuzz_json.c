/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies: what was accepted is written, as jansson writes it, and read again as the same
 * value.
 */
#include "fuzz.h"

#include <string.h>
#include "../../lib/base/json.h"

#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    json_t *json, *again;
    apr_status_t rv = oas_json_parse(&json, (const char *)data, size, BODY_MAX, pool);

    FUZZ_HOLDS(size <= BODY_MAX || rv == APR_ENOSPC);
    if (rv == APR_SUCCESS) {
        const char *text = oas_json_text(pool, json);

        char expected[8 * BODY_MAX];
        size_t len = json_dumpb(json, expected, sizeof(expected), JSON_COMPACT);

        FUZZ_HOLDS(text != NULL && len <= sizeof(expected));
        FUZZ_HOLDS(strlen(text) == len && memcmp(text, expected, len) == 0);
        FUZZ_HOLDS(oas_json_parse(&again, text, strlen(text), 8 * BODY_MAX, pool) == APR_SUCCESS);
        FUZZ_HOLDS(json_equal(json, again));
        oas_json_string(json, "name");
    }
    apr_pool_destroy(pool);
    return 0;
}
