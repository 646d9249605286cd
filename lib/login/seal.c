/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include <string.h>
#include <openssl/evp.h>

#define SECRET_ID_LEN 8
#define SALT_LEN      16
#define TAG_LEN       16
#define HEAD_LEN      (SECRET_ID_LEN + SALT_LEN)

/* One nonce serves: each message has a key of its own. */
static const unsigned char nonce[12] = {0};

static apr_status_t ctx_cleanup(void *ctx)
{
    EVP_CIPHER_CTX_free(ctx);
    return APR_SUCCESS;
}

/* A cipher context keyed for one message, with the context text already fed in. */
static EVP_CIPHER_CTX *cipher(const oas_secret_t *secret, const unsigned char *salt,
                              const char *context, int encrypt, apr_pool_t *pool)
{
    unsigned char key[OAS_KEY_LEN];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len;
    int ok;

    if (ctx == NULL) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, ctx, ctx_cleanup, apr_pool_cleanup_null);
    if (oas_secret_derive(secret, salt, SALT_LEN, "seal", key) != APR_SUCCESS) {
        return NULL;
    }
    ok = EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), key, nonce, encrypt, NULL) == 1 &&
         EVP_CipherUpdate(ctx, NULL, &len, (const unsigned char *)context, (int)strlen(context)) ==
             1;
    oas_wipe(key, sizeof(key));
    return ok ? ctx : NULL;
}

apr_status_t oas_seal(const char **out, const oas_issuer_t *issuer, const char *context,
                      const char *text, apr_pool_t *pool)
{
    const oas_secret_t *secret = APR_ARRAY_IDX(issuer->secrets, 0, oas_secret_t *);
    apr_size_t text_len = strlen(text);
    unsigned char *message;
    EVP_CIPHER_CTX *ctx;
    int len;

    if (text_len > OAS_SEAL_MAX) {
        return APR_ENOSPC;
    }
    message = apr_palloc(pool, HEAD_LEN + text_len + TAG_LEN);
    memcpy(message, secret->id, SECRET_ID_LEN);
    if (oas_random(message + SECRET_ID_LEN, SALT_LEN) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    ctx = cipher(secret, message + SECRET_ID_LEN, context, 1, pool);
    if (ctx == NULL ||
        EVP_CipherUpdate(ctx, message + HEAD_LEN, &len, (const unsigned char *)text,
                         (int)text_len) != 1 ||
        EVP_CipherFinal_ex(ctx, message + HEAD_LEN + len, &len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, message + HEAD_LEN + text_len) !=
            1) {
        return APR_EGENERAL;
    }
    *out = oas_base64url_encode(pool, message, HEAD_LEN + text_len + TAG_LEN);
    return APR_SUCCESS;
}

static const oas_secret_t *secret_by_id(const oas_issuer_t *issuer, const unsigned char *id)
{
    int i;

    for (i = 0; i < issuer->secrets->nelts; i++) {
        const oas_secret_t *secret = APR_ARRAY_IDX(issuer->secrets, i, oas_secret_t *);
        if (memcmp(secret->id, id, SECRET_ID_LEN) == 0) { /* the id is public */
            return secret;
        }
    }
    return NULL;
}

apr_status_t oas_unseal(const char **out, const oas_issuer_t *issuer, const char *context,
                        const char *sealed, apr_pool_t *pool)
{
    const oas_secret_t *secret;
    oas_bytes_t message;
    EVP_CIPHER_CTX *ctx;
    apr_size_t text_len;
    char *text;
    int len;

    if (strlen(sealed) > (HEAD_LEN + OAS_SEAL_MAX + TAG_LEN) / 3 * 4 + 4 ||
        oas_base64url_decode(pool, sealed, strlen(sealed), &message) != APR_SUCCESS ||
        message.len < HEAD_LEN + TAG_LEN) {
        return APR_EACCES;
    }
    secret = secret_by_id(issuer, message.data);
    if (secret == NULL) {
        return APR_EACCES;
    }
    text_len = message.len - HEAD_LEN - TAG_LEN;
    text = apr_pcalloc(pool, text_len + 1);
    oas_wipe_with_pool(pool, text, text_len);
    ctx = cipher(secret, message.data + SECRET_ID_LEN, context, 0, pool);
    if (ctx == NULL ||
        EVP_CipherUpdate(ctx, (unsigned char *)text, &len, message.data + HEAD_LEN,
                         (int)text_len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN,
                            (void *)(message.data + HEAD_LEN + text_len)) != 1 ||
        EVP_CipherFinal_ex(ctx, (unsigned char *)text + len, &len) != 1) {
        return APR_EACCES;
    }
    *out = text;
    return APR_SUCCESS;
}
