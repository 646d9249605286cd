/* SPDX-License-Identifier: Apache-2.0 */
#include "assertion.h"

#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../store/jti.h"
#include "client_keys.h"

/* RFC 7515 section 4.1.9: "application/" may be left out. The second is what RFC 7523bis asks for.
 */
static const char *const types[] = {"JWT", "client-authentication+jwt"};

static int is_assertion_type(const char *typ)
{
    apr_size_t i;

    if (typ == NULL) {
        return 1;
    }
    if (strncasecmp(typ, "application/", 12) == 0) {
        typ += 12;
    }
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcasecmp(typ, types[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static const char *read_claims(oas_assertion_t *out)
{
    const char *iss = oas_json_string(out->claims, "iss");

    out->client_id = oas_json_string(out->claims, "sub");
    out->jti = oas_json_string(out->claims, "jti");
    if (iss == NULL || out->client_id == NULL || *iss == '\0') {
        return "iss or sub is missing";
    }
    if (strcmp(iss, out->client_id) != 0) {
        return "iss and sub differ";
    }
    if (json_object_get(out->claims, "aud") == NULL) {
        return "aud is missing";
    }
    if (oas_jwt_date(out->claims, "exp", &out->exp) != APR_SUCCESS) {
        return "exp is missing or no date";
    }
    if (out->jti == NULL || *out->jti == '\0' || strlen(out->jti) > OAS_ASSERTION_JTI_MAX) {
        return "jti is missing, empty or too long";
    }
    return NULL;
}

apr_status_t oas_assertion_parse(oas_assertion_t **out, const char *text, const char **why,
                                 apr_pool_t *pool)
{
    oas_assertion_t *assertion = apr_pcalloc(pool, sizeof(*assertion));

    *out = NULL;
    *why = NULL;
    if (oas_jws_parse(&assertion->jws, text, strlen(text), pool) != APR_SUCCESS) {
        *why = "it is no JWS, or too long";
    } else if (!is_assertion_type(assertion->jws->typ)) {
        *why = "typ says that it is something else";
    } else if (oas_jwt_claims(&assertion->claims, assertion->jws, pool) != APR_SUCCESS) {
        *why = "its payload is no JSON object";
    } else {
        *why = read_claims(assertion);
    }
    if (*why != NULL) {
        return APR_EINVAL;
    }
    assertion->method = strcmp(assertion->jws->alg, OAS_HMAC_ALG) == 0 ? OAS_AUTH_SECRET_JWT
                                                                       : OAS_AUTH_PRIVATE_KEY_JWT;
    *out = assertion;
    return APR_SUCCESS;
}

/* RFC 7523 section 3 item 3. The endpoint that was called counts as the token endpoint does. */
static const char *audience_fault(const oas_tx_t *tx, const oas_assertion_t *assertion)
{
    const json_t *aud = json_object_get(assertion->claims, "aud");
    const char *const urls[] = {tx->issuer->url, tx->issuer->endpoint_urls[OAS_EP_TOKEN],
                                tx->issuer->endpoint_urls[tx->endpoint],
                                tx->issuer->mtls_urls[OAS_EP_TOKEN],
                                tx->issuer->mtls_urls[tx->endpoint]};
    apr_size_t i;

    if (tx->client->assertion_audience == OAS_ASSERTION_ISSUER) {
        return json_is_string(aud) && strcmp(json_string_value(aud), tx->issuer->url) == 0
                   ? NULL
                   : "aud is not the issuer alone";
    }
    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        if (urls[i] != NULL && oas_jwt_has_audience(assertion->claims, urls[i])) {
            return NULL;
        }
    }
    return "aud is neither the issuer nor the token endpoint";
}

/* A date that is there must be one, and not lie in the future. */
static const char *past_fault(const oas_assertion_t *assertion, const char *name,
                              apr_int64_t latest)
{
    apr_int64_t date;
    apr_status_t rv = oas_jwt_date(assertion->claims, name, &date);

    if (rv == APR_ENOENT || (rv == APR_SUCCESS && date <= latest)) {
        return NULL;
    }
    return strcmp(name, "iat") == 0 ? "iat is no date, or in the future"
                                    : "nbf is no date, or in the future";
}

static const char *time_fault(const oas_tx_t *tx, const oas_assertion_t *assertion)
{
    apr_int64_t now = apr_time_sec(apr_time_now());
    apr_int64_t skew = apr_time_sec(tx->issuer->clock_skew);
    const char *why;

    if (assertion->exp <= now - skew) {
        return "it has expired (or the clocks differ)";
    }
    if (assertion->exp > now + skew + apr_time_sec(OAS_ASSERTION_AHEAD)) {
        return "exp lies more than an hour ahead";
    }
    why = past_fault(assertion, "iat", now + skew);
    return why != NULL ? why : past_fault(assertion, "nbf", now + skew);
}

static oas_outcome_t verify_with_secret(oas_tx_t *tx, const oas_assertion_t *assertion)
{
    const apr_array_header_t *secrets = tx->client->hmac_secrets;
    int i;

    for (i = 0; secrets != NULL && i < secrets->nelts; i++) {
        if (oas_jws_verify_hmac(assertion->jws, APR_ARRAY_IDX(secrets, i, oas_bytes_t)) ==
            APR_SUCCESS) {
            return OAS_NEXT;
        }
    }
    return oas_refuse(tx, OAS_TAG(00680), OAS_E_ASSERTION_INVALID,
                      secrets == NULL ? "this node has no clear secret of the client"
                                      : "the secret does not verify it");
}

static oas_outcome_t verify_with_keys(oas_tx_t *tx, const oas_assertion_t *assertion)
{
    const oas_jwks_t *keys = NULL;
    apr_status_t rv = APR_ENOENT;
    int round;

    /* a key that is not there may have come since the keys were fetched */
    for (round = 0; round < 2 && rv == APR_ENOENT; round++) {
        const oas_jwks_t *lacking = keys;
        if (oas_client_keys(tx, lacking, &keys) != OAS_NEXT) {
            return OAS_FAILED;
        }
        if (keys == NULL) {
            break;
        }
        rv = oas_jwks_verify(keys, assertion->jws);
    }
    if (rv == APR_SUCCESS) {
        return OAS_NEXT;
    }
    return oas_refuse(tx, OAS_TAG(00681), OAS_E_ASSERTION_INVALID,
                      rv == APR_ENOENT ? "no key of the client verifies it"
                                       : "its algorithm is not allowed, or its signature wrong");
}

/* Both ways of running ahead and behind are allowed for: this node's clock, which took exp, and the
 * database's, which ends the entry, may differ. */
static apr_int64_t keep_until(const oas_tx_t *tx, const oas_assertion_t *assertion)
{
    return assertion->exp + 2 * apr_time_sec(tx->issuer->clock_skew);
}

static oas_outcome_t take_once(oas_tx_t *tx, const oas_assertion_t *assertion)
{
    /* a client_id has no line feed, so the parts cannot be mistaken for others */
    const char *text = apr_pstrcat(tx->pool, "client_assertion\n", tx->client->client_id, "\n",
                                   assertion->jti, NULL);
    unsigned char key[OAS_SHA256_LEN], attempt[OAS_ID_LEN];
    apr_status_t rv = oas_reserve_take(&tx->random, attempt, sizeof(attempt), tx->pool);

    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00682), OAS_E_SERVER, rv, "no random bytes");
    }
    oas_sha256(text, strlen(text), key);
    rv = oas_store_jti_use(tx->db, key, keep_until(tx, assertion), attempt, tx->pool);
    if (rv == APR_EEXIST) {
        return oas_refuse(tx, OAS_TAG(00683), OAS_E_ASSERTION_INVALID,
                          "replay: jti was used before");
    }
    return rv == APR_SUCCESS ? OAS_NEXT : oas_store_fault(tx, OAS_TAG(00684), rv, "jti not stored");
}

oas_outcome_t oas_check_assertion(oas_tx_t *tx, const oas_assertion_t *assertion)
{
    const char *why = strcmp(assertion->client_id, tx->client->client_id) == 0
                          ? audience_fault(tx, assertion)
                          : "iss and sub are not the client";
    oas_outcome_t outcome;

    if (why == NULL) {
        why = time_fault(tx, assertion);
    }
    if (why != NULL) {
        return oas_refuse(tx, OAS_TAG(00685), OAS_E_ASSERTION_INVALID, why);
    }
    outcome = assertion->method == OAS_AUTH_SECRET_JWT ? verify_with_secret(tx, assertion)
                                                       : verify_with_keys(tx, assertion);
    return outcome == OAS_NEXT ? take_once(tx, assertion) : outcome;
}
