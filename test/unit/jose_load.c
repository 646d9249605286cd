/* SPDX-License-Identifier: Apache-2.0 */
/* Reading private keys from files and store URIs, and making new ones. */
#include "jose_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define SUFFIX_LEN 6 /* of the template, filled in anew for each test */

static char directory[] = "/tmp/oas_jose_XXXXXX";
static const char *path;

static void make_directory(void)
{
    memset(directory + sizeof(directory) - 1 - SUFFIX_LEN, 'X', SUFFIX_LEN);
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
    unlink(apr_pstrcat(pool, directory, "/key.pem", NULL));
    ck_assert_int_eq(rmdir(directory), 0);
}

static void write_file(const void *data, apr_size_t len)
{
    FILE *file;

    path = apr_pstrcat(pool, directory, "/key.pem", NULL);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

/* Writes a key made by OpenSSL's names, and frees it. */
static void write_key(EVP_PKEY *key, const char *passphrase, int der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long len;

    ck_assert_ptr_nonnull(key);
    ck_assert_int_eq(der ? i2d_PKCS8PrivateKey_bio(bio, key, NULL, NULL, 0, NULL, NULL)
                         : PEM_write_bio_PKCS8PrivateKey(
                               bio, key, passphrase != NULL ? EVP_aes_256_cbc() : NULL, passphrase,
                               passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL),
                     1);
    len = BIO_get_mem_data(bio, &data);
    write_file(data, (apr_size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(key);
}

static void expect(apr_status_t wanted, const char *why_wanted)
{
    oas_jwk_t *jwk;
    const char *why = "";

    ck_assert_int_eq(oas_jwk_load(&jwk, path, &why, pool), wanted);
    ck_assert_ptr_null(jwk);
    ck_assert_str_eq(why, why_wanted);
}

START_TEST(generated_key_is_loaded)
{
    const oas_alg_t *alg = oas_alg_at(_i);
    oas_keyset_t *set = oas_keyset_create(pool);
    const char *pem, *why;
    oas_jwk_t *jwk;

    ck_assert_int_eq(oas_jwk_generate_pem(&pem, alg, pool), APR_SUCCESS);
    ck_assert_int_eq(strncmp(pem, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
    write_file(pem, strlen(pem));
    ck_assert_int_eq(oas_jwk_load(&jwk, path, &why, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_keyset_add(set, jwk, alg, OAS_KEY_ACTIVE), APR_SUCCESS);
    ck_assert_int_eq(oas_jwk_load(&jwk, apr_pstrcat(pool, "file:", path, NULL), &why, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(oas_jwk_thumbprint(jwk),
                     oas_jwk_thumbprint(oas_keyset_signer(set, oas_alg_name(alg))->jwk));
}
END_TEST

START_TEST(der_is_loaded)
{
    oas_jwk_t *jwk;
    const char *why;

    write_key(EVP_EC_gen("P-256"), NULL, 1);
    ck_assert_int_eq(oas_jwk_load(&jwk, path, &why, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_jwk_fits(jwk, oas_alg_find("ES256")), 1);
}
END_TEST

/* "openssl ecparam -genkey" writes the curve before the key. */
START_TEST(parameters_before_the_key_are_skipped)
{
    static const char text[] = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                               "-----END EC PARAMETERS-----\n";
    const char *pem, *why;
    oas_jwk_t *jwk;

    ck_assert_int_eq(oas_jwk_generate_pem(&pem, oas_alg_find("ES256"), pool), APR_SUCCESS);
    pem = apr_pstrcat(pool, text, pem, NULL);
    write_file(pem, strlen(pem));
    ck_assert_int_eq(oas_jwk_load(&jwk, path, &why, pool), APR_SUCCESS);
}
END_TEST

START_TEST(weak_or_foreign_key_is_told_in_words)
{
    write_key(EVP_RSA_gen(1024), NULL, 0);
    expect(APR_EINVAL, "RSA key has 1024 bits, 2048 is the least");
    write_key(EVP_EC_gen("P-384"), NULL, 0);
    expect(APR_EINVAL, "EC key is on curve secp384r1, P-256 (prime256v1) is needed");
    write_key(EVP_EC_gen("secp256k1"), NULL, 0);
    expect(APR_EINVAL, "EC key is on curve secp256k1, P-256 (prime256v1) is needed");
    write_key(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), NULL, 0);
    expect(APR_EINVAL, "the key is of no supported kind: RSA, EC on P-256 or Ed25519 is needed");
    write_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), NULL, 0);
    expect(APR_EINVAL, "the key is of no supported kind: RSA, EC on P-256 or Ed25519 is needed");
}
END_TEST

START_TEST(small_exponent_is_told_in_words)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    BIGNUM *three = BN_new();

    BN_set_word(three, 3);
    ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, three), 1);
    ck_assert_int_eq(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    BN_free(three);
    write_key(key, NULL, 0);
    expect(APR_EINVAL, "RSA key has an even public exponent or one below 65537");
}
END_TEST

START_TEST(no_private_key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    char *data;
    long len;

    ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, key), 1);
    len = BIO_get_mem_data(bio, &data);
    write_file(data, (apr_size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(key);
    expect(APR_ENOENT, "holds no private key");
    write_file("", 0);
    expect(APR_ENOENT, "holds no private key");
    write_file("hello\n", 6);
    expect(APR_ENOENT, "holds no private key");
    write_file("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 60);
    expect(APR_ENOENT, "holds no private key");
    path = directory;
    expect(APR_ENOENT, "holds no private key");
}
END_TEST

START_TEST(encrypted_key_asks_nobody)
{
    write_key(EVP_EC_gen("P-256"), "secret", 0);
    expect(APR_ENOENT,
           "the private key is encrypted: keep it without a passphrase in a file that only root "
           "can read, or in a store that is told its PIN by the URI");
}
END_TEST

START_TEST(missing_file)
{
    path = "/nonexistent/key.pem";
    expect(APR_ENOENT, "cannot be opened: No such file or directory");
    path = "nosuchstore:key=1";
    expect(APR_ENOENT, "cannot be opened: No such file or directory");
    path = "";
    expect(APR_ENOENT, "cannot be opened: No such file or directory");
}
END_TEST

/* A file whose two halves do not belong together is found when it is added, not at a client. */
START_TEST(mismatched_halves_are_refused)
{
    oas_jwk_t *jwk;
    const char *why;
    oas_keyset_t *set = oas_keyset_create(pool);
    EVP_PKEY *a = EVP_EC_gen("P-256"), *b = EVP_EC_gen("P-256");
    unsigned char *der = NULL, *other = NULL;
    int len = i2d_PrivateKey(a, &der);
    int other_len = i2d_PrivateKey(b, &other);

    ck_assert_int_gt(len, 65);
    ck_assert_int_eq(len, other_len);
    memcpy(der + len - 64, other + other_len - 64, 64); /* the public point comes last */
    write_file(der, (apr_size_t)len);
    OPENSSL_free(der);
    OPENSSL_free(other);
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
    ck_assert_int_eq(oas_jwk_load(&jwk, path, &why, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_keyset_add(set, jwk, oas_alg_find("ES256"), OAS_KEY_ACTIVE), APR_EGENERAL);
}
END_TEST

Suite *load_suite(void)
{
    Suite *suite = suite_create("load");
    TCase *tcase = add_case(suite, "files");

    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_loop_test(tcase, generated_key_is_loaded, 0, 4);
    tcase_add_test(tcase, der_is_loaded);
    tcase_add_test(tcase, parameters_before_the_key_are_skipped);
    tcase_add_test(tcase, weak_or_foreign_key_is_told_in_words);
    tcase_add_test(tcase, small_exponent_is_told_in_words);
    tcase_add_test(tcase, no_private_key);
    tcase_add_test(tcase, encrypted_key_asks_nobody);
    tcase_add_test(tcase, missing_file);
    tcase_add_test(tcase, mismatched_halves_are_refused);
    return suite;
}
