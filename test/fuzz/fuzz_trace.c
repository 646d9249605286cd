/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent headers: what comes out is a trace-id that stands in what went in, and nothing that
 * could end a log line or forge one. */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *text = apr_pstrmemdup(pool, (const char *)data, size);
    const char *id = oas_trace_id(text, pool);

    if (id != NULL) {
        FUZZ_HOLDS(strlen(id) == OAS_TRACE_ID_LEN);
        FUZZ_HOLDS(strspn(id, "0123456789abcdef") == OAS_TRACE_ID_LEN);
        FUZZ_HOLDS(strspn(id, "0") < OAS_TRACE_ID_LEN);
        FUZZ_HOLDS(strncmp(text + 3, id, OAS_TRACE_ID_LEN) == 0);
        FUZZ_HOLDS(strchr(text, ',') == NULL || strncmp(text, "00", 2) != 0);
    }
    apr_pool_destroy(pool);
    return 0;
}
