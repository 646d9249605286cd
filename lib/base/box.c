/* SPDX-License-Identifier: Apache-2.0 */
#include "box.h"

#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define SALT_LEN 16
#define TAG_LEN  16
#define HEAD_LEN (OAS_SECRET_ID_LEN + SALT_LEN)
_Static_assert(OAS_BOX_OVERHEAD == HEAD_LEN + TAG_LEN, "box.h says how long it is");

/* One nonce serves: each message has a key of its own. */
static const unsigned char nonce[12] = {0};

/* A cipher context keyed for one message, with the context text already fed in; or NULL. */
static EVP_CIPHER_CTX *cipher(const oas_secret_t *secret, const unsigned char *salt,
                              const char *use, const char *context, int encrypt)
{
    unsigned char key[OAS_KEY_LEN];
    EVP_CIPHER_CTX *ctx;
    int len;
    int ok;

    if (oas_secret_derive(secret, salt, SALT_LEN, use, key) != APR_SUCCESS) {
        return NULL;
    }
    ctx = EVP_CIPHER_CTX_new();
    ok = ctx != NULL &&
         EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), key, nonce, encrypt, NULL) == 1 &&
         EVP_CipherUpdate(ctx, NULL, &len, (const unsigned char *)context, (int)strlen(context)) ==
             1;
    oas_wipe(key, sizeof(key));
    if (!ok) {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

apr_status_t oas_box_close(oas_bytes_t *out, const apr_array_header_t *secrets, const char *use,
                           const char *context, oas_bytes_t text, apr_pool_t *pool)
{
    const oas_secret_t *secret = APR_ARRAY_IDX(secrets, 0, oas_secret_t *);
    unsigned char *box = apr_palloc(pool, OAS_BOX_OVERHEAD + text.len);
    EVP_CIPHER_CTX *ctx;
    int len;
    int ok;

    memcpy(box, secret->id, OAS_SECRET_ID_LEN);
    if (oas_random(box + OAS_SECRET_ID_LEN, SALT_LEN) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    ctx = cipher(secret, box + OAS_SECRET_ID_LEN, use, context, 1);
    ok = ctx != NULL &&
         EVP_CipherUpdate(ctx, box + HEAD_LEN, &len, text.data, (int)text.len) == 1 &&
         EVP_CipherFinal_ex(ctx, box + HEAD_LEN + len, &len) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, box + HEAD_LEN + text.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    out->data = box;
    out->len = OAS_BOX_OVERHEAD + text.len;
    return ok ? APR_SUCCESS : APR_EGENERAL;
}

static const oas_secret_t *secret_by_id(const apr_array_header_t *secrets, const unsigned char *id)
{
    int i;

    for (i = 0; i < secrets->nelts; i++) {
        const oas_secret_t *secret = APR_ARRAY_IDX(secrets, i, oas_secret_t *);
        if (memcmp(secret->id, id, OAS_SECRET_ID_LEN) == 0) { /* the id is public */
            return secret;
        }
    }
    return NULL;
}

apr_status_t oas_box_open(oas_bytes_t *out, const apr_array_header_t *secrets, const char *use,
                          const char *context, oas_bytes_t box, apr_pool_t *pool)
{
    const oas_secret_t *secret;
    EVP_CIPHER_CTX *ctx;
    unsigned char *text;
    apr_size_t text_len;
    int len;
    int ok;

    if (box.len < OAS_BOX_OVERHEAD) {
        return APR_EACCES;
    }
    secret = secret_by_id(secrets, box.data);
    if (secret == NULL) {
        return APR_ENOENT;
    }
    text_len = box.len - OAS_BOX_OVERHEAD;
    text = apr_pcalloc(pool, text_len + 1);
    oas_wipe_with_pool(pool, text, text_len);
    ERR_set_mark();
    ctx = cipher(secret, box.data + OAS_SECRET_ID_LEN, use, context, 0);
    ok = ctx != NULL &&
         EVP_CipherUpdate(ctx, text, &len, box.data + HEAD_LEN, (int)text_len) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN,
                             (void *)(box.data + HEAD_LEN + text_len)) == 1 &&
         EVP_CipherFinal_ex(ctx, text + len, &len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    ERR_pop_to_mark();
    if (!ok) {
        return APR_EACCES;
    }
    out->data = text;
    out->len = text_len;
    return APR_SUCCESS;
}

int oas_box_is_current(const apr_array_header_t *secrets, oas_bytes_t box)
{
    return box.len >= OAS_BOX_OVERHEAD &&
           secret_by_id(secrets, box.data) == APR_ARRAY_IDX(secrets, 0, oas_secret_t *);
}
