/* SPDX-License-Identifier: Apache-2.0 */
#include "logout_token.h"

#include "../base/json.h"
#include "../base/subject.h"
#include "../jose/jwt.h"

#define EVENT "http://schemas.openid.net/event/backchannel-logout"

apr_status_t oas_logout_token(const char **out, const oas_tx_t *tx, const oas_client_t *client,
                              const oas_logout_t *logout)
{
    const oas_signer_t *signer = oas_keyset_signer(tx->keys, client->id_token_alg);
    const char *sub = oas_subject_for(tx, client, logout->sub);
    oas_members_t *claims = oas_members_create(tx->pool);
    oas_members_t *events = oas_members_create(tx->pool);

    *out = NULL;
    if (signer == NULL || sub == NULL) {
        return APR_EGENERAL;
    }
    oas_members_string(claims, "iss", tx->issuer->url);
    oas_members_string(claims, "sub", sub);
    oas_members_string(claims, "aud", client->client_id);
    oas_members_integer(claims, "iat", logout->now);
    oas_members_integer(claims, "exp", logout->now + OAS_LOGOUT_TOKEN_LIFETIME);
    oas_members_string(claims, "jti", oas_base64url_encode(tx->pool, logout->id, OAS_ID_LEN));
    oas_members_object(events, EVENT, oas_members_create(tx->pool));
    oas_members_object(claims, "events", events);
    oas_members_string(claims, "sid", oas_sid_for(tx, client, logout->sid));
    return oas_jwt_sign(out, signer, "logout+jwt", oas_members_text(claims), tx->pool);
}
