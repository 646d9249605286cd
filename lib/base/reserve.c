/* SPDX-License-Identifier: Apache-2.0 */
#include "reserve.h"

#include <string.h>
#include "bytes.h"

apr_status_t oas_reserve_take(oas_reserve_t *reserve, void *out, apr_size_t len, apr_pool_t *pool)
{
    unsigned char *from;

    if (len > OAS_RESERVE_SIZE) {
        return APR_EINVAL;
    }
    if (len > reserve->left) {
        if (oas_random(reserve->octets, OAS_RESERVE_SIZE) != APR_SUCCESS) {
            return APR_EGENERAL;
        }
        if (reserve->left == 0) {
            oas_wipe_with_pool(pool, reserve->octets, OAS_RESERVE_SIZE);
        }
        reserve->left = OAS_RESERVE_SIZE;
    }
    from = reserve->octets + reserve->left - len;
    memcpy(out, from, len);
    oas_wipe(from, len);
    reserve->left -= len;
    return APR_SUCCESS;
}
