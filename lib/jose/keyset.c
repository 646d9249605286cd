/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include "../base/json.h"

struct oas_keyset {
    apr_pool_t *pool;
    apr_array_header_t *signers; /* of oas_signer_t * */
    const char *json, *etag;     /* by oas_keyset_publish */
    int gap;
};

static const char *const usual_types[OAS_SIGNER_TYPES] = {"JWT", "at+jwt"};
static const char trial[] = "mod_oauth2as";

oas_keyset_t *oas_keyset_create(apr_pool_t *pool)
{
    oas_keyset_t *set = apr_pcalloc(pool, sizeof(*set));

    set->pool = pool;
    set->signers = apr_array_make(pool, 4, sizeof(oas_signer_t *));
    return set;
}

oas_keyset_t *oas_keyset_copy(const oas_keyset_t *base, apr_pool_t *pool)
{
    oas_keyset_t *set = oas_keyset_create(pool);

    if (base != NULL) {
        apr_array_cat(set->signers, base->signers);
    }
    return set;
}

static const oas_signer_t *signer_at(const oas_keyset_t *set, int i)
{
    return set != NULL && i < set->signers->nelts
               ? APR_ARRAY_IDX(set->signers, i, const oas_signer_t *)
               : NULL;
}

static const char *encode_header(const oas_signer_t *signer, const char *typ, apr_pool_t *pool)
{
    json_t *json = oas_json_object(pool);
    const char *text;

    oas_json_set(json, "alg", signer->alg->name);
    oas_json_set(json, "typ", typ);
    oas_json_set(json, "kid", signer->kid);
    text = oas_json_text(pool, json);
    return text != NULL ? oas_base64url_encode(pool, text, strlen(text)) : NULL;
}

const char *oas_signer_header(const oas_signer_t *signer, const char *typ, apr_pool_t *pool)
{
    int i;

    for (i = 0; typ != NULL && i < OAS_SIGNER_TYPES; i++) {
        if (strcmp(typ, usual_types[i]) == 0) {
            return signer->headers[i];
        }
    }
    return encode_header(signer, typ, pool);
}

static apr_status_t context_cleanup(void *baton)
{
    EVP_MD_CTX_free(baton);
    return APR_SUCCESS;
}

static EVP_MD_CTX *prepare(const oas_signer_t *signer, int sign, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx == NULL) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, ctx, context_cleanup, apr_pool_cleanup_null);
    return oas_alg_begin(ctx, signer->alg, signer->jwk->key, sign) ? ctx : NULL;
}

