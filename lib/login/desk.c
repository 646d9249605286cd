/* SPDX-License-Identifier: Apache-2.0 */
#include "desk.h"

#define STATEMENTS 2

static int at_least_one(int count)
{
    return count > 0 ? count : 1;
}

static apr_status_t make_gate(oas_gate_t **out, int places, apr_pool_t *pool)
{
    apr_status_t rv = oas_gate_create(out, pool);

    if (rv == APR_SUCCESS) {
        oas_gate_size(*out, places);
    }
    return rv;
}

apr_status_t oas_desk_create(oas_desk_t **out, int threads, apr_pool_t *pool)
{
    oas_desk_t *desk = apr_pcalloc(pool, sizeof(*desk));
    int sign_ins = at_least_one(threads * 3 / 4);
    apr_status_t rv = make_gate(&desk->sign_ins, sign_ins, pool);

    if (rv == APR_SUCCESS) {
        rv = make_gate(&desk->statements, STATEMENTS, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = make_gate(&desk->providers, at_least_one(sign_ins / 2), pool);
    }
    *out = desk;
    return rv;
}
