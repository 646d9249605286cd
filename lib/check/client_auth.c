/* SPDX-License-Identifier: Apache-2.0 */
#include "client_auth.h"

#include <string.h>
#include <strings.h>
#include "client.h"

#define BASIC_MAX 4096

/** What the request says about its client. */
typedef struct {
    const char *client_id;
    const char *secret;
    unsigned method;
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

/* Reads the credentials and refuses more than one way (RFC 6749 section 2.3). */
static oas_outcome_t read_credentials(oas_tx_t *tx, credentials_t *out)
{
    const char *body_id = oas_params_get(tx->params, "client_id");
    const char *body_secret = oas_params_get(tx->params, "client_secret");
    apr_status_t rv =
        oas_basic_parse(tx->request.authorization, &out->client_id, &out->secret, tx->pool);

    if (rv == APR_EINVAL) {
        return oas_refuse(tx, OAS_TAG(00650), OAS_E_CLIENT_AUTH_BASIC, NULL);
    }
    if (oas_params_count(tx->params, "client_assertion") > 0) {
        return oas_refuse(tx, OAS_TAG(00651), OAS_E_CLIENT_AUTH_METHOD, "client_assertion");
    }
    if (rv == APR_SUCCESS) {
        if (body_secret != NULL || (body_id != NULL && strcmp(body_id, out->client_id) != 0)) {
            return oas_refuse(tx, OAS_TAG(00652), OAS_E_CLIENT_AUTH_SEVERAL, NULL);
        }
        out->method = OAS_AUTH_SECRET_BASIC;
        return OAS_NEXT;
    }
    if (body_id == NULL) {
        return oas_refuse(tx, OAS_TAG(00653), OAS_E_CLIENT_AUTH, "no client_id");
    }
    out->client_id = body_id;
    out->secret = body_secret;
    out->method = body_secret != NULL ? OAS_AUTH_SECRET_POST : OAS_AUTH_NONE;
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
    return matches;
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
        return oas_refuse(tx, OAS_TAG(00655), OAS_E_CLIENT_AUTH, "unknown client");
    }
    tx->client = client;
    if (!(client->auth_methods & given.method)) {
        return oas_refuse(tx, OAS_TAG(00656), OAS_E_CLIENT_AUTH_METHOD, NULL);
    }
    if (given.method != OAS_AUTH_NONE && !secret_matches(client, given.secret)) {
        return oas_refuse(tx, OAS_TAG(00657), OAS_E_CLIENT_AUTH, "wrong secret");
    }
    tx->auth_method = given.method;
    return OAS_NEXT;
}
