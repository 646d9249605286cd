/* SPDX-License-Identifier: Apache-2.0 */
/* Clients and tokens by certificate (RFC 8705). */
#include "check_test.h"

#include <openssl/x509v3.h>
#include "../../lib/base/json.h"
#include "../../lib/check/certificate.h"
#include "../../lib/check/client_auth.h"
#include "../../lib/jose/jwks.h"

/* A certificate with the given RDNs ("TYPE", "value", ...; "+TYPE" joins the one before). */
static X509 *certificate_with(EVP_PKEY *key, const char *const *subject, const char *dns, int days)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    int i;

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -2L * 86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400L);
    for (i = 0; subject[i] != NULL; i += 2) {
        int joined = subject[i][0] == '+';
        ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, subject[i] + joined, MBSTRING_UTF8,
                                                    (const unsigned char *)subject[i + 1], -1, -1,
                                                    joined ? -1 : 0),
                         1);
    }
    X509_set_subject_name(certificate, name);
    X509_NAME_free(name);
    if (dns != NULL) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, dns);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    X509_set_pubkey(certificate, key);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    return certificate;
}

static void show(oas_tx_t *tx, X509 *certificate, int verified)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);

    tx->request.certificate.data = apr_pmemdup(pool, der, (apr_size_t)len);
    tx->request.certificate.len = (apr_size_t)len;
    tx->request.certificate_verified = verified;
    OPENSSL_free(der);
    X509_free(certificate);
}

static EVP_PKEY *new_key(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

/* A request of a client that is known by its certificate. */
static oas_tx_t *tx_for(unsigned method, oas_certificate_kind_t kind, const char *value)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_client_t *client = (oas_client_t *)tx->client;

    client->auth_methods = method;
    client->certificate = kind;
    client->certificate_value = value;
    tx->endpoint = OAS_EP_TOKEN;
    tx->client = NULL;
    oas_params_add(tx->params, "client_id", "app");
    return tx;
}

static oas_client_t *client_of(oas_tx_t *tx)
{
    return apr_hash_get(tx->issuer->clients, "app", APR_HASH_KEY_STRING);
}

static oas_error_id_t outcome(oas_tx_t *tx)
{
    ck_assert_int_eq(oas_check_client_auth(tx), tx->error == OAS_E_NONE ? OAS_NEXT : OAS_FAILED);
    return tx->error;
}

/* C=DE, O=Example, Inc., OU=Shop, CN=shop+UID=7, as certificates have it: the widest first. */
static const char *const shop[] = {"C",    "DE", "O", "Example, Inc.", "OU", "Shop", "CN", "shop",
                                   "+UID", "7",  NULL};

static const struct {
    const char *text;
    int equal;
} subjects[] = {
    {"CN=shop+UID=7,OU=Shop,O=Example\\, Inc.,C=DE", 1},
    {"UID=7+CN=shop,OU=Shop,O=Example\\, Inc.,C=DE", 1},
    {"cn=SHOP + uid=7, ou=shop, o=example\\2c  inc., c=de", 1},
    {"2.5.4.3=shop+0.9.2342.19200300.100.1.1=7,OU=Sh\\6fp,O=Example\\, Inc.,C=DE", 1},
    {"commonName=shop+UID=7,OU=Shop,O=Example\\, Inc.,C=DE", 1},
    {"C=DE,O=Example\\, Inc.,OU=Shop,CN=shop+UID=7", 0}, /* the other way round */
    {"CN=shop,OU=Shop,O=Example\\, Inc.,C=DE", 0},
    {"CN=shop,UID=7,OU=Shop,O=Example\\, Inc.,C=DE", 0},
    {"CN=shop+UID=7,OU=Shop,O=Example\\, Inc.", 0},
    {"CN=shop+UID=7,OU=Shop,O=Example,C=DE", 0},
    {"CN=shop", 0},
};

START_TEST(subject)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_TLS, OAS_CERTIFICATE_SUBJECT, subjects[_i].text);
    EVP_PKEY *key = new_key();

    ck_assert_int_eq(oas_certificate_subject_valid(subjects[_i].text, pool), 1);
    show(tx, certificate_with(key, shop, NULL, 1), 1);
    EVP_PKEY_free(key);
    ck_assert_msg((outcome(tx) == OAS_E_NONE) == subjects[_i].equal, "%s: %d", subjects[_i].text,
                  tx->error);
    ck_assert(tx->error == OAS_E_NONE || tx->error == OAS_E_CERTIFICATE_INVALID);
}
END_TEST

static const char *const malformed[] = {
    "",         "shop",     "=x",       "CN=",    "CN=a,",    "CN=a,,O=b",    "CN=a+",
    "CN=\"a\"", "CN=a;O=b", "CN=#0401", "CN=a\\", "CN=a\\zz", "NOSUCHTYPE=a", "C=Germany",
    "CN=\\ff",  "CN=<a>",   "CN=a\\4",  ",CN=a",  "CN a=b",
};

START_TEST(subject_malformed)
{
    ck_assert_msg(!oas_certificate_subject_valid(malformed[_i], pool), "%s", malformed[_i]);
}
END_TEST

static const struct {
    const char *names, *wanted;
    int found;
} alternatives[] = {
    {"DNS:shop.example", "shop.example", 1},
    {"DNS:a.example,DNS:SHOP.example", "shop.example", 1},
    {"DNS:*.example", "shop.example", 0},
    {"DNS:shop.example.net", "shop.example", 0},
    {"DNS:a.shop.example", ".shop.example", 0},
    {"email:x@shop.example", "shop.example", 0},
    {NULL, "shop.example", 0}, /* a common name does not count */
};

