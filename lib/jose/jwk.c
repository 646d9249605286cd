/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include "../base/json.h"

#define RSA_MAX_BITS      16384 /* what OpenSSL verifies at all */
#define RSA_MIN_EXPONENT  65537 /* FIPS 186-5 section A.1.1 */
#define RSA_MAX_EXP_BITS  64    /* bounds the work of a verification */
#define MEMBER_MAX        (RSA_MAX_BITS / 8)
#define ED25519_KEY_LEN   32
#define GROUP_NAME_LENGTH 64

const oas_kind_row_t oas_kinds[OAS_KIND_COUNT] = {
    {"RSA", "RSA", NULL, {"e", "n"}, 0},
    {"EC", "EC", "P-256", {"x", "y"}, OAS_ES256_HALF},
    {"ED25519", "OKP", "Ed25519", {"x", NULL}, ED25519_KEY_LEN},
};

/* OpenSSL's names of the members in oas_kinds; Ed25519 has its raw public key instead. */
static const char *const params[OAS_KIND_COUNT][2] = {
    {OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_N},
    {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y},
    {NULL, NULL},
};

const char *oas_kind_value(const EVP_PKEY *key, oas_jwk_kind_t kind, int n, apr_pool_t *pool)
{
    unsigned char raw[MEMBER_MAX];
    size_t len = ED25519_KEY_LEN;
    BIGNUM *number = NULL;
    int ok;

    if (kind == OAS_KIND_ED25519) {
        ok = EVP_PKEY_get_raw_public_key(key, raw, &len) == 1 && len == ED25519_KEY_LEN;
        return ok ? oas_base64url_encode(pool, raw, len) : NULL;
    }
    if (EVP_PKEY_get_bn_param(key, params[kind][n], &number) != 1) {
        return NULL;
    }
    len = oas_kinds[kind].len != 0 ? oas_kinds[kind].len : (apr_size_t)BN_num_bytes(number);
    ok = len <= sizeof(raw) && BN_bn2binpad(number, raw, (int)len) == (int)len;
    BN_free(number);
    return ok ? oas_base64url_encode(pool, raw, len) : NULL;
}

/*
 * 1 for a modulus made by a generator whose primes are M*k + 65537^a mod M (CVE-2017-15361): modulo
 * each small prime it is then a power of 65537, which a sound one is by chance once in 2^27.
 */
static int is_roca(const BIGNUM *modulus)
{
    static const unsigned char primes[] = {11, 13, 17,  19,  37,  53,  61,  71, 73,
                                           79, 97, 103, 107, 109, 127, 151, 157};
    apr_size_t i;

    for (i = 0; i < sizeof(primes); i++) {
        unsigned prime = primes[i];
        unsigned wanted = (unsigned)BN_mod_word(modulus, prime);
        unsigned power = 1;

        do {
            power = power * (65537 % prime) % prime;
        } while (power != wanted && power != 1);
        if (power != wanted) {
            return 0;
        }
    }
    return 1;
}

static const char *rsa_fault(const BIGNUM *n, const BIGNUM *e, apr_pool_t *pool)
{
    int bits = BN_num_bits(n);

    if (bits < OAS_RSA_MIN_BITS) {
        return apr_psprintf(pool, "RSA key has %d bits, %d is the least", bits, OAS_RSA_MIN_BITS);
    }
    if (bits > RSA_MAX_BITS) {
        return apr_psprintf(pool, "RSA key has %d bits, %d is the most", bits, RSA_MAX_BITS);
    }
    if (BN_num_bits(e) > RSA_MAX_EXP_BITS) {
        return "RSA key has a public exponent of more than 64 bits";
    }
    if (!BN_is_odd(e) || BN_get_word(e) < RSA_MIN_EXPONENT) {
        return "RSA key has an even public exponent or one below 65537";
    }
    if (!BN_is_odd(n)) {
        return "RSA key has an even modulus";
    }
    return is_roca(n) ? "RSA key was made by a faulty generator (CVE-2017-15361, ROCA)" : NULL;
}

static const char *check_rsa(const EVP_PKEY *key, apr_pool_t *pool)
{
    BIGNUM *n = NULL, *e = NULL;
    const char *why = "RSA key does not tell its modulus and exponent";

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
        why = rsa_fault(n, e, pool);
    }
    BN_free(n);
    BN_free(e);
    return why;
}

static const char *check_p256(const EVP_PKEY *key, apr_pool_t *pool)
{
    char group[GROUP_NAME_LENGTH];
    size_t len;

    if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1) {
        return "EC key names no curve, P-256 is needed";
    }
    if (strcmp(group, "prime256v1") != 0 && strcmp(group, "P-256") != 0) {
        return apr_psprintf(pool, "EC key is on curve %s, P-256 (prime256v1) is needed", group);
    }
    return NULL;
}

