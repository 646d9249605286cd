/* SPDX-License-Identifier: Apache-2.0 */
#include "access_token.h"

#include "../base/json.h"
#include "../jose/jwt.h"
#include "claims.h"

static json_t *audience(const oas_tx_t *tx)
{
    const oas_grant_t *grant = tx->grant;

    if (grant->resource == NULL) {
        return json_string(tx->issuer->url);
    }
    if (oas_words_has(grant->scopes, "openid") &&
        tx->issuer->endpoint_urls[OAS_EP_USERINFO] != NULL) {
        return json_pack("[ss]", grant->resource, tx->issuer->endpoint_urls[OAS_EP_USERINFO]);
    }
    return json_string(grant->resource);
}

/* The signer the API asks for, or the one that comes first. */
static const oas_signer_t *choose_signer(const oas_tx_t *tx, const oas_resource_t *resource)
{
    if (resource != NULL && resource->token_alg != NULL) {
        return oas_keyset_signer(tx->issuer->keys, resource->token_alg);
    }
    return oas_keyset_default(tx->issuer->keys);
}

static json_t *token_claims(const oas_tx_t *tx, apr_int64_t lifetime, const char *jti)
{
    const oas_grant_t *grant = tx->grant;
    json_t *claims = oas_json_object(tx->pool);

    oas_json_set(claims, "iss", tx->issuer->url);
    oas_json_set(claims, "sub", grant->sub);
    json_object_set_new(claims, "aud", audience(tx));
    json_object_set_new(claims, "exp", json_integer(grant->now + lifetime));
    json_object_set_new(claims, "iat", json_integer(grant->now));
    oas_json_set(claims, "jti", jti);
    oas_json_set(claims, "client_id", grant->client_id);
    oas_json_set(claims, "scope", oas_words_join(grant->scopes, tx->pool));
    json_object_set_new(claims, "auth_time", json_integer(grant->auth_time));
    oas_json_set(claims, "acr", grant->acr);
    oas_json_set(claims, "sid", grant->sid);
    oas_json_set(claims, "grant_id", grant->grant_id);
    oas_release_claims(tx, grant->scopes, OAS_IN_ACCESS_TOKEN, claims);
    return claims;
}

oas_outcome_t oas_issue_access_token(oas_tx_t *tx)
{
    const oas_grant_t *grant = tx->grant;
    const oas_resource_t *resource =
        grant->resource != NULL ? oas_resource_find(tx->issuer, grant->resource) : NULL;
    apr_int64_t lifetime =
        apr_time_sec(oas_lifetime(tx->issuer, tx->client, resource, OAS_LIFETIME_ACCESS_TOKEN));
    const oas_signer_t *signer = choose_signer(tx, resource);
    unsigned char random[OAS_ID_LEN];
    const char *token;
    apr_status_t rv;

    if (signer == NULL || oas_random(random, sizeof(random)) != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00700), OAS_E_SERVER, APR_EGENERAL, "no key or no random");
    }
    rv = oas_jwt_sign(
        &token, signer, "at+jwt",
        token_claims(tx, lifetime, oas_base64url_encode(tx->pool, random, sizeof(random))),
        tx->pool);
    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00701), OAS_E_SERVER, rv, "access token not signed");
    }
    if (tx->answer == NULL) {
        tx->answer = oas_json_object(tx->pool);
    }
    oas_json_set(tx->answer, "access_token", token);
    oas_json_set(tx->answer, "token_type", "Bearer");
    json_object_set_new(tx->answer, "expires_in", json_integer(lifetime));
    oas_json_set(tx->answer, "scope", oas_words_join(grant->scopes, tx->pool));
    return OAS_NEXT;
}
