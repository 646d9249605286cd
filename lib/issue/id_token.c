/* SPDX-License-Identifier: Apache-2.0 */
#include "id_token.h"

#include "../base/json.h"
#include "../base/subject.h"
#include "../jose/jwt.h"
#include "../store/db.h"
#include "claims.h"

/* amr is an array of strings (RFC 8176); it rests space-delimited. */
static void add_amr(oas_members_t *claims, const char *amr, apr_pool_t *pool)
{
    oas_words_t *words;

    if (amr != NULL && amr[0] != '\0') {
        oas_words_parse(&words, amr, pool);
        oas_members_words(claims, "amr", words);
    }
}

/* Each binds the token to what leaves together with it (OIDC Core 3.1.3.6, 3.3.2.11; s_hash:
 * FAPI 1.0 part 2, 5.1). A state is there at the authorization endpoint only. */
static void add_hashes(const oas_tx_t *tx, const char *alg, oas_members_t *claims)
{
    const struct {
        const char *name;
        const char *value;
    } hashes[] = {{"at_hash", oas_members_get(tx->answer, "access_token")},
                  {"c_hash", oas_members_get(tx->answer, "code")},
                  {"s_hash", tx->state}};
    apr_size_t i;

    for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (hashes[i].value != NULL) {
            oas_members_string(claims, hashes[i].name,
                               oas_jwt_half_hash(alg, hashes[i].value, tx->pool));
        }
    }
}

/* Where nothing but an ID token leaves there is no userinfo, so it has those claims too (OIDC Core
 * section 5.4). */
static unsigned claims_here(const oas_tx_t *tx)
{
    return tx->response == OAS_PART_ID_TOKEN ? OAS_IN_ID_TOKEN | OAS_IN_USERINFO : OAS_IN_ID_TOKEN;
}

static oas_members_t *token_claims(const oas_tx_t *tx, const char *alg, const char *sub)
{
    const oas_grant_t *grant = tx->grant;
    apr_int64_t lifetime =
        apr_time_sec(oas_lifetime(tx->issuer, tx->client, NULL, OAS_LIFETIME_ID_TOKEN));
    oas_members_t *claims = oas_members_create(tx->pool);

    oas_members_string(claims, "iss", tx->issuer->url);
    oas_members_string(claims, "sub", sub);
    oas_members_string(claims, "aud", grant->client_id);
    oas_members_string(claims, "azp", grant->client_id);
    oas_members_integer(claims, "exp", grant->now + lifetime);
    oas_members_integer(claims, "iat", grant->now);
    if (grant->auth_time > 0) { /* 0: nobody knows */
        oas_members_integer(claims, "auth_time", grant->auth_time);
    }
    oas_members_string(claims, "nonce", grant->nonce);
    oas_members_string(claims, "acr", grant->acr);
    add_amr(claims, grant->amr, tx->pool);
    oas_members_string(claims, "sid", oas_sid_for(tx, tx->client, grant->sid));
    add_hashes(tx, alg, claims);
    oas_release_claims(tx, grant->scopes, claims_here(tx), claims);
    return claims;
}

oas_outcome_t oas_issue_id_token(oas_tx_t *tx)
{
    const oas_signer_t *signer;
    const char *token;
    const char *sub;
    apr_status_t rv;

    if (!oas_words_has(tx->grant->scopes, "openid")) {
        return OAS_NEXT;
    }
    signer = oas_keyset_signer(tx->keys, tx->client->id_token_alg);
    if (signer == NULL) {
        return oas_fault(tx, OAS_TAG(00705), OAS_E_SERVER, APR_EGENERAL,
                         "no active key for the client's ID token algorithm");
    }
    oas_db_release(tx->db); /* as before an access token */
    sub = oas_subject_for(tx, tx->client, tx->grant->sub);
    rv = sub == NULL
             ? APR_EGENERAL
             : oas_jwt_sign(&token, signer, "JWT",
                            oas_members_text(token_claims(tx, tx->client->id_token_alg, sub)),
                            tx->pool);
    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00706), OAS_E_SERVER, rv, "ID token not signed");
    }
    if (tx->answer == NULL) {
        tx->answer = oas_members_create(tx->pool);
    }
    oas_members_string(tx->answer, "id_token", token);
    return OAS_NEXT;
}
