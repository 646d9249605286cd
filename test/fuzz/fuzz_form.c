/* SPDX-License-Identifier: Apache-2.0 */
/* Form bodies and queries: what was accepted reads the same after it was written again. */
#include "fuzz.h"

#include <string.h>
#include "../../lib/base/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    oas_params_t *params, *again;
    int i;

    if (oas_params_parse(&params, (const char *)data, size, pool) == APR_SUCCESS) {
        char *text = oas_params_encode(params, pool);

        FUZZ_HOLDS(params->list->nelts <= OAS_PARAMS_MAX);
        for (i = 0; i < params->list->nelts; i++) {
            const oas_param_t *param = &APR_ARRAY_IDX(params->list, i, oas_param_t);

            FUZZ_HOLDS(oas_utf8_valid(param->name, strlen(param->name)));
            FUZZ_HOLDS(oas_utf8_valid(param->value, strlen(param->value)));
            FUZZ_HOLDS(oas_params_count(params, param->name) >= 1);
        }
        if (strlen(text) <= OAS_PARAMS_MAX_LEN) {
            FUZZ_HOLDS(oas_params_parse(&again, text, strlen(text), pool) == APR_SUCCESS);
            FUZZ_HOLDS(strcmp(oas_params_encode(again, pool), text) == 0);
        }
    }
    apr_pool_destroy(pool);
    return 0;
}
