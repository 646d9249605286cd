/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <string.h>
#include <arpa/inet.h>
#include <apr_strings.h>

/* An address in its one spelling, or NULL. */
static const char *canonical_address(const char *text, apr_pool_t *pool)
{
    char out[INET6_ADDRSTRLEN];
    unsigned char binary[16];
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

    return inet_pton(family, text, binary) == 1 &&
                   inet_ntop(family, binary, out, sizeof(out)) != NULL
               ? apr_pstrdup(pool, out)
               : NULL;
}

oas_outcome_t oas_assign_address(oas_tx_t *tx)
{
    const char *address;

    if (!tx->client->forwarded_for || tx->request.forwarded_for == NULL) {
        return OAS_NEXT;
    }
    address = canonical_address(tx->request.forwarded_for, tx->pool);
    if (address == NULL) {
        oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00454), APR_SUCCESS,
                "auth0-forwarded-for of client %s is not one IP address and is ignored",
                tx->client->client_id);
        return OAS_NEXT;
    }
    tx->request.address = address;
    tx->request.address_forwarded = 1;
    return OAS_NEXT;
}

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
