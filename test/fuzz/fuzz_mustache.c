/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: what compiles can be rendered within the bounds, and a value is never unescaped in
 * {{ }}. */
#include "fuzz.h"

#include <string.h>
#include "../../lib/base/json.h"
#include "../../lib/reply/mustache.h"

static const char data_text[] =
    "{\"a\": \"<'\\\">&\", \"b\": [1, 2.5, {\"a\": \"x\"}, []], \"c\": {\"d\": {\"e\": true}}, "
    "\"f\": false, \"n\": null, \"l\": [[1], [\"y\\nz\"]]}";

/* Each name is the template itself, so that partials nest as deeply as they may. */
static const oas_mustache_t *itself(void *baton, const char *name)
{
    return name[0] == 'x' ? NULL : baton;
}

/* A template that writes no markup itself and has no means to ask for a raw value. */
static int only_escapes(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (strchr("<\"&=", text[i]) || (i > 1 && memcmp(text + i - 2, "{{{", 3) == 0)) {
            return 0;
        }
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    oas_mustache_t *template;
    json_t *values;
    const char *why = NULL, *out;
    apr_size_t len;
    apr_status_t status = oas_mustache_compile(&template, (const char *)data, size, &why, pool);

    if (status == APR_SUCCESS) {
        FUZZ_HOLDS(oas_json_parse(&values, data_text, strlen(data_text), sizeof(data_text), pool) ==
                   APR_SUCCESS);
        status = oas_mustache_render(template, values, itself, template, &out, &len, pool);
        FUZZ_HOLDS(status == APR_SUCCESS || status == APR_ENOSPC);
        if (status == APR_SUCCESS) {
            FUZZ_HOLDS(len <= OAS_MUSTACHE_MAX_OUTPUT && out[len] == '\0');
        }
        if (status == APR_SUCCESS && only_escapes((const char *)data, size)) {
            FUZZ_HOLDS(!memchr(out, '<', len) && !memchr(out, '"', len));
        }
    } else {
        FUZZ_HOLDS(status == APR_EINVAL || status == APR_ENOSPC);
        FUZZ_HOLDS(why != NULL && why[0] >= '1' && why[0] <= '9');
    }
    apr_pool_destroy(pool);
    return 0;
}
