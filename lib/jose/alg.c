/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

/* RFC 7518 sections 3.3, 3.4, 3.5; RFC 8037 section 3.1. In order of preference. */
static const oas_alg_t algs[] = {
    {"RS256", OAS_KIND_RSA, "SHA256", oas_sha256, OAS_SHA256_LEN, 0, 0},
    {"PS256", OAS_KIND_RSA, "SHA256", oas_sha256, OAS_SHA256_LEN, 1, 0},
    {"ES256", OAS_KIND_P256, "SHA256", oas_sha256, OAS_SHA256_LEN, 0, 1},
    {"EdDSA", OAS_KIND_ED25519, NULL, oas_sha512, OAS_SHA512_LEN, 0, 0},
};

#define ALG_COUNT       ((int)(sizeof(algs) / sizeof(algs[0])))
#define ES256_DER_MAX   72 /* SEQUENCE of two INTEGERs of at most 33 bytes */
#define ES256_LEN       (2 * OAS_ES256_HALF)
#define ED25519_SIG_LEN 64
#define PSS_SALT_LEN    32 /* RFC 7518 section 3.5: as long as the hash */

const oas_alg_t *oas_alg_at(int i)
{
    return i >= 0 && i < ALG_COUNT ? &algs[i] : NULL;
}

int oas_alg_index(const oas_alg_t *alg)
{
    return (int)(alg - algs);
}

const oas_alg_t *oas_alg_find(const char *name)
{
    const oas_alg_t *alg = NULL;
    int i;

    for (i = 0; name != NULL && (alg = oas_alg_at(i)) != NULL; i++) {
        if (strcmp(alg->name, name) == 0) {
            return alg;
        }
    }
    return NULL;
}

const oas_alg_t *oas_alg_find_foreign(const char *name)
{
    return oas_alg_find(name != NULL && strcmp(name, "Ed25519") == 0 ? "EdDSA" : name);
}

const char *oas_alg_name(const oas_alg_t *alg)
{
    return alg->name;
}

int oas_alg_begin(EVP_MD_CTX *ctx, const oas_alg_t *alg, EVP_PKEY *key, int sign)
{
    OSSL_PARAM params[3] = {OSSL_PARAM_END, OSSL_PARAM_END, OSSL_PARAM_END};
    char mode[] = OSSL_PKEY_RSA_PAD_MODE_PSS;
    int salt = PSS_SALT_LEN;

    if (alg->pss) {
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, mode, 0);
        params[1] = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt);
    }
    return sign ? EVP_DigestSignInit_ex(ctx, NULL, alg->digest, NULL, NULL, key, params) == 1
                : EVP_DigestVerifyInit_ex(ctx, NULL, alg->digest, NULL, NULL, key, params) == 1;
}

static int begin_or_copy(EVP_MD_CTX *ctx, const oas_alg_t *alg, EVP_PKEY *key,
                         const EVP_MD_CTX *prepared, int sign)
{
    if (prepared == NULL) {
        return oas_alg_begin(ctx, alg, key, sign);
    }
    if (EVP_MD_CTX_copy_ex(ctx, prepared) != 1) {
        return 0;
    }
    /* The copy is used once, so OpenSSL need not copy it again to keep it fit for more. */
    EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE);
    return 1;
}

/* The signature in the length an algorithm must have; 0 when the key tells none. */
static apr_size_t signature_len(const oas_alg_t *alg, const EVP_PKEY *key)
{
    switch (alg->kind) {
    case OAS_KIND_P256:
        return ES256_LEN;
    case OAS_KIND_ED25519:
        return ED25519_SIG_LEN;
    default:
        return (apr_size_t)EVP_PKEY_get_size(key);
    }
}

static int der_to_raw(unsigned char raw[ES256_LEN], const unsigned char *der, apr_size_t len)
{
    const unsigned char *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
    int ok =
        sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, OAS_ES256_HALF) == OAS_ES256_HALF &&
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + OAS_ES256_HALF, OAS_ES256_HALF) == OAS_ES256_HALF;

    ECDSA_SIG_free(sig);
    return ok;
}

/* Writes one DER INTEGER (X.690 section 8.3) of an unsigned big-endian number. */
static unsigned char *put_integer(unsigned char *out, const unsigned char *in)
{
    apr_size_t len = OAS_ES256_HALF;
    int pad;

    while (len > 1 && *in == 0) {
        in++;
        len--;
    }
    pad = *in >> 7;
    *out++ = 0x02;
    *out++ = (unsigned char)(len + pad);
    if (pad) {
        *out++ = 0;
    }
    memcpy(out, in, len);
    return out + len;
}

static apr_size_t raw_to_der(unsigned char der[ES256_DER_MAX], const unsigned char *raw)
{
    unsigned char *end = put_integer(put_integer(der + 2, raw), raw + OAS_ES256_HALF);

    der[0] = 0x30;
    der[1] = (unsigned char)(end - der - 2);
    return end - der;
}

static int sign_with(EVP_MD_CTX *ctx, const oas_alg_t *alg, const char *text, apr_size_t len,
                     unsigned char *out, apr_size_t *out_len)
{
    unsigned char der[ES256_DER_MAX];
    size_t der_len = sizeof(der);

    if (!alg->raw_ecdsa) {
        size_t size = *out_len;
        int ok = EVP_DigestSign(ctx, out, &size, (const unsigned char *)text, len) == 1 &&
                 size == *out_len;
        return ok;
    }
    return EVP_DigestSign(ctx, der, &der_len, (const unsigned char *)text, len) == 1 &&
           der_to_raw(out, der, der_len);
}

apr_status_t oas_alg_sign(oas_bytes_t *signature, const oas_alg_t *alg, EVP_PKEY *key,
                          const EVP_MD_CTX *prepared, const char *text, apr_size_t len,
                          apr_pool_t *pool)
{
    apr_size_t out_len = signature_len(alg, key);
    unsigned char *out = apr_palloc(pool, out_len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    ERR_set_mark();
    ok = ctx != NULL && begin_or_copy(ctx, alg, key, prepared, 1) &&
         sign_with(ctx, alg, text, len, out, &out_len);
    EVP_MD_CTX_free(ctx);
    ERR_pop_to_mark();
    signature->data = out;
    signature->len = out_len;
    return ok ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t oas_alg_verify(const oas_alg_t *alg, EVP_PKEY *key, const EVP_MD_CTX *prepared,
                            const char *text, apr_size_t len, oas_bytes_t signature)
{
    unsigned char der[ES256_DER_MAX];
    EVP_MD_CTX *ctx;
    int ok;

    if (signature.len == 0 || signature.len != signature_len(alg, key)) {
        return APR_EACCES;
    }
    if (alg->raw_ecdsa) {
        signature.len = raw_to_der(der, signature.data);
        signature.data = der;
    }
    ERR_set_mark();
    ctx = EVP_MD_CTX_new();
    ok =
        ctx != NULL && begin_or_copy(ctx, alg, key, prepared, 0) &&
        EVP_DigestVerify(ctx, signature.data, signature.len, (const unsigned char *)text, len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_pop_to_mark();
    return ok ? APR_SUCCESS : APR_EACCES;
}
