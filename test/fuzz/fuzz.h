/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fuzz.h
 * What the fuzz targets share: a pool for one input, and a promise that is checked in every build.
 */
#ifndef OAS_TEST_FUZZ_H
#define OAS_TEST_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <apr_general.h>
#include <apr_pools.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Stops the run, as a crash would, when a promise of the code under test does not hold. */
#define FUZZ_HOLDS(promise)                                                                        \
    do {                                                                                           \
        if (!(promise)) {                                                                          \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #promise);           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** A pool for one input; the caller destroys it. */
static inline apr_pool_t *fuzz_pool(void)
{
    apr_pool_t *pool;

    apr_initialize();
    FUZZ_HOLDS(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    return pool;
}

#endif
