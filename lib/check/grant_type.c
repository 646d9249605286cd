/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_type.h"

#define PASSWORD_GRANTS (OAS_GRANT_PASSWORD | OAS_GRANT_PASSWORD_REALM)

/* What a grant asks of the client beside being registered; clients of the database have not been
 * through configtest. NULL when it fits. */
static const char *misfit(const oas_client_t *client, unsigned grant)
{
    if (!(client->grant_types & grant)) {
        return "not registered for it";
    }
    if ((grant & (OAS_GRANT_CLIENT_CREDENTIALS | PASSWORD_GRANTS)) &&
        !oas_client_confidential(client)) {
        return "a public client";
    }
    if ((grant & PASSWORD_GRANTS) && !client->first_party) {
        return "not of the operator's own";
    }
    return NULL;
}

oas_outcome_t oas_check_grant_type(oas_tx_t *tx)
{
    const char *asked = oas_params_get(tx->params, "grant_type");
    const char *why;
    unsigned bit;

    if (asked == NULL) {
        return oas_refuse(tx, OAS_TAG(00660), OAS_E_GRANT_TYPE_MISSING, NULL);
    }
    bit = oas_name_bit(oas_grant_type_names, asked) & oas_issuer_grants(tx->issuer);
    if (bit == 0) {
        return oas_refuse(tx, OAS_TAG(00661), OAS_E_GRANT_TYPE_UNSUPPORTED, NULL);
    }
    why = misfit(tx->client, bit);
    if (why != NULL) {
        return oas_refuse(tx, OAS_TAG(00662), OAS_E_GRANT_TYPE_UNAUTHORIZED, why);
    }
    tx->mask = bit;
    return OAS_NEXT;
}
