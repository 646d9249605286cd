/* SPDX-License-Identifier: Apache-2.0 */
#include "code.h"

#include "../base/handle.h"
#include "pkce.h"

oas_outcome_t oas_check_code(oas_tx_t *tx)
{
    const char *verifier = oas_params_get(tx->params, "code_verifier");
    unsigned char grant_id[OAS_ID_LEN];
    unsigned char hash[OAS_SHA256_LEN];

    tx->code = oas_params_get(tx->params, "code");
    if (tx->code == NULL) {
        return oas_refuse(tx, OAS_TAG(00663), OAS_E_CODE_MISSING, NULL);
    }
    if (oas_params_count(tx->params, "resource") > 1) {
        return oas_refuse(tx, OAS_TAG(00666), OAS_E_TARGET_SEVERAL, NULL);
    }
    if (oas_handle_split(tx->code, grant_id, hash, tx->pool) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00664), OAS_E_CODE_INVALID, "no code of ours");
    }
    if (verifier != NULL &&
        oas_code_challenge(&tx->code_challenge, verifier, tx->pool) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00665), OAS_E_VERIFIER_MALFORMED, NULL);
    }
    return OAS_NEXT;
}
