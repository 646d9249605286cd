/* SPDX-License-Identifier: Apache-2.0 */
#include "access_token.h"

#include "../base/json.h"
#include "../base/subject.h"
#include "../jose/jwt.h"
#include "../store/db.h"
#include "claims.h"

/* Userinfo takes the token too. */
static void add_audience(const oas_tx_t *tx, oas_members_t *claims)
{
    const oas_grant_t *grant = tx->grant;
    const char *userinfo = tx->issuer->endpoint_urls[OAS_EP_USERINFO];
    oas_words_t *both;

    if (grant->resource == NULL || userinfo == NULL || !oas_words_has(grant->scopes, "openid")) {
        oas_members_string(claims, "aud",
                           grant->resource != NULL ? grant->resource : tx->issuer->url);
        return;
    }
    both = oas_words_create(tx->pool);
    oas_words_add(both, grant->resource);
    oas_words_add(both, userinfo);
    oas_members_words(claims, "aud", both);
}

/* The signer the API asks for, or the one that comes first. */
static const oas_signer_t *choose_signer(const oas_tx_t *tx, const oas_resource_t *resource)
{
    if (resource != NULL && resource->token_alg != NULL) {
        return oas_keyset_signer(tx->keys, resource->token_alg);
    }
    return oas_keyset_default(tx->keys);
}

static oas_dialect_t dialect_of(const oas_tx_t *tx, const oas_resource_t *resource)
{
    if (resource != NULL) {
        return resource->dialect;
    }
    return tx->issuer->profile == OAS_PROFILE_AUTH0 ? OAS_DIALECT_AUTH0 : OAS_DIALECT_RFC9068;
}

/* Auth0's gty: how the token came about, unless by a code. */
static const char *grant_kind(const oas_tx_t *tx)
{
    static const oas_name_bit_t kinds[] = {
        {"client-credentials", OAS_GRANT_CLIENT_CREDENTIALS},
        {"password", OAS_GRANT_PASSWORD | OAS_GRANT_PASSWORD_REALM},
        {"refresh_token", OAS_GRANT_REFRESH_TOKEN},
        {NULL, 0}};
    const oas_name_bit_t *row = kinds;

    while (row->name != NULL && (tx->endpoint != OAS_EP_TOKEN || !(row->bit & tx->mask))) {
        row++;
    }
    return row->name;
}

/* Who sent the request, in the words of the dialect (RFC 9068 section 2.2; Auth0: azp). */
static void add_client(const oas_tx_t *tx, oas_dialect_t dialect, oas_members_t *claims)
{
    oas_members_string(claims, dialect == OAS_DIALECT_AUTH0 ? "azp" : "client_id",
                       tx->grant->client_id);
    if (dialect == OAS_DIALECT_AUTH0) {
        oas_members_string(claims, "gty", grant_kind(tx));
    }
    if (tx->cnf != NULL) {
        oas_members_t *cnf = oas_members_create(tx->pool);

        oas_members_string(cnf, "x5t#S256", tx->cnf);
        oas_members_object(claims, "cnf", cnf);
    }
}

/* What only a token in a user's name has. */
static void add_user(const oas_tx_t *tx, oas_members_t *claims)
{
    const oas_grant_t *grant = tx->grant;

    if (grant->auth_time > 0) {
        oas_members_integer(claims, "auth_time", grant->auth_time);
    }
    oas_members_string(claims, "acr", grant->acr);
    oas_members_string(claims, "sid", oas_sid_for(tx, tx->client, grant->sid));
    oas_members_string(claims, "grant_id", grant->grant_id);
    oas_release_claims(tx, grant->scopes, OAS_IN_ACCESS_TOKEN, claims);
}

/* A client's own token has its own name, which is nobody's subject. */
static const char *told_subject(const oas_tx_t *tx)
{
    const oas_grant_t *grant = tx->grant;

    return grant->grant_id != NULL ? oas_subject_for(tx, tx->client, grant->sub) : grant->sub;
}

static oas_members_t *token_claims(const oas_tx_t *tx, oas_dialect_t dialect, apr_int64_t lifetime,
                                   const char *jti, const char *sub)
{
    const oas_grant_t *grant = tx->grant;
    oas_members_t *claims = oas_members_create(tx->pool);

    oas_members_string(claims, "iss", tx->issuer->url);
    oas_members_string(claims, "sub", sub);
    add_audience(tx, claims);
    oas_members_integer(claims, "exp", grant->now + lifetime);
    oas_members_integer(claims, "iat", grant->now);
    oas_members_string(claims, "jti", jti);
    if (grant->scopes->nelts > 0) {
        oas_members_string(claims, "scope", oas_words_join(grant->scopes, tx->pool));
    }
    add_client(tx, dialect, claims);
    add_user(tx, claims);
    return claims;
}

/* Signs the token into *out. */
static apr_status_t mint(oas_tx_t *tx, const oas_resource_t *resource, apr_int64_t lifetime,
                         const char **out)
{
    const oas_signer_t *signer = choose_signer(tx, resource);
    oas_dialect_t dialect = dialect_of(tx, resource);
    unsigned char random[OAS_ID_LEN];
    const char *sub = told_subject(tx);
    const char *jti;

    if (signer == NULL || sub == NULL ||
        oas_reserve_take(&tx->random, random, sizeof(random), tx->pool) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    jti = oas_base64url_encode(tx->pool, random, sizeof(random));
    return oas_jwt_sign(out, signer, dialect == OAS_DIALECT_AUTH0 ? "JWT" : "at+jwt",
                        oas_members_text(token_claims(tx, dialect, lifetime, jti, sub)), tx->pool);
}

oas_outcome_t oas_issue_access_token(oas_tx_t *tx)
{
    const oas_grant_t *grant = tx->grant;
    const oas_resource_t *resource =
        grant->resource != NULL ? oas_resource_find(tx->issuer, grant->resource) : NULL;
    apr_int64_t lifetime =
        apr_time_sec(oas_lifetime(tx->issuer, tx->client, resource, OAS_LIFETIME_ACCESS_TOKEN));
    const char *token;
    apr_status_t rv;

    oas_db_release(tx->db); /* signing takes as long as many a statement */
    rv = mint(tx, resource, lifetime, &token);
    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00701), OAS_E_SERVER, rv, "access token not signed");
    }
    if (tx->answer == NULL) {
        tx->answer = oas_members_create(tx->pool);
    }
    oas_members_string(tx->answer, "access_token", token);
    oas_members_string(tx->answer, "token_type", "Bearer");
    oas_members_integer(tx->answer, "expires_in", lifetime);
    if (grant->scopes->nelts > 0) {
        oas_members_string(tx->answer, "scope", oas_words_join(grant->scopes, tx->pool));
    }
    return OAS_NEXT;
}