static const char *find_kind(oas_jwk_kind_t *kind, const EVP_PKEY *key, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < OAS_KIND_COUNT && !EVP_PKEY_is_a(key, oas_kinds[i].openssl); i++) {
    }
    *kind = (oas_jwk_kind_t)i;
    switch (*kind) {
    case OAS_KIND_RSA:
        return check_rsa(key, pool);
    case OAS_KIND_P256:
        return check_p256(key, pool);
    case OAS_KIND_ED25519:
        return NULL;
    default:
        return "the key is of no supported kind: RSA, EC on P-256 or Ed25519 is needed";
    }
}

/* RFC 7638: required members in lexicographic order; none of the values needs escaping. */
static const char *thumbprint(const oas_jwk_t *jwk, apr_pool_t *pool)
{
    const oas_kind_row_t *row = &oas_kinds[jwk->kind];
    const char *a = jwk->value[0], *b = jwk->value[1];
    unsigned char hash[OAS_SHA256_LEN];
    const char *text;

    if (row->crv == NULL) {
        text = apr_psprintf(pool, "{\"%s\":\"%s\",\"kty\":\"%s\",\"%s\":\"%s\"}", row->member[0], a,
                            row->kty, row->member[1], b);
    } else {
        text = apr_psprintf(pool, "{\"crv\":\"%s\",\"kty\":\"%s\",\"%s\":\"%s\"", row->crv,
                            row->kty, row->member[0], a);
        text = b == NULL ? apr_pstrcat(pool, text, "}", NULL)
                         : apr_psprintf(pool, "%s,\"%s\":\"%s\"}", text, row->member[1], b);
    }
    oas_sha256(text, strlen(text), hash);
    return oas_base64url_encode(pool, hash, sizeof(hash));
}

static apr_status_t key_cleanup(void *baton)
{
    EVP_PKEY_free(baton);
    return APR_SUCCESS;
}

static apr_status_t describe(oas_jwk_t *jwk, const char **why, apr_pool_t *pool)
{
    int i;

    *why = find_kind(&jwk->kind, jwk->key, pool);
    if (*why != NULL) {
        return APR_EINVAL;
    }
    for (i = 0; i < 2 && oas_kinds[jwk->kind].member[i] != NULL; i++) {
        jwk->value[i] = oas_kind_value(jwk->key, jwk->kind, i, pool);
        if (jwk->value[i] == NULL) {
            *why = "the key does not tell its public half";
            return APR_EINVAL;
        }
    }
    jwk->thumbprint = thumbprint(jwk, pool);
    return APR_SUCCESS;
}

apr_status_t oas_jwk_create(oas_jwk_t **out, EVP_PKEY *key, const char **why, apr_pool_t *pool)
{
    oas_jwk_t *jwk = apr_pcalloc(pool, sizeof(*jwk));
    const char *ignored;
    apr_status_t status;

    *out = NULL;
    jwk->key = key;
    apr_pool_cleanup_register(pool, key, key_cleanup, apr_pool_cleanup_null);
    ERR_set_mark();
    status = describe(jwk, why != NULL ? why : &ignored, pool);
    ERR_pop_to_mark();
    *out = status == APR_SUCCESS ? jwk : NULL;
    return status;
}

int oas_jwk_fits(const oas_jwk_t *jwk, const oas_alg_t *alg)
{
    return alg != NULL && jwk->kind == alg->kind && (jwk->only == NULL || jwk->only == alg);
}

const oas_alg_t *oas_jwk_default_alg(const oas_jwk_t *jwk)
{
    const oas_alg_t *alg;
    int i;

    for (i = 0; (alg = oas_alg_at(i)) != NULL && !oas_jwk_fits(jwk, alg); i++) {
    }
    return alg;
}

const char *oas_jwk_thumbprint(const oas_jwk_t *jwk)
{
    return jwk->thumbprint;
}

const char *oas_jwk_kid(const oas_jwk_t *jwk)
{
    return jwk->kid;
}

const char *oas_jwk_kid_for(const oas_jwk_t *jwk, const oas_alg_t *alg, apr_pool_t *pool)
{
    return alg->pss ? apr_pstrcat(pool, jwk->thumbprint, "-", alg->name, NULL) : jwk->thumbprint;
}

json_t *oas_jwk_public(const oas_jwk_t *jwk, const oas_alg_t *alg, apr_pool_t *pool)
{
    const oas_kind_row_t *row = &oas_kinds[jwk->kind];
    json_t *json = oas_json_object(pool);

    oas_json_set(json, "kty", row->kty);
    oas_json_set(json, "crv", row->crv);
    oas_json_set(json, row->member[0], jwk->value[0]);
    if (row->member[1] != NULL) {
        oas_json_set(json, row->member[1], jwk->value[1]);
    }
    oas_json_set(json, "kid", oas_jwk_kid_for(jwk, alg, pool));
    oas_json_set(json, "alg", alg->name);
    oas_json_set(json, "use", "sig");
    return json;
}
