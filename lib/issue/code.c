/* SPDX-License-Identifier: Apache-2.0 */
#include "code.h"

#include <string.h>
#include "../base/audit.h"
#include "../base/handle.h"
#include "../base/json.h"
#include "../store/grant.h"
#include "refresh.h"

static oas_consent_mode_t consent_mode(const oas_tx_t *tx)
{
    if (tx->consent_skipped) {
        return OAS_CONSENT_SKIP;
    }
    return tx->consent_given ? OAS_CONSENT_ALLOW : OAS_CONSENT_REQUIRE;
}

/* Fills code_hash at random; tx->code is both halves. */
static apr_status_t make_code(oas_tx_t *tx, oas_code_put_t *put)
{
    unsigned char secret[OAS_SECRET_LEN];

    if (oas_reserve_take(&tx->random, secret, sizeof(secret), tx->pool) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    oas_sha256(secret, sizeof(secret), put->code_hash);
    tx->code = oas_handle_make(put->grant_id, secret, tx->pool);
    oas_wipe(secret, sizeof(secret));
    return APR_SUCCESS;
}

static apr_status_t describe(oas_tx_t *tx, oas_code_put_t *put)
{
    oas_bytes_t session_id;

    if (oas_base64url_decode(tx->pool, tx->session->id, strlen(tx->session->id), &session_id) !=
            APR_SUCCESS ||
        session_id.len != OAS_ID_LEN ||
        oas_reserve_take(&tx->random, put->grant_id, sizeof(put->grant_id), tx->pool) !=
            APR_SUCCESS) {
        return APR_EGENERAL;
    }
    memcpy(put->session_id, session_id.data, OAS_ID_LEN);
    put->with_code = (tx->response & OAS_PART_CODE) != 0;
    put->activate = (tx->response & OAS_PART_TOKEN) != 0;
    put->client_id = tx->client->client_id;
    put->scope = oas_words_join(tx->scopes, tx->pool);
    put->resource = tx->resource != NULL ? tx->resource->uri : NULL;
    put->redirect_uri = tx->redirect_uri;
    put->redirect_uri_required = tx->redirect_uri_sent;
    put->code_challenge = tx->code_challenge;
    put->nonce = tx->nonce;
    put->code_lifetime = oas_lifetime(tx->issuer, tx->client, NULL, OAS_LIFETIME_CODE);
    put->access_lifetime =
        oas_lifetime(tx->issuer, tx->client, tx->resource, OAS_LIFETIME_ACCESS_TOKEN);
    put->consent = consent_mode(tx);
    put->form_started = tx->started;
    if (tx->claims_request != NULL) {
        put->claims_request = oas_json_text(tx->pool, tx->claims_request);
        put->permissions = oas_words_join(tx->permissions, tx->pool);
    }
    put->track = oas_client_tracked(tx->client);
    put->queue = tx->client->backchannel_logout_uri != NULL;
    return put->with_code ? make_code(tx, put) : APR_SUCCESS;
}

oas_outcome_t oas_issue_code(oas_tx_t *tx)
{
    oas_code_put_t put = {0};
    oas_code_put_outcome_t outcome;
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    apr_status_t rv = describe(tx, &put);

    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00710), OAS_E_SERVER, rv, "code not made");
    }
    rv = oas_store_code_put(tx->db, &put, &outcome, grant, tx->pool);
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00711), rv, "code not stored");
    }
    if (outcome == OAS_CODE_SESSION_GONE) {
        return oas_refuse(tx, OAS_TAG(00712), OAS_E_LOGIN_REQUIRED, "the session has just ended");
    }
    if (outcome == OAS_CODE_CONSENT_GONE) {
        return oas_refuse(tx, OAS_TAG(00713),
                          put.consent == OAS_CONSENT_ALLOW ? OAS_E_FORM_STALE
                                                           : OAS_E_CONSENT_REQUIRED,
                          "the consent has been withdrawn meanwhile");
    }
    tx->grant = grant;
    if (put.consent == OAS_CONSENT_ALLOW) {
        oas_audit(tx, OAS_AUDIT_CONSENT, NULL, NULL);
    }
    oas_audit(tx, OAS_AUDIT_CODE, NULL, NULL);
    tx->answer = oas_members_create(tx->pool);
    oas_members_string(tx->answer, "code", tx->code);
    return OAS_NEXT;
}

