/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: a compact JWS, or (when it begins with '{') a JWK. A JWS is parsed, checked with a few
 * fixed keys, and its claims are read whether it verifies or not. A JWK that is taken must survive
 * being published and read again.
 */
#include "fuzz_keys.h"

#include <string.h>
#include "../../lib/base/json.h"
#include "../../lib/jose/jwt.h"

/* Keys of RFC 7515 A.2 and A.3; the private one is that of RFC 8037 A.1. */
static const char *const public_keys[] = {
    "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26m"
    "PddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo"
    "9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZl"
    "xvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW"
    "yuXpoQ\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"};
#define PUBLIC_KEYS (sizeof(public_keys) / sizeof(public_keys[0]))

static apr_pool_t *global;
static oas_jwk_t *keys[PUBLIC_KEYS];
static oas_keyset_t *own;

static oas_jwk_t *read_jwk(const char *text, size_t len, apr_pool_t *pool)
{
    json_t *json;
    oas_jwk_t *jwk;

    if (oas_json_parse(&json, text, len, OAS_JWS_MAX, pool) != APR_SUCCESS ||
        oas_jwk_parse(&jwk, json, pool) != APR_SUCCESS) {
        return NULL;
    }
    return jwk;
}

static void release(void)
{
    apr_pool_destroy(global);
}

static void prepare(void)
{
    size_t i;

    global = fuzz_global_pool();
    for (i = 0; i < PUBLIC_KEYS; i++) {
        keys[i] = read_jwk(public_keys[i], strlen(public_keys[i]), global);
        FUZZ_HOLDS(keys[i] != NULL);
    }
    own = fuzz_keys(global);
    atexit(release); /* after OpenSSL has registered its own, so it runs before */
}

static void use_claims(const oas_jws_t *jws, apr_pool_t *pool)
{
    static const char *const dates[] = {"exp", "iat", "nbf", "auth_time"};
    json_t *claims;
    apr_int64_t date;
    size_t i;

    if (oas_jwt_claims(&claims, jws, pool) != APR_SUCCESS) {
        return;
    }
    oas_jwt_has_audience(claims, "https://api.example.test/");
    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        if (oas_jwt_date(claims, dates[i], &date) == APR_SUCCESS) {
            FUZZ_HOLDS(date >= -9007199254740992 && date <= 9007199254740992);
        }
    }
}

static void use_jws(const char *text, size_t len, apr_pool_t *pool)
{
    oas_jws_t *jws;
    int verified = 0;
    size_t i;

    if (oas_jws_parse(&jws, text, len, pool) != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < PUBLIC_KEYS; i++) {
        verified |= oas_jws_verify(jws, keys[i]) == APR_SUCCESS;
    }
    verified |= oas_jws_verify_own(jws, own) == APR_SUCCESS;
    FUZZ_HOLDS(!verified || (oas_alg_find(jws->alg) != NULL && jws->signature.len >= 64));
    use_claims(jws, pool);
}

static void use_jwk(const char *text, size_t len, apr_pool_t *pool)
{
    oas_jwk_t *jwk = read_jwk(text, len, pool), *again;
    const char *published;

    if (jwk == NULL) {
        return;
    }
    published = oas_json_text(pool, oas_jwk_public(jwk, oas_jwk_default_alg(jwk), pool));
    again = read_jwk(published, strlen(published), pool);
    FUZZ_HOLDS(again != NULL && strcmp(oas_jwk_thumbprint(again), oas_jwk_thumbprint(jwk)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    if (global == NULL) {
        prepare();
    }
    if (size > 0 && data[0] == '{') {
        use_jwk((const char *)data, size, pool);
    } else {
        use_jws((const char *)data, size, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