START_TEST(alternative_name)
{
    static const char *const common[] = {"CN", "shop.example", NULL};
    oas_tx_t *tx = tx_for(OAS_AUTH_TLS, OAS_CERTIFICATE_SAN_DNS, alternatives[_i].wanted);
    EVP_PKEY *key = new_key();

    show(tx, certificate_with(key, common, alternatives[_i].names, 1), 1);
    EVP_PKEY_free(key);
    ck_assert_int_eq(outcome(tx), alternatives[_i].found ? OAS_E_NONE : OAS_E_CERTIFICATE_INVALID);
}
END_TEST

/* Anybody can write any name into a certificate that no CA has seen. */
START_TEST(name_of_an_unverified_certificate)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_TLS, OAS_CERTIFICATE_SUBJECT, subjects[0].text);
    EVP_PKEY *key = new_key();

    show(tx, certificate_with(key, shop, NULL, 1), 0);
    EVP_PKEY_free(key);
    ck_assert_int_eq(outcome(tx), OAS_E_CERTIFICATE_INVALID);
}
END_TEST

START_TEST(no_certificate)
{
    ck_assert_int_eq(outcome(tx_for(OAS_AUTH_TLS, OAS_CERTIFICATE_SUBJECT, "CN=a")),
                     OAS_E_CERTIFICATE_MISSING);
    ck_assert_int_eq(outcome(tx_for(OAS_AUTH_SELF_SIGNED_TLS, OAS_CERTIFICATE_SELF_SIGNED, NULL)),
                     OAS_E_CERTIFICATE_MISSING);
}
END_TEST

START_TEST(not_a_certificate)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_TLS, OAS_CERTIFICATE_SUBJECT, "CN=a");

    tx->request.certificate = (oas_bytes_t){(const unsigned char *)"0\x82garbage", 9};
    tx->request.certificate_verified = 1;
    ck_assert_int_eq(outcome(tx), OAS_E_CERTIFICATE_INVALID);
}
END_TEST

/* A certificate by itself: its key has to be registered, and its dates count. */
START_TEST(self_signed)
{
    static const struct {
        int registered, days;
        oas_error_id_t error;
    } cases[] = {
        {1, 1, OAS_E_NONE}, {0, 1, OAS_E_CERTIFICATE_INVALID}, {1, -1, OAS_E_CERTIFICATE_INVALID}};
    oas_tx_t *tx = tx_for(OAS_AUTH_SELF_SIGNED_TLS, OAS_CERTIFICATE_SELF_SIGNED, NULL);
    EVP_PKEY *key = new_key(), *other = new_key();
    oas_keyset_t *keys = oas_keyset_create(pool);
    const char *why;
    oas_jwk_t *jwk;

    show(tx, certificate_with(key, shop, NULL, cases[_i].days), 0);
    ck_assert_int_eq(oas_jwk_create(&jwk, cases[_i].registered ? key : other, &why, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_keyset_add(keys, jwk, oas_alg_find("ES256"), OAS_KEY_ACTIVE), APR_SUCCESS);
    ck_assert_int_eq(
        oas_jwks_parse(&client_of(tx)->jwks, oas_keyset_public(keys, pool), &why, pool),
        APR_SUCCESS);
    ck_assert_int_eq(outcome(tx), cases[_i].error);
    EVP_PKEY_free(cases[_i].registered ? other : key);
}
END_TEST

START_TEST(without_the_certificate_of_a_bound_client)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_NONE, OAS_CERTIFICATE_NONE, NULL);

    client_of(tx)->bound_tokens = 1;
    ck_assert_int_eq(outcome(tx), OAS_E_CERTIFICATE_MISSING);
    tx = tx_for(OAS_AUTH_NONE, OAS_CERTIFICATE_NONE, NULL);
    client_of(tx)->bound_tokens = 1;
    tx->endpoint = OAS_EP_REVOKE; /* whoever lost the certificate may still revoke */
    ck_assert_int_eq(outcome(tx), OAS_E_NONE);
    ck_assert_ptr_null(tx->cnf);
}
END_TEST

/* Any certificate, also beside another method, where the client's tokens are bound. */
START_TEST(confirmation)
{
    oas_tx_t *tx = tx_for(OAS_AUTH_NONE, OAS_CERTIFICATE_NONE, NULL);
    EVP_PKEY *key = new_key();
    unsigned char hash[OAS_SHA256_LEN];

    client_of(tx)->bound_tokens = _i;
    show(tx, certificate_with(key, shop, NULL, 1), 0);
    EVP_PKEY_free(key);
    ck_assert_int_eq(outcome(tx), OAS_E_NONE);
    if (!_i) {
        ck_assert_ptr_null(tx->cnf);
        return;
    }
    oas_sha256(tx->request.certificate.data, tx->request.certificate.len, hash);
    ck_assert_str_eq(tx->cnf, oas_base64url_encode(pool, hash, sizeof(hash)));
}
END_TEST

void add_certificate_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "certificate");

    LOOP(tcase, subject, subjects);
    LOOP(tcase, subject_malformed, malformed);
    LOOP(tcase, alternative_name, alternatives);
    tcase_add_test(tcase, name_of_an_unverified_certificate);
    tcase_add_test(tcase, no_certificate);
    tcase_add_test(tcase, not_a_certificate);
    tcase_add_loop_test(tcase, self_signed, 0, 3);
    tcase_add_test(tcase, without_the_certificate_of_a_bound_client);
    tcase_add_loop_test(tcase, confirmation, 0, 2);
}
