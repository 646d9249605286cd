/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fuzz_keys.h
 * The keys of an issuer for fuzz targets: one Ed25519 key, that of RFC 8037 A.1, so that files of a
 * corpus can be signed once and for all.
 */
#ifndef OAS_TEST_FUZZ_KEYS_H
#define OAS_TEST_FUZZ_KEYS_H

#include "fuzz.h"

#include "../../lib/jose/keyset.h"

static const unsigned char fuzz_private_key[] = {
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};

/** A pool for what outlives single inputs. It is of no other pool: LeakSanitizer does not look into
 * APR's memory, so the target releases it at exit. */
static inline apr_pool_t *fuzz_global_pool(void)
{
    apr_pool_t *pool;

    apr_initialize();
    FUZZ_HOLDS(apr_pool_create_unmanaged_ex(&pool, NULL, NULL) == APR_SUCCESS);
    return pool;
}

static inline oas_keyset_t *fuzz_keys(apr_pool_t *pool)
{
    oas_keyset_t *keys = oas_keyset_create(pool);
    oas_jwk_t *jwk;

    FUZZ_HOLDS(
        oas_jwk_create(&jwk,
                       EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, fuzz_private_key,
                                                       sizeof(fuzz_private_key)),
                       NULL, pool) == APR_SUCCESS);
    FUZZ_HOLDS(oas_keyset_add(keys, jwk, oas_alg_find("EdDSA"), OAS_KEY_ACTIVE) == APR_SUCCESS);
    return keys;
}

#endif
