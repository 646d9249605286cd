/* SPDX-License-Identifier: Apache-2.0 */
#include "jwks.h"

#include <string.h>
#include <apr_tables.h>
#include <openssl/err.h>
#include "internal.h"
#include "../base/json.h"

#define TRIES_MAX       8     /* signatures checked for one JWS, whatever the set holds */
#define CERTIFICATE_MAX 16384 /* characters of one certificate in x5c */

struct oas_jwks {
    apr_array_header_t *keys;         /* of const oas_jwk_t * */
    apr_array_header_t *certificates; /* of oas_fingerprint_t: the first ones of x5c */
};

typedef struct {
    unsigned char sha256[OAS_SHA256_LEN];
} oas_fingerprint_t;

/* RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1; RFC 8037 section 2. */
static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

static int has_private_member(const json_t *jwk)
{
    apr_size_t i;

    for (i = 0; i < sizeof(private_members) / sizeof(private_members[0]); i++) {
        if (json_object_get(jwk, private_members[i]) != NULL) {
            return 1;
        }
    }
    return 0;
}

static int is_certificate(oas_bytes_t der)
{
    const unsigned char *end = der.data;
    X509 *certificate;
    int ok;

    ERR_set_mark();
    certificate = d2i_X509(NULL, &end, (long)der.len);
    ok = certificate != NULL && end == der.data + der.len;
    X509_free(certificate);
    ERR_pop_to_mark();
    return ok;
}

/* The first certificate of "x5c" is that of the key itself (RFC 7517 section 4.7). */
static void keep_certificate(oas_jwks_t *set, const json_t *jwk, apr_pool_t *pool)
{
    const char *text =
        json_string_value(json_array_get(json_object_get(jwk, "x5c"), 0)); /* ordinary base64 */
    apr_size_t len = text != NULL ? strlen(text) : 0;
    oas_fingerprint_t *fingerprint;
    oas_bytes_t der;

    if (len == 0 || len > CERTIFICATE_MAX ||
        oas_base64_decode(pool, text, len, &der) != APR_SUCCESS || !is_certificate(der)) {
        return;
    }
    fingerprint = apr_array_push(set->certificates);
    oas_sha256(der.data, der.len, fingerprint->sha256);
}

apr_status_t oas_jwks_parse(oas_jwks_t **out, const json_t *json, const char **why,
                            apr_pool_t *pool)
{
    const json_t *list = json_object_get(json, "keys");
    oas_jwks_t *set = apr_palloc(pool, sizeof(*set));
    const json_t *entry;
    oas_jwk_t *key;
    size_t i;

    *out = NULL;
    if (!json_is_array(list)) {
        *why = "it is no JWK Set: a JSON object with an array \"keys\" is needed";
        return APR_EINVAL;
    }
    if (json_array_size(list) > OAS_JWKS_KEYS_MAX) {
        *why = "the JWK Set has more than 32 keys";
        return APR_EINVAL;
    }
    set->keys = apr_array_make(pool, 4, sizeof(const oas_jwk_t *));
    set->certificates = apr_array_make(pool, 1, sizeof(oas_fingerprint_t));
    json_array_foreach(list, i, entry)
    {
        if (has_private_member(entry)) {
            *why = "the JWK Set has a private or symmetric key; only public keys belong there";
            return APR_EINVAL;
        }
        if (oas_jwk_parse(&key, entry, pool) == APR_SUCCESS) {
            APR_ARRAY_PUSH(set->keys, const oas_jwk_t *) = key;
        }
        keep_certificate(set, entry, pool);
    }
    if (set->keys->nelts == 0 && set->certificates->nelts == 0) {
        *why = "the JWK Set has no key for RS256, PS256, ES256 or EdDSA";
        return APR_EINVAL;
    }
    *out = set;
    return APR_SUCCESS;
}

apr_status_t oas_jwks_verify(const oas_jwks_t *set, const oas_jws_t *jws)
{
    const oas_alg_t *alg = oas_alg_find_foreign(jws->alg);
    int named = 0;
    int tries = 0;
    int i;

    if (alg == NULL) {
        return APR_EACCES;
    }
    for (i = 0; i < set->keys->nelts && tries < TRIES_MAX; i++) {
        const oas_jwk_t *key = APR_ARRAY_IDX(set->keys, i, const oas_jwk_t *);
        int same = jws->kid != NULL && key->kid != NULL && strcmp(jws->kid, key->kid) == 0;

        if (!oas_jwk_fits(key, alg) || (jws->kid != NULL && key->kid != NULL && !same)) {
            continue;
        }
        if (oas_jws_verify(jws, key) == APR_SUCCESS) {
            return APR_SUCCESS;
        }
        named |= same;
        tries++;
    }
    return named ? APR_EACCES : APR_ENOENT;
}

int oas_jwks_has_certificate(const oas_jwks_t *set, const X509 *certificate)
{
    unsigned char sha256[EVP_MAX_MD_SIZE];
    const EVP_PKEY *key;
    int found = 0;
    int i;

    ERR_set_mark();
    key = X509_get0_pubkey(certificate);
    for (i = 0; !found && key != NULL && i < set->keys->nelts; i++) {
        found = EVP_PKEY_eq(APR_ARRAY_IDX(set->keys, i, const oas_jwk_t *)->key, key) == 1;
    }
    if (!found && X509_digest(certificate, EVP_sha256(), sha256, NULL) == 1) {
        for (i = 0; !found && i < set->certificates->nelts; i++) {
            const oas_fingerprint_t *known =
                &APR_ARRAY_IDX(set->certificates, i, oas_fingerprint_t);
            found = oas_equal(known->sha256, sha256, OAS_SHA256_LEN);
        }
    }
    ERR_pop_to_mark();
    return found;
}
