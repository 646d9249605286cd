/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies: what jansson reads is read as the same value, and written as jansson writes it. */
#include "fuzz.h"

#include <string.h>
#include "../../lib/base/json.h"

#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    json_t *expected = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    json_t *json;
    apr_status_t rv = oas_json_parse(&json, (const char *)data, size, BODY_MAX, pool);

    FUZZ_HOLDS(size <= BODY_MAX ? (rv == APR_SUCCESS) == (expected != NULL) : rv == APR_ENOSPC);
    if (rv == APR_SUCCESS) {
        const char *text = oas_json_text(pool, json);
        char *dumped = json_dumps(expected, JSON_COMPACT);

        FUZZ_HOLDS(json_equal(json, expected));
        FUZZ_HOLDS(text != NULL && dumped != NULL && strcmp(text, dumped) == 0);
        oas_json_string(json, "name");
        free(dumped);
    }
    json_decref(expected);
    apr_pool_destroy(pool);
    return 0;
}
