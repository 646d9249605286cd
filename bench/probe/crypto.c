/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto.h"

#include <stdio.h>
#include <string.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define KEYS_MAX   16
#define HALF       32 /* of an ES256 signature */
#define SHA256_LEN 32

typedef enum { RS256, ES256, EDDSA, ALG_COUNT } alg_t;

static const char *const alg_names[ALG_COUNT] = {"RS256", "ES256", "EdDSA"};

struct probe_key {
    alg_t alg;
    EVP_PKEY *pkey;
    EVP_MD_CTX *ready[2]; /* EdDSA, which hashes itself: begun for verifying and signing, copied for
                             each use */
    int slot;
};

static int keys_opened;
static EVP_MD *sha256;
static __thread EVP_PKEY_CTX *contexts[KEYS_MAX][2];

static apr_status_t close_key(void *data)
{
    probe_key_t *key = data;

    keys_opened = 0; /* all of a configuration go together, before the next one is read */
    EVP_MD_CTX_free(key->ready[0]);
    EVP_MD_CTX_free(key->ready[1]);
    EVP_PKEY_free(key->pkey);
    return APR_SUCCESS;
}

static int begin_eddsa(probe_key_t *key)
{
    key->ready[0] = EVP_MD_CTX_new();
    key->ready[1] = EVP_MD_CTX_new();
    return key->ready[0] != NULL && key->ready[1] != NULL &&
           EVP_DigestVerifyInit(key->ready[0], NULL, NULL, NULL, key->pkey) == 1 &&
           EVP_DigestSignInit(key->ready[1], NULL, NULL, NULL, key->pkey) == 1;
}

const char *probe_key_open(probe_key_t **out, const char *alg, const char *file, apr_pool_t *pool)
{
    probe_key_t *key = apr_pcalloc(pool, sizeof(*key));
    FILE *in = fopen(file, "r");

    while (key->alg < ALG_COUNT && strcmp(alg_names[key->alg], alg) != 0) {
        key->alg++;
    }
    if (in == NULL) {
        return "the key file cannot be opened";
    }
    key->pkey = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    fclose(in);
    apr_pool_cleanup_register(pool, key, close_key, apr_pool_cleanup_null);
    if (sha256 == NULL) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    }
    if (key->alg == ALG_COUNT || key->pkey == NULL || sha256 == NULL || keys_opened == KEYS_MAX ||
        (key->alg == EDDSA && !begin_eddsa(key))) {
        return "no key for RS256, ES256 or EdDSA, or too many of them";
    }
    key->slot = keys_opened++;
    *out = key;
    return NULL;
}

/* This thread's context of the key, prepared at its first use. */
static EVP_PKEY_CTX *context(const probe_key_t *key, int sign)
{
    EVP_PKEY_CTX **at = &contexts[key->slot][sign];

    if (*at == NULL) {
        *at = EVP_PKEY_CTX_new(key->pkey, NULL);
        if (*at == NULL || (sign ? EVP_PKEY_sign_init(*at) : EVP_PKEY_verify_init(*at)) != 1 ||
            EVP_PKEY_CTX_set_signature_md(*at, sha256) != 1 ||
            (key->alg == RS256 && EVP_PKEY_CTX_set_rsa_padding(*at, RSA_PKCS1_PADDING) != 1)) {
            EVP_PKEY_CTX_free(*at);
            *at = NULL;
        }
    }
    return *at;
}

static apr_size_t sign_eddsa(const probe_key_t *key, const char *text, apr_size_t len,
                             unsigned char *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t size = PROBE_SIGNATURE_MAX;

    if (ctx == NULL || EVP_MD_CTX_copy_ex(ctx, key->ready[1]) != 1 ||
        EVP_DigestSign(ctx, signature, &size, (const unsigned char *)text, len) != 1) {
        size = 0;
    }
    EVP_MD_CTX_free(ctx);
    return size;
}

/* RFC 7518 section 3.4: both halves, each of 32 octets. */
static apr_size_t to_raw(unsigned char *out, const unsigned char *der, apr_size_t len)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    int ok = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, HALF) == HALF &&
             BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + HALF, HALF) == HALF;

    ECDSA_SIG_free(pair);
    return ok ? 2 * HALF : 0;
}

static int to_der(unsigned char *out, const unsigned char *raw)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, HALF, NULL), *s = BN_bin2bn(raw + HALF, HALF, NULL);
    int size = 0;

    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        size = i2d_ECDSA_SIG(pair, &out);
        r = s = NULL; /* the pair has them */
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return size;
}

static int hash(const char *text, apr_size_t len, unsigned char digest[SHA256_LEN])
{
    return EVP_Digest(text, len, digest, NULL, sha256, NULL) == 1;
}

apr_size_t probe_sign(const probe_key_t *key, const char *text, apr_size_t len,
                      unsigned char signature[PROBE_SIGNATURE_MAX])
{
    unsigned char digest[SHA256_LEN], made[PROBE_SIGNATURE_MAX];
    size_t size = sizeof(made);
    EVP_PKEY_CTX *ctx;

    if (key->alg == EDDSA) {
        return sign_eddsa(key, text, len, signature);
    }
    ctx = context(key, 1);
    if (ctx == NULL || !hash(text, len, digest) ||
        EVP_PKEY_sign(ctx, made, &size, digest, sizeof(digest)) != 1) {
        return 0;
    }
    if (key->alg == ES256) {
        return to_raw(signature, made, size);
    }
    memcpy(signature, made, size);
    return size;
}

static int verify_eddsa(const probe_key_t *key, const char *text, apr_size_t len,
                        const unsigned char *signature, apr_size_t signature_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, key->ready[0]) == 1 &&
             EVP_DigestVerify(ctx, signature, signature_len, (const unsigned char *)text, len) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

int probe_verify(const probe_key_t *key, const char *text, apr_size_t len,
                 const unsigned char *signature, apr_size_t signature_len)
{
    unsigned char digest[SHA256_LEN], der[PROBE_SIGNATURE_MAX];
    EVP_PKEY_CTX *ctx;

    if (key->alg == EDDSA) {
        return verify_eddsa(key, text, len, signature, signature_len);
    }
    if (key->alg == ES256) {
        signature_len = signature_len == 2 * HALF ? (apr_size_t)to_der(der, signature) : 0;
        signature = der;
    }
    ctx = context(key, 0);
    return ctx != NULL && hash(text, len, digest) &&
           EVP_PKEY_verify(ctx, signature, signature_len, digest, sizeof(digest)) == 1;
}

apr_size_t probe_encode(char *out, const unsigned char *in, apr_size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned int bits = 0;
    char *start = out;
    apr_size_t i;
    int n = 0;

    for (i = 0; i < len; i++) {
        bits = bits << 8 | in[i];
        for (n += 8; n >= 6; n -= 6) {
            *out++ = digits[bits >> (n - 6) & 63];
        }
    }
    if (n > 0) {
        *out++ = digits[bits << (6 - n) & 63];
    }
    return (apr_size_t)(out - start);
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

apr_size_t probe_decode(unsigned char *out, const char *in, apr_size_t len)
{
    unsigned char *start = out;
    unsigned int bits = 0;
    apr_size_t i;
    int n = 0;

    for (i = 0; i < len; i++) {
        int value = digit_value(in[i]);

        if (value < 0) {
            return 0;
        }
        bits = bits << 6 | (unsigned int)value;
        n += 6;
        if (n >= 8) {
            n -= 8;
            *out++ = (unsigned char)(bits >> n);
        }
    }
    return (apr_size_t)(out - start);
}
