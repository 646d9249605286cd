/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file reserve.h
 * Random octets of one request, fetched in one piece: what a call of OpenSSL's generator costs does
 * not depend on how many it gives. Begins as zeros; what was given is wiped here.
 */
#ifndef OAS_BASE_RESERVE_H
#define OAS_BASE_RESERVE_H

#include <apr_pools.h>

#define OAS_RESERVE_SIZE 64 /* what the redemption of a code needs, the request that needs most */

typedef struct {
    unsigned char octets[OAS_RESERVE_SIZE];
    apr_size_t left;
} oas_reserve_t;

/**
 * Fills `out`, at most OAS_RESERVE_SIZE octets; none are given twice. `pool` is the request's: what
 * is left is wiped with it.
 * @return APR_SUCCESS; APR_EGENERAL as oas_random; APR_EINVAL: too many
 */
apr_status_t oas_reserve_take(oas_reserve_t *reserve, void *out, apr_size_t len, apr_pool_t *pool)
    __attribute__((warn_unused_result));

#endif
