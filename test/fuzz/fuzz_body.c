/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies of the token endpoint: what was accepted are parameters like those of a form. */
#include "fuzz.h"

#include <string.h>
#include "../../lib/check/body.h"
#include "../../lib/check/params.h"
#include "../unit/fake_tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    oas_tx_t *tx = fake_tx(pool);
    int i;

    ((oas_issuer_t *)tx->issuer)->profile = OAS_PROFILE_AUTH0;
    tx->request.method = "POST";
    tx->request.content_type = "application/json; charset=utf-8";
    tx->request.body = apr_pstrmemdup(pool, (const char *)data, size);
    tx->request.body_len = size;
    if (oas_load_body(tx) == OAS_NEXT) {
        FUZZ_HOLDS(tx->error == OAS_E_NONE);
        FUZZ_HOLDS(tx->params->list->nelts <= OAS_PARAMS_MAX);
        FUZZ_HOLDS(oas_check_duplicates(tx) == OAS_NEXT);
        for (i = 0; i < tx->params->list->nelts; i++) {
            const oas_param_t *param = &APR_ARRAY_IDX(tx->params->list, i, oas_param_t);

            FUZZ_HOLDS(oas_utf8_valid(param->name, strlen(param->name)));
            FUZZ_HOLDS(oas_utf8_valid(param->value, strlen(param->value)));
            FUZZ_HOLDS(oas_params_count(tx->params, param->name) == 1);
        }
    } else {
        FUZZ_HOLDS(tx->error != OAS_E_NONE);
    }
    apr_pool_destroy(pool);
    return 0;
}
