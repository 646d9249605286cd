/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include "../base/json.h"

#define MEMBER_MAX 4096 /* characters of one member: an RSA key of 16384 bits has 2731 */

/* 0 when the member is there but no string; *value is NULL when it is absent. */
static int optional_string(const json_t *jwk, const char *name, const char **value)
{
    const json_t *member = json_object_get(jwk, name);

    *value = json_string_value(member);
    return member == NULL || *value != NULL;
}

static int allows_verify(const json_t *jwk)
{
    const json_t *ops = json_object_get(jwk, "key_ops");
    const json_t *op;
    size_t i;
    int found = 0;

    if (ops == NULL) {
        return 1;
    }
    json_array_foreach(ops, i, op)
    {
        if (!json_is_string(op)) {
            return 0;
        }
        found |= strcmp(json_string_value(op), "verify") == 0;
    }
    return found;
}

static int find_kind(oas_jwk_kind_t *kind, const json_t *jwk)
{
    const char *kty = oas_json_string(jwk, "kty");
    const char *crv = oas_json_string(jwk, "crv");
    int i;

    for (i = 0; kty != NULL && i < OAS_KIND_COUNT; i++) {
        const oas_kind_row_t *row = &oas_kinds[i];
        if (strcmp(kty, row->kty) == 0 &&
            (row->crv == NULL || (crv != NULL && strcmp(crv, row->crv) == 0))) {
            *kind = (oas_jwk_kind_t)i;
            return 1;
        }
    }
    return 0;
}

/* Decodes the public members; RFC 7518 sections 6.2.1 and 6.3.1, RFC 8037 section 2. */
static apr_status_t load_members(oas_bytes_t members[2], const json_t *jwk,
                                 const oas_kind_row_t *row, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < 2 && row->member[i] != NULL; i++) {
        const char *text = oas_json_string(jwk, row->member[i]);
        apr_size_t len = text != NULL ? strlen(text) : 0;

        if (len == 0 || len > MEMBER_MAX ||
            oas_base64url_decode(pool, text, len, &members[i]) != APR_SUCCESS) {
            return APR_EINVAL;
        }
        /* A number has no leading zero; a coordinate or a point has exactly its length. */
        if (row->len == 0 ? members[i].data[0] == 0 : members[i].len != row->len) {
            return APR_EINVAL;
        }
    }
    return APR_SUCCESS;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(const oas_bytes_t members[2])
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *e = BN_bin2bn(members[0].data, (int)members[0].len, NULL);
    BIGNUM *n = BN_bin2bn(members[1].data, (int)members[1].len, NULL);
    EVP_PKEY *key = NULL;

    if (build != NULL && e != NULL && n != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1) {
        key = key_from("RSA", build);
    }
    BN_free(e);
    BN_free(n);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static EVP_PKEY *p256_key(const oas_bytes_t members[2])
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    unsigned char point[1 + 2 * OAS_ES256_HALF] = {POINT_CONVERSION_UNCOMPRESSED};
    EVP_PKEY *key = NULL;

    memcpy(point + 1, members[0].data, OAS_ES256_HALF);
    memcpy(point + 1 + OAS_ES256_HALF, members[1].data, OAS_ES256_HALF);
    if (build != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) ==
            1) {
        key = key_from("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    return key;
}

static EVP_PKEY *public_key(oas_jwk_kind_t kind, const oas_bytes_t members[2])
{
    switch (kind) {
    case OAS_KIND_RSA:
        return rsa_key(members);
    case OAS_KIND_P256:
        return p256_key(members);
    default:
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, members[0].data,
                                              members[0].len);
    }
}

apr_status_t oas_jwk_parse(oas_jwk_t **out, const json_t *jwk, apr_pool_t *pool)
{
    const char *kid, *alg, *use;
    oas_bytes_t members[2];
    const oas_alg_t *only;
    oas_jwk_kind_t kind;
    apr_status_t status;
    EVP_PKEY *key;

    *out = NULL;
    if (!optional_string(jwk, "alg", &alg)) {
        return APR_EINVAL;
    }
    only = oas_alg_find_foreign(alg);
    if (!optional_string(jwk, "kid", &kid) || !optional_string(jwk, "use", &use) ||
        !allows_verify(jwk) || !find_kind(&kind, jwk) || (use != NULL && strcmp(use, "sig") != 0) ||
        (alg != NULL && (only == NULL || only->kind != kind)) ||
        load_members(members, jwk, &oas_kinds[kind], pool) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    ERR_set_mark();
    key = public_key(kind, members);
    ERR_pop_to_mark();
    if (key == NULL) {
        return APR_EINVAL;
    }
    status = oas_jwk_create(out, key, NULL, pool);
    if (status == APR_SUCCESS) {
        (*out)->only = only;
        (*out)->kid = kid != NULL ? apr_pstrdup(pool, kid) : NULL;
    }
    return status;
}
