/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../base/metrics.h"

/* Headers by which a token would bring or name its own key; ours never carry one. */
static const char *const key_headers[] = {"jwk", "jku", "x5c", "x5u"};

apr_status_t oas_jws_sign(const char **out, const oas_signer_t *signer, const char *typ,
                          const void *payload, apr_size_t len, apr_pool_t *pool)
{
    const char *header = oas_signer_header(signer, typ, pool);
    const char *text;
    apr_time_t began;
    oas_bytes_t signature;
    apr_status_t status;

    *out = NULL;
    if (header == NULL) {
        return APR_EGENERAL;
    }
    text = apr_pstrcat(pool, header, ".", oas_base64url_encode(pool, payload, len), NULL);
    began = apr_time_now();
    status = oas_alg_sign(&signature, signer->alg, signer->jwk->key, signer->sign, text,
                          strlen(text), pool);
    oas_observe(OAS_M_SIGN_TIME, oas_alg_index(signer->alg), apr_time_now() - began);
    if (status != APR_SUCCESS) {
        return status;
    }
    *out = apr_pstrcat(pool, text, ".", oas_base64url_encode(pool, signature.data, signature.len),
                       NULL);
    return APR_SUCCESS;
}

/* 0 when the member is there but no string; *value is NULL when it is absent. */
static int read_string(const json_t *header, const char *name, const char **value)
{
    const json_t *member = json_object_get(header, name);

    *value = json_string_value(member);
    return member == NULL || *value != NULL;
}

static apr_status_t read_header(oas_jws_t *jws, const char *text, apr_size_t len, apr_pool_t *pool)
{
    oas_bytes_t json;
    const json_t *b64;

    if (oas_base64url_decode(pool, text, len, &json) != APR_SUCCESS ||
        oas_json_parse(&jws->header, (const char *)json.data, json.len, OAS_JWS_MAX, pool) !=
            APR_SUCCESS ||
        !json_is_object(jws->header)) {
        return APR_EINVAL;
    }
    b64 = json_object_get(jws->header, "b64"); /* RFC 7797 section 3 */
    if (json_object_get(jws->header, "crit") != NULL || (b64 != NULL && !json_is_true(b64))) {
        return APR_EINVAL;
    }
    if (!read_string(jws->header, "alg", &jws->alg) || jws->alg == NULL ||
        !read_string(jws->header, "kid", &jws->kid) ||
        !read_string(jws->header, "typ", &jws->typ)) {
        return APR_EINVAL;
    }
    return APR_SUCCESS;
}

apr_status_t oas_jws_parse(oas_jws_t **out, const char *text, apr_size_t len, apr_pool_t *pool)
{
    const char *first, *second;
    oas_jws_t *jws;

    *out = NULL;
    if (len > OAS_JWS_MAX) {
        return APR_ENOSPC;
    }
    first = len > 0 ? memchr(text, '.', len) : NULL;
    second = first != NULL ? memchr(first + 1, '.', len - (first + 1 - text)) : NULL;
    if (second == NULL) {
        return APR_EINVAL;
    }
    jws = apr_pcalloc(pool, sizeof(*jws));
    /* A further dot is no base64url character, so the decoder of the third part refuses it. */
    if (read_header(jws, text, first - text, pool) != APR_SUCCESS ||
        oas_base64url_decode(pool, first + 1, second - first - 1, &jws->payload) != APR_SUCCESS ||
        oas_base64url_decode(pool, second + 1, text + len - second - 1, &jws->signature) !=
            APR_SUCCESS) {
        return APR_EINVAL;
    }
    jws->signed_len = second - text;
    jws->signed_text = apr_pstrmemdup(pool, text, jws->signed_len);
    *out = jws;
    return APR_SUCCESS;
}

apr_status_t oas_jws_verify(const oas_jws_t *jws, const oas_jwk_t *jwk)
{
    const oas_alg_t *alg = oas_alg_find_foreign(jws->alg);

    if (!oas_jwk_fits(jwk, alg)) {
        return APR_EACCES;
    }
    return oas_alg_verify(alg, jwk->key, NULL, jws->signed_text, jws->signed_len, jws->signature);
}

apr_status_t oas_jws_verify_hmac(const oas_jws_t *jws, oas_bytes_t secret)
{
    unsigned char mac[OAS_SHA256_LEN];
    int ok;

    if (strcmp(jws->alg, OAS_HMAC_ALG) != 0 || secret.len < OAS_HMAC_MIN ||
        jws->signature.len != sizeof(mac)) {
        return APR_EACCES;
    }
    ok = oas_hmac_sha256(secret.data, secret.len, jws->signed_text, jws->signed_len, mac) ==
             APR_SUCCESS &&
         oas_equal(mac, jws->signature.data, sizeof(mac));
    oas_wipe(mac, sizeof(mac));
    return ok ? APR_SUCCESS : APR_EACCES;
}

apr_status_t oas_jws_verify_own(const oas_jws_t *jws, const oas_keyset_t *set)
{
    const oas_signer_t *signer = oas_keyset_find(set, jws->kid, jws->alg);
    apr_size_t i;

    if (signer == NULL) {
        return APR_EACCES;
    }
    for (i = 0; i < sizeof(key_headers) / sizeof(key_headers[0]); i++) {
        if (json_object_get(jws->header, key_headers[i]) != NULL) {
            return APR_EACCES;
        }
    }
    return oas_alg_verify(signer->alg, signer->jwk->key, signer->verify, jws->signed_text,
                          jws->signed_len, jws->signature);
}
