/* SPDX-License-Identifier: Apache-2.0 */
/* User-Agent headers: whatever somebody called a browser, the list of sessions gets short, whole
 * characters. */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/login/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *text = apr_pstrmemdup(pool, (const char *)data, size);
    const char *out = oas_device_text(text, pool);

    FUZZ_HOLDS((out == NULL) == (*text == '\0'));
    if (out != NULL && oas_utf8_valid(text, strlen(text))) {
        FUZZ_HOLDS(*out != '\0');
        FUZZ_HOLDS(oas_utf8_valid(out, strlen(out)));
        FUZZ_HOLDS(strlen(out) <= OAS_DEVICE_MAX + 3);
    }
    apr_pool_destroy(pool);
    return 0;
}
