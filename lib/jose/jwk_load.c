/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#define OBJECTS_MAX 100 /* looked at in one store; a key file has one or two */

/* Nobody is there to type a passphrase when a server starts: it is noted that one was wanted. */
static int refuse_passphrase(char *buffer, int size, int writing, void *baton)
{
    *(int *)baton = 1;
    return -1;
}

static const char *open_fault(apr_pool_t *pool)
{
    unsigned long error;
    char text[120];

    while ((error = ERR_get_error()) != 0) {
        if (ERR_SYSTEM_ERROR(error)) {
            return apr_psprintf(pool, "cannot be opened: %s",
                                apr_strerror(ERR_GET_REASON(error), text, sizeof(text)));
        }
    }
    return "cannot be opened: no file, and no store that OpenSSL knows";
}

static EVP_PKEY *first_key(OSSL_STORE_CTX *store)
{
    EVP_PKEY *key = NULL;
    int i;

    OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
    for (i = 0; i < OBJECTS_MAX && key == NULL && !OSSL_STORE_eof(store); i++) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            key = OSSL_STORE_INFO_get1_PKEY(info);
        }
        OSSL_STORE_INFO_free(info);
    }
    return key;
}

static EVP_PKEY *read_key(const char *uri, UI_METHOD *ui, const char **why, apr_pool_t *pool)
{
    int asked = 0;
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, ui, &asked, NULL, NULL);
    EVP_PKEY *key;

    if (store == NULL) {
        *why = asked ? "a passphrase or PIN is needed to open it" : open_fault(pool);
        return NULL;
    }
    key = first_key(store);
    OSSL_STORE_close(store);
    if (key == NULL) {
        *why = asked ? "the private key is encrypted: keep it without a passphrase in a file that "
                       "only root can read, or in a store that is told its PIN by the URI"
                     : "holds no private key";
    }
    return key;
}

apr_status_t oas_jwk_load(oas_jwk_t **out, const char *uri, const char **why, apr_pool_t *pool)
{
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(refuse_passphrase, 0);
    EVP_PKEY *key = NULL;

    *out = NULL;
    *why = "out of memory";
    ERR_clear_error();
    if (ui != NULL) {
        key = read_key(uri, ui, why, pool);
        UI_destroy_method(ui);
    }
    ERR_clear_error();
    if (key == NULL) {
        return APR_ENOENT;
    }
    return oas_jwk_create(out, key, why, pool);
}

static EVP_PKEY *generate(const oas_alg_t *alg)
{
    switch (alg->kind) {
    case OAS_KIND_RSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)OAS_RSA_MIN_BITS);
    case OAS_KIND_P256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    default:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
}

/* The text of a memory BIO is wiped by OpenSSL when the BIO is freed. */
static char *to_pem(EVP_PKEY *key, BIO *bio, apr_pool_t *pool)
{
    char *data, *text;
    long len;

    if (key == NULL || bio == NULL ||
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return NULL;
    }
    len = BIO_get_mem_data(bio, &data);
    text = apr_pstrmemdup(pool, data, (apr_size_t)len);
    oas_wipe_with_pool(pool, text, (apr_size_t)len);
    return text;
}

apr_status_t oas_jwk_generate_pem(const char **pem, const oas_alg_t *alg, apr_pool_t *pool)
{
    EVP_PKEY *key = generate(alg);
    BIO *bio = BIO_new(BIO_s_secmem());

    *pem = to_pem(key, bio, pool);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return *pem != NULL ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t oas_jwk_generate(oas_jwk_t **out, const oas_alg_t *alg, apr_pool_t *pool)
{
    EVP_PKEY *key = generate(alg);

    *out = NULL;
    return key != NULL ? oas_jwk_create(out, key, NULL, pool) : APR_EGENERAL;
}

apr_status_t oas_jwk_private_der(oas_bytes_t *out, const oas_jwk_t *jwk, apr_pool_t *pool)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(jwk->key);
    unsigned char *der = NULL;
    int len = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;

    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    if (len <= 0) {
        return APR_EGENERAL;
    }
    out->data = apr_pmemdup(pool, der, (apr_size_t)len);
    out->len = (apr_size_t)len;
    oas_wipe_with_pool(pool, (void *)out->data, out->len);
    OPENSSL_clear_free(der, (size_t)len);
    return APR_SUCCESS;
}

apr_status_t oas_jwk_from_der(oas_jwk_t **out, oas_bytes_t der, apr_pool_t *pool)
{
    const unsigned char *end = der.data;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long)der.len);
    EVP_PKEY *key = info != NULL && end == der.data + der.len ? EVP_PKCS82PKEY(info) : NULL;

    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    *out = NULL;
    return key != NULL ? oas_jwk_create(out, key, NULL, pool) : APR_EINVAL;
}