/* What the client is told of each outcome, and what the log is told. */
static const struct {
    oas_error_id_t error;
    const char *detail;
} redeem_errors[] = {
    [OAS_REDEEM_DONE] = {OAS_E_NONE, NULL},
    [OAS_REDEEM_UNKNOWN] = {OAS_E_CODE_INVALID, "unknown"},
    [OAS_REDEEM_FOREIGN] = {OAS_E_CODE_INVALID, "issued to another client"},
    [OAS_REDEEM_REDIRECT_URI] = {OAS_E_CODE_INVALID, "redirect_uri differs"},
    [OAS_REDEEM_REDIRECT_URI_MISSING] = {OAS_E_TOKEN_REDIRECT_URI_MISSING, NULL},
    [OAS_REDEEM_VERIFIER] = {OAS_E_CODE_INVALID, "code_verifier does not match"},
    [OAS_REDEEM_VERIFIER_MISSING] = {OAS_E_VERIFIER_MISSING, NULL},
    [OAS_REDEEM_RESOURCE] = {OAS_E_TARGET_INVALID, "the code is for another resource"},
    [OAS_REDEEM_EXPIRED] = {OAS_E_CODE_INVALID, "expired"},
    [OAS_REDEEM_REPLAYED] = {OAS_E_CODE_INVALID, "used before: what was issued is revoked now"},
    [OAS_REDEEM_REVOKED] = {OAS_E_CODE_INVALID, "its grant was revoked"},
};

/* The API is not known before the code is redeemed: the longest of those it can be. */
static apr_interval_time_t longest_access(const oas_tx_t *tx)
{
    apr_interval_time_t longest =
        oas_lifetime(tx->issuer, tx->client, NULL, OAS_LIFETIME_ACCESS_TOKEN);
    int i;

    for (i = 0; i < tx->client->allow->nelts; i++) {
        const char *uri = APR_ARRAY_IDX(tx->client->allow, i, oas_allow_t).resource;
        apr_interval_time_t one = oas_lifetime(
            tx->issuer, tx->client, oas_resource_find(tx->issuer, uri), OAS_LIFETIME_ACCESS_TOKEN);
        longest = one > longest ? one : longest;
    }
    return longest;
}

static apr_status_t describe_redemption(oas_tx_t *tx, oas_code_redeem_t *in)
{
    in->client_id = tx->client->client_id;
    in->redirect_uri = oas_params_get(tx->params, "redirect_uri");
    in->code_challenge = tx->code_challenge;
    in->resource = oas_params_get(tx->params, "resource");
    in->access_lifetime = longest_access(tx);
    if (oas_handle_split(tx->code, in->grant_id, in->code_hash, tx->pool) != APR_SUCCESS ||
        oas_reserve_take(&tx->random, in->attempt, sizeof(in->attempt), tx->pool) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    return oas_refresh_first(tx, in->grant_id, &in->refresh);
}

oas_outcome_t oas_issue_redemption(oas_tx_t *tx)
{
    oas_grant_t *grant = apr_pcalloc(tx->pool, sizeof(*grant));
    oas_code_redeem_t in = {0};
    oas_redeem_outcome_t outcome;
    apr_status_t rv = describe_redemption(tx, &in);

    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00715), OAS_E_SERVER, rv, "no random numbers");
    }
    rv = oas_store_code_redeem(tx->db, &in, &outcome, grant, tx->pool);
    if (rv != APR_SUCCESS) {
        return oas_store_fault(tx, OAS_TAG(00716), rv, "code not redeemed");
    }
    tx->grant = grant->grant_id != NULL ? grant : NULL;
    if (outcome == OAS_REDEEM_REPLAYED) {
        oas_audit(tx, OAS_AUDIT_CODE_REPLAY, NULL, NULL);
    }
    if (outcome != OAS_REDEEM_DONE) {
        return oas_refuse(tx, OAS_TAG(00717), redeem_errors[outcome].error,
                          redeem_errors[outcome].detail);
    }
    return OAS_NEXT;
}
