/* SPDX-License-Identifier: Apache-2.0 */
#include "client_auth.h"

#include <string.h>
#include <strings.h>
#include "assertion.h"
#include "certificate.h"
#include "client.h"

#define BASIC_MAX 4096

/** What the request says about its client. */
typedef struct {
    const char *client_id;
    const char *secret;
    const oas_assertion_t *assertion;
    unsigned method; /**< OAS_AUTH_ bit; 0: nothing but a client_id was sent */
} credentials_t;

apr_status_t oas_basic_parse(const char *header, const char **client_id, const char **secret,
                             apr_pool_t *pool)
{
    oas_bytes_t decoded;
    const char *colon;
    char *id;
    char *password;

    if (header == NULL || strncasecmp(header, "Basic", 5) != 0 || header[5] != ' ') {
        return APR_ENOENT;
    }
    header += 5 + strspn(header + 5, " ");
    if (strlen(header) > BASIC_MAX ||
        oas_base64_decode(pool, header, strlen(header), &decoded) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    oas_wipe_with_pool(pool, (void *)decoded.data, decoded.len);
    colon = memchr(decoded.data, ':', decoded.len);
    if (colon == NULL) {
        return APR_EINVAL;
    }
    if (oas_percent_decode(pool, (const char *)decoded.data, colon - (const char *)decoded.data, 1,
                           &id) != APR_SUCCESS ||
        oas_percent_decode(pool, colon + 1, (const char *)decoded.data + decoded.len - (colon + 1),
                           1, &password) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    oas_wipe_with_pool(pool, password, strlen(password));
    *client_id = id;
    *secret = password;
    return id[0] != '\0' ? APR_SUCCESS : APR_EINVAL;
}

static oas_outcome_t read_basic(oas_tx_t *tx, credentials_t *out)
{
    apr_status_t rv =
        oas_basic_parse(tx->request.authorization, &out->client_id, &out->secret, tx->pool);

    if (rv == APR_EINVAL) {
        return oas_refuse(tx, OAS_TAG(00650), OAS_E_CLIENT_AUTH_BASIC, NULL);
    }
    out->method = rv == APR_SUCCESS ? OAS_AUTH_SECRET_BASIC : 0;
    return OAS_NEXT;
}

static oas_outcome_t read_post(oas_tx_t *tx, credentials_t *out)
{
    out->secret = oas_params_get(tx->params, "client_secret");
    out->method = out->secret != NULL ? OAS_AUTH_SECRET_POST : 0;
    return OAS_NEXT;
}

/* RFC 7521 section 4.2. */
static oas_outcome_t read_assertion(oas_tx_t *tx, credentials_t *out)
{
    const char *type = oas_params_get(tx->params, "client_assertion_type");
    const char *text = oas_params_get(tx->params, "client_assertion");
    oas_assertion_t *assertion;
    const char *why = "client_assertion is missing";

    if (type == NULL && text == NULL) {
        return OAS_NEXT;
    }
    if (type == NULL || strcmp(type, OAS_ASSERTION_TYPE) != 0) {
        return oas_refuse(tx, OAS_TAG(00651), OAS_E_ASSERTION_TYPE, NULL);
    }
    if (text == NULL || oas_assertion_parse(&assertion, text, &why, tx->pool) != APR_SUCCESS) {
        return oas_refuse(tx, OAS_TAG(00658), OAS_E_ASSERTION_INVALID, why);
    }
    out->client_id = assertion->client_id;
    out->assertion = assertion;
    out->method = assertion->method;
    return OAS_NEXT;
}

/* Reads the credentials and refuses more than one way (RFC 6749 section 2.3). */
static oas_outcome_t read_credentials(oas_tx_t *tx, credentials_t *out)
{
    static oas_outcome_t (*const carriers[])(oas_tx_t *, credentials_t *) = {read_basic, read_post,
                                                                             read_assertion};
    const char *body_id = oas_params_get(tx->params, "client_id");
    apr_size_t i;

    for (i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
        credentials_t found = {0};

        if (carriers[i](tx, &found) != OAS_NEXT) {
            return OAS_FAILED;
        }
        if (found.method != 0 && out->method != 0) {
            return oas_refuse(tx, OAS_TAG(00652), OAS_E_CLIENT_AUTH_SEVERAL, NULL);
        }
        if (found.method != 0) {
            *out = found;
        }
    }
    if (out->client_id == NULL) {
        out->client_id = body_id;
    } else if (body_id != NULL && strcmp(body_id, out->client_id) != 0) {
        return oas_refuse(tx, OAS_TAG(00659), OAS_E_CLIENT_AUTH_SEVERAL, "two client_ids");
    }
    if (out->client_id == NULL) {
        return oas_refuse(tx, OAS_TAG(00653), OAS_E_CLIENT_AUTH, "no client_id");
    }
    return OAS_NEXT;
}

static int secret_matches(const oas_client_t *client, const char *secret)
{
    unsigned char hash[OAS_SHA256_LEN];
    int matches = 0;
    int i;

    oas_sha256(secret, strlen(secret), hash);
    for (i = 0; i < client->secrets->nelts; i++) {
        matches |= oas_equal(APR_ARRAY_IDX(client->secrets, i, oas_client_secret_t).sha256, hash,
                             sizeof(hash));
    }
    oas_wipe(hash, sizeof(hash));
    return matches;
}

static oas_outcome_t verify_secret(oas_tx_t *tx, const credentials_t *given)
{
    return secret_matches(tx->client, given->secret)
               ? OAS_NEXT
               : oas_refuse(tx, OAS_TAG(00657), OAS_E_CLIENT_AUTH, "wrong secret");
}

static oas_outcome_t verify_assertion(oas_tx_t *tx, const credentials_t *given)
{
    return oas_check_assertion(tx, given->assertion);
}

static oas_outcome_t verify_certificate(oas_tx_t *tx, const credentials_t *given)
{
    return oas_check_certificate(tx, given->method);
}

static oas_outcome_t verify_nothing(oas_tx_t *tx, const credentials_t *given)
{
    return OAS_NEXT;
}

static const struct {
    unsigned method;
    oas_outcome_t (*verify)(oas_tx_t *tx, const credentials_t *given);
} methods[] = {
    {OAS_AUTH_NONE, verify_nothing},
    {OAS_AUTH_SECRET_BASIC, verify_secret},
    {OAS_AUTH_SECRET_POST, verify_secret},
    {OAS_AUTH_SECRET_JWT, verify_assertion},
    {OAS_AUTH_PRIVATE_KEY_JWT, verify_assertion},
    {OAS_AUTH_TLS, verify_certificate},
    {OAS_AUTH_SELF_SIGNED_TLS, verify_certificate},
};

/* A request with nothing but a client_id is one by certificate where the client is registered so;
 * a certificate beside another method only binds tokens (RFC 8705 sections 2 and 3). */
static unsigned silent_method(const oas_client_t *client)
{
    unsigned by_tls = client->auth_methods & OAS_AUTH_ANY_TLS;

    if (by_tls == OAS_AUTH_ANY_TLS) {
        return client->certificate == OAS_CERTIFICATE_SELF_SIGNED ? OAS_AUTH_SELF_SIGNED_TLS
                                                                  : OAS_AUTH_TLS;
    }
    return by_tls != 0 ? by_tls : OAS_AUTH_NONE;
}

static oas_outcome_t authenticate(oas_tx_t *tx, credentials_t *given)
{
    apr_size_t i;

    if (given->method == 0) {
        given->method = silent_method(tx->client);
    }
    if (!(tx->client->auth_methods & given->method)) {
        return oas_refuse(tx, OAS_TAG(00656), OAS_E_CLIENT_AUTH_METHOD, NULL);
    }
    for (i = 0; methods[i].method != given->method; i++) {
    }
    return methods[i].verify(tx, given);
}

oas_outcome_t oas_check_client_auth(oas_tx_t *tx)
{
    credentials_t given = {0};
    const oas_client_t *client = NULL;
    apr_status_t rv;

    if (read_credentials(tx, &given) != OAS_NEXT) {
        return OAS_FAILED;
    }
    rv = oas_client_find(tx, given.client_id, &client);
    if (rv != APR_SUCCESS && rv != APR_ENOENT) {
        return oas_store_fault(tx, OAS_TAG(00654), rv, "client not looked up");
    }
    if (rv == APR_ENOENT) {
        return oas_refuse(tx, OAS_TAG(00655),
                          given.assertion != NULL ? OAS_E_ASSERTION_INVALID : OAS_E_CLIENT_AUTH,
                          "unknown client");
    }
    tx->client = client;
    if (authenticate(tx, &given) != OAS_NEXT) {
        return OAS_FAILED;
    }
    tx->auth_method = given.method;
    return oas_bind_certificate(tx);
}
