/* SPDX-License-Identifier: Apache-2.0 */
#include "password_grant.h"

#include "../login/password.h"
#include "../store/grant.h"
#include "refresh.h"

oas_outcome_t oas_issue_password_grant(oas_tx_t *tx)
{
    const oas_login_t *login = tx->login;
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    oas_password_grant_t in = {.client_id = tx->client->client_id,
                               .scope = oas_words_join(tx->scopes, tx->pool),
                               .resource = tx->resource != NULL ? tx->resource->uri : NULL,
                               .sub = login->sub,
                               .provider = login->provider,
                               .name = login->name,
                               .claims = login->claims,
                               .proof = login->proof,
                               .amr = login->amr,
                               .access_lifetime = oas_lifetime(tx->issuer, tx->client, tx->resource,
                                                               OAS_LIFETIME_ACCESS_TOKEN),
                               .attempt = &login->attempt};
    apr_status_t rv = oas_reserve_take(&tx->random, in.grant_id, sizeof(in.grant_id), tx->pool);

    if (rv == APR_SUCCESS) {
        rv = oas_refresh_first(tx, in.grant_id, &in.refresh);
    }
    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00838), OAS_E_SERVER, rv, "no random numbers");
    }
    rv = oas_store_password_grant(tx->db, &in, grant, tx->pool);
    if (rv == APR_ENOENT) {
        return oas_login_refuse(tx, oas_login_overtaken(tx, login));
    }
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00839), rv, "grant not stored");
    }
    tx->grant = grant;
    oas_login_audit(tx, login);
    return OAS_NEXT;
}
