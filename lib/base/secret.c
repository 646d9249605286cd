/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <string.h>
#include <apr_lib.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static apr_status_t hkdf(const oas_bytes_t *key, const void *salt, apr_size_t salt_len,
                         const char *use, unsigned char *out, apr_size_t out_len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[5];
    OSSL_PARAM *p = params;
    int ok;

    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key->data, key->len);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)use, strlen(use));
    if (salt_len > 0) {
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_len);
    }
    *p = OSSL_PARAM_construct_end();
    ok = ctx != NULL && EVP_KDF_derive(ctx, out, out_len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t oas_secret_create(oas_secret_t **out, const void *data, apr_size_t len,
                               apr_pool_t *pool)
{
    oas_secret_t *secret;
    unsigned char *copy;
    apr_status_t rv;

    if (len < OAS_SECRET_MIN) {
        return APR_EINVAL;
    }
    copy = apr_pmemdup(pool, data, len);
    oas_wipe_with_pool(pool, copy, len);
    secret = apr_pcalloc(pool, sizeof(*secret));
    oas_wipe_with_pool(pool, secret, sizeof(*secret));
    secret->bytes.data = copy;
    secret->bytes.len = len;
    *out = secret;
    rv = hkdf(&secret->bytes, NULL, 0, "id", secret->id, sizeof(secret->id));
    if (rv == APR_SUCCESS) {
        rv = oas_secret_derive(secret, NULL, 0, "refresh child", secret->refresh_key);
    }
    if (rv == APR_SUCCESS) {
        rv = oas_secret_derive(secret, NULL, 0, "known browser", secret->known_key);
    }
    return rv == APR_SUCCESS ? oas_secret_derive(secret, NULL, 0, "log subject", secret->log_key)
                             : rv;
}

apr_status_t oas_secret_derive(const oas_secret_t *secret, const void *salt, apr_size_t salt_len,
                               const char *use, unsigned char out[OAS_KEY_LEN])
{
    return hkdf(&secret->bytes, salt, salt_len, use, out, OAS_KEY_LEN);
}

void oas_secret_trim(oas_bytes_t *bytes)
{
    apr_size_t len = bytes->len;
    apr_size_t i;

    while (len > 0 && (bytes->data[len - 1] == '\n' || bytes->data[len - 1] == '\r')) {
        len--;
    }
    for (i = 0; i < len; i++) {
        if (!apr_isprint(bytes->data[i])) {
            return;
        }
    }
    bytes->len = len;
    ((unsigned char *)bytes->data)[len] = '\0';
}
