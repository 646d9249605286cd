/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent headers: what comes out are ids that stand in what went in, and nothing that could
 * end a log line or forge one. */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/trace.h"

static void check_id(const char *id, const char *from, size_t len)
{
    FUZZ_HOLDS(strlen(id) == len);
    FUZZ_HOLDS(strspn(id, "0123456789abcdef") == len);
    FUZZ_HOLDS(strspn(id, "0") < len);
    FUZZ_HOLDS(strncmp(from, id, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *text = apr_pstrmemdup(pool, (const char *)data, size);
    const oas_trace_t *trace = oas_trace_read(text, pool);

    if (trace != NULL) {
        check_id(trace->trace_id, text + 3, OAS_TRACE_ID_LEN);
        check_id(trace->span_id, text + 36, OAS_SPAN_ID_LEN);
        FUZZ_HOLDS(!strcmp(trace->trace_flags, "00") || !strcmp(trace->trace_flags, "01"));
        FUZZ_HOLDS(strchr(text, ',') == NULL || strncmp(text, "00", 2) != 0);
    }
    apr_pool_destroy(pool);
    return 0;
}
