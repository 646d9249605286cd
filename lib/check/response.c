/* SPDX-License-Identifier: Apache-2.0 */
#include "response.h"

#include <string.h>

static const struct {
    const char *name;
    oas_response_mode_t mode;
} modes[] = {
    {"query", OAS_MODE_QUERY}, {"fragment", OAS_MODE_FRAGMENT}, {"form_post", OAS_MODE_FORM_POST}};

static int find_mode(const char *name, oas_response_mode_t *out)
{
    apr_size_t i;

    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(modes[i].name, name) == 0) {
            *out = modes[i].mode;
            return 1;
        }
    }
    return 0;
}

oas_outcome_t oas_assign_response_mode(oas_tx_t *tx)
{
    const char *asked = oas_params_get(tx->params, "response_mode");

    tx->state = oas_params_get(tx->params, "state");
    tx->nonce = oas_params_get(tx->params, "nonce");
    tx->response = OAS_PART_CODE; /* each response type there is has one */
    tx->response_mode = OAS_MODE_QUERY;
    if (asked != NULL) {
        find_mode(asked, &tx->response_mode);
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_response_mode(oas_tx_t *tx)
{
    const char *asked = oas_params_get(tx->params, "response_mode");
    oas_response_mode_t mode;

    if (asked != NULL && !find_mode(asked, &mode)) {
        return oas_refuse(tx, OAS_TAG(00620), OAS_E_RESPONSE_MODE, NULL);
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_request_object(oas_tx_t *tx)
{
    if (oas_params_get(tx->params, "request") != NULL) {
        return oas_refuse(tx, OAS_TAG(00621), OAS_E_REQUEST_OBJECT, NULL);
    }
    if (oas_params_get(tx->params, "request_uri") != NULL) {
        return oas_refuse(tx, OAS_TAG(00622), OAS_E_REQUEST_URI, NULL);
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_response_type(oas_tx_t *tx)
{
    const char *asked = oas_params_get(tx->params, "response_type");
    unsigned bit;

    if (asked == NULL) {
        return oas_refuse(tx, OAS_TAG(00623), OAS_E_RESPONSE_TYPE_MISSING, NULL);
    }
    bit = oas_name_bit(oas_response_type_names, asked);
    if (bit == 0) {
        return oas_refuse(tx, OAS_TAG(00624), OAS_E_RESPONSE_TYPE_UNSUPPORTED, NULL);
    }
    if (!(tx->client->response_types & bit)) {
        return oas_refuse(tx, OAS_TAG(00625), OAS_E_RESPONSE_TYPE_UNAUTHORIZED, NULL);
    }
    return OAS_NEXT;
}