/* Signs and verifies once: does the private half belong to the public one, can it sign at all? */
static apr_status_t try_out(const oas_signer_t *signer, apr_pool_t *pool)
{
    EVP_PKEY *key = signer->jwk->key;
    oas_bytes_t signature;
    apr_status_t status =
        oas_alg_sign(&signature, signer->alg, key, signer->sign, trial, sizeof(trial) - 1, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = oas_alg_verify(signer->alg, key, signer->verify, trial, sizeof(trial) - 1, signature);
    return status == APR_SUCCESS ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t complete(oas_signer_t *signer, apr_pool_t *pool)
{
    int i;

    ERR_set_mark();
    signer->sign = prepare(signer, 1, pool);
    signer->verify = prepare(signer, 0, pool);
    ERR_pop_to_mark();
    for (i = 0; i < OAS_SIGNER_TYPES; i++) {
        signer->headers[i] = encode_header(signer, usual_types[i], pool);
    }
    if (try_out(signer, pool) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    /* Some providers (tokens) and early releases of OpenSSL 3.0 cannot copy what was begun. */
    signer->sign = signer->verify = NULL;
    return try_out(signer, pool);
}

apr_status_t oas_keyset_add(oas_keyset_t *set, const oas_jwk_t *jwk, const oas_alg_t *alg,
                            oas_key_state_t state)
{
    oas_signer_t *signer;
    const char *kid;
    apr_status_t status;

    if (!oas_jwk_fits(jwk, alg)) {
        return APR_EINVAL;
    }
    kid = oas_jwk_kid_for(jwk, alg, set->pool);
    if (oas_keyset_find(set, kid, alg->name) != NULL ||
        (state == OAS_KEY_ACTIVE && oas_keyset_signer(set, alg->name) != NULL)) {
        return APR_EEXIST;
    }
    signer = apr_pcalloc(set->pool, sizeof(*signer));
    signer->jwk = jwk;
    signer->alg = alg;
    signer->kid = kid;
    signer->state = state;
    status = complete(signer, set->pool);
    if (status == APR_SUCCESS) {
        APR_ARRAY_PUSH(set->signers, oas_signer_t *) = signer;
    }
    return status;
}

void oas_keyset_note_gap(oas_keyset_t *set)
{
    set->gap = 1;
}

const char *const oas_keys_state_names[OAS_KEYS_STATES] = {
    [OAS_KEYS_OK] = "ok", [OAS_KEYS_INCOMPLETE] = "incomplete", [OAS_KEYS_NONE] = "none"};

oas_keys_state_t oas_keyset_state(const oas_keyset_t *set)
{
    if (oas_keyset_default(set) == NULL) {
        return OAS_KEYS_NONE;
    }
    return set->gap ? OAS_KEYS_INCOMPLETE : OAS_KEYS_OK;
}

const oas_signer_t *oas_keyset_signer(const oas_keyset_t *set, const char *alg)
{
    const oas_alg_t *wanted = oas_alg_find(alg);
    const oas_signer_t *signer;
    int i;

    for (i = 0; wanted != NULL && (signer = signer_at(set, i)) != NULL; i++) {
        if (signer->alg == wanted && signer->state == OAS_KEY_ACTIVE) {
            return signer;
        }
    }
    return NULL;
}

const oas_signer_t *oas_keyset_default(const oas_keyset_t *set)
{
    const oas_signer_t *signer = oas_keyset_signer(set, "RS256");
    int i;

    if (signer != NULL) {
        return signer;
    }
    for (i = 0; (signer = signer_at(set, i)) != NULL && signer->state != OAS_KEY_ACTIVE; i++) {
    }
    return signer;
}

int oas_keyset_info(const oas_keyset_t *set, int i, oas_key_info_t *out)
{
    const oas_signer_t *signer = signer_at(set, i);

    if (signer == NULL) {
        return 0;
    }
    out->kid = signer->kid;
    out->alg = signer->alg->name;
    out->state = signer->state;
    out->times = signer->times;
    return 1;
}

void oas_keyset_note_times(oas_keyset_t *set, const oas_key_times_t *times)
{
    oas_signer_t *signer = APR_ARRAY_IDX(set->signers, set->signers->nelts - 1, oas_signer_t *);

    signer->times = apr_pmemdup(set->pool, times, sizeof(*times));
}

const char *oas_signer_alg(const oas_signer_t *signer)
{
    return signer->alg->name;
}

const char *oas_signer_kid(const oas_signer_t *signer)
{
    return signer->kid;
}

const oas_signer_t *oas_keyset_find(const oas_keyset_t *set, const char *kid, const char *alg)
{
    const oas_alg_t *wanted = oas_alg_find(alg);
    const oas_signer_t *signer;
    int i;

    for (i = 0; kid != NULL && wanted != NULL && (signer = signer_at(set, i)) != NULL; i++) {
        if (signer->alg == wanted && strcmp(signer->kid, kid) == 0) {
            return signer;
        }
    }
    return NULL;
}

json_t *oas_keyset_public(const oas_keyset_t *set, apr_pool_t *pool)
{
    json_t *json = oas_json_object(pool);
    json_t *keys = json_array();
    const oas_signer_t *signer;
    int i;

    for (i = 0; (signer = signer_at(set, i)) != NULL; i++) {
        json_array_append(keys, oas_jwk_public(signer->jwk, signer->alg, pool));
    }
    json_object_set_new(json, "keys", keys);
    return json;
}

apr_status_t oas_keyset_publish(oas_keyset_t *set)
{
    if (set == NULL) {
        return APR_SUCCESS;
    }
    set->json = oas_json_text(set->pool, oas_keyset_public(set, set->pool));
    if (set->json == NULL) {
        return APR_EGENERAL;
    }
    set->etag = oas_etag(set->json, set->pool);
    return APR_SUCCESS;
}

const char *oas_keyset_json(const oas_keyset_t *set)
{
    return set->json;
}

const char *oas_keyset_etag(const oas_keyset_t *set)
{
    return set->etag;
}

apr_array_header_t *oas_keyset_algs(const oas_keyset_t *set, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));
    const oas_alg_t *alg;
    int i;

    for (i = 0; (alg = oas_alg_at(i)) != NULL; i++) {
        if (oas_keyset_signer(set, alg->name) != NULL) {
            APR_ARRAY_PUSH(names, const char *) = alg->name;
        }
    }
    return names;
}
