/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: what a client certificate may be (DER), or (when it begins with '=') a subject as the
 * configuration writes it. A certificate is compared with a subject, with a name and with a key.
 */
#include "fuzz_keys.h"

#include <string.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include "../../lib/check/certificate.h"
#include "../../lib/jose/jwks.h"
#include "../unit/fake_tx.h"

static const struct {
    unsigned method;
    oas_certificate_kind_t kind;
    const char *value;
} clients[] = {
    {OAS_AUTH_TLS, OAS_CERTIFICATE_SUBJECT, "CN=shop,O=Example"},
    {OAS_AUTH_TLS, OAS_CERTIFICATE_SAN_DNS, "shop.example.test"},
    {OAS_AUTH_SELF_SIGNED_TLS, OAS_CERTIFICATE_SELF_SIGNED, NULL},
};

static void show(const uint8_t *data, size_t size, apr_pool_t *pool)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_client_t *client = (oas_client_t *)tx->client;
    const char *why;
    size_t i;

    FUZZ_HOLDS(oas_jwks_parse(&client->jwks, oas_keyset_public(fuzz_keys(pool), pool), &why,
                              pool) == APR_SUCCESS);
    tx->request.certificate = (oas_bytes_t){data, size};
    tx->request.certificate_verified = 1;
    for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        client->certificate = clients[i].kind;
        client->certificate_value = clients[i].value;
        oas_check_certificate(tx, clients[i].method);
        FUZZ_HOLDS(tx->error == OAS_E_NONE || tx->error == OAS_E_CERTIFICATE_INVALID ||
                   (size == 0 && tx->error == OAS_E_CERTIFICATE_MISSING));
        tx->error = OAS_E_NONE;
    }
    FUZZ_HOLDS((oas_certificate_thumbprint(tx) != NULL) == (size > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    if (size > 0 && data[0] == '=') {
        oas_certificate_subject_valid(apr_pstrmemdup(pool, (const char *)data + 1, size - 1), pool);
    } else {
        show(data, size, pool);
    }
    apr_pool_destroy(pool);
    FUZZ_HOLDS(ERR_peek_error() == 0); /* mod_ssl would take it for its own */
    return 0;
}
