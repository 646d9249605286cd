/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jose_test.h
 * What the test files of lib/jose share.
 */
#ifndef OAS_JOSE_TEST_H
#define OAS_JOSE_TEST_H

#include <check.h>
#include "../../lib/base/json.h"
#include "../../lib/jose/internal.h"
#include "../../lib/jose/jwt.h"

extern apr_pool_t *pool; /**< one for each test */

/* Keys of RFC 7515 A.2 and A.3 and RFC 8037 A.1. */
#define RFC_RSA_N                                                                                  \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4" \
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re" \
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX" \
    "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC_EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define RFC_EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define RFC_ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

#define RFC_RSA_JWK "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQAB\"}"
#define RFC_EC_JWK                                                                                 \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_EC_X "\",\"y\":\"" RFC_EC_Y "\"}"
#define RFC_ED_JWK "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC_ED_X "\"}"

Suite *rfc_suite(void);
Suite *key_suite(void);
Suite *load_suite(void);
Suite *sealed_suite(void);
Suite *sign_suite(void);
Suite *refuse_suite(void);
Suite *claims_suite(void);
Suite *vectors_suite(void);
Suite *jwks_suite(void);

/** Adds a case whose tests run with `pool` set; a test may take up to a minute (valgrind). */
TCase *add_case(Suite *suite, const char *name);

/** Parses JSON that is known to be right. */
json_t *json_of(const char *text);

/** Status of oas_jwk_parse for a JWK given as text. */
apr_status_t parse_status(const char *text);

/** The key of a JWK given as text. */
oas_jwk_t *public_of(const char *text);

/** The RFC's private key for an algorithm (see the macros above). */
oas_jwk_t *private_for(const char *alg);

/** A set with those private keys, one active for each of the four algorithms. */
oas_keyset_t *full_set(void);

/** A JWS from its parts, with a header and a payload given as text and an encoded signature. */
char *compact(const char *header, const char *payload, const char *signature);

/** Parses and verifies with one key: APR_SUCCESS or the first refusal. */
apr_status_t check_with(const char *text, const oas_jwk_t *jwk);

/** Parses and verifies as one of our own. */
apr_status_t check_own(const char *text, const oas_keyset_t *set);

#endif
