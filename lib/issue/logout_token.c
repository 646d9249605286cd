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
    json_t *claims = oas_json_object(tx->pool);

    *out = NULL;
    if (signer == NULL || sub == NULL) {
        return APR_EGENERAL;
    }
    oas_json_set(claims, "iss", tx->issuer->url);
    oas_json_set(claims, "sub", sub);
    oas_json_set(claims, "aud", client->client_id);
    json_object_set_new(claims, "iat", json_integer(logout->now));
    json_object_set_new(claims, "exp", json_integer(logout->now + OAS_LOGOUT_TOKEN_LIFETIME));
    oas_json_set(claims, "jti", oas_base64url_encode(tx->pool, logout->id, OAS_ID_LEN));
    json_object_set_new(claims, "events", json_pack("{s{}}", EVENT));
    oas_json_set(claims, "sid", oas_sid_for(tx, client, logout->sid));
    return oas_jwt_sign(out, signer, "logout+jwt", claims, tx->pool);
}
