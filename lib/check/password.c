/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

oas_outcome_t oas_check_password(oas_tx_t *tx)
{
    if (oas_params_get(tx->params, "username") == NULL) {
        return oas_refuse(tx, OAS_TAG(00828), OAS_E_USERNAME_MISSING, NULL);
    }
    if (oas_params_get(tx->params, "password") == NULL) {
        return oas_refuse(tx, OAS_TAG(00829), OAS_E_PASSWORD_MISSING, NULL);
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_realm(oas_tx_t *tx)
{
    const char *realm = oas_params_get(tx->params, "realm");

    if (realm == NULL) {
        return oas_refuse(tx, OAS_TAG(00830), OAS_E_REALM_MISSING, NULL);
    }
    if (!oas_words_has(tx->issuer->password_providers, realm)) {
        return oas_refuse(tx, OAS_TAG(00831), OAS_E_REALM_INVALID, NULL);
    }
    return OAS_NEXT;
}
