/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <string.h>
#include "session.h"

/* How much the request wishes for the option's acr: 0 is most. */
static int rank(const oas_tx_t *tx, const oas_login_option_t *option)
{
    int count = tx->acr_values != NULL ? tx->acr_values->nelts : 0;
    int i;

    for (i = 0; i < count && option->acr != NULL; i++) {
        if (strcmp(OAS_WORD(tx->acr_values, i), option->acr) == 0) {
            return i;
        }
    }
    return count;
}

static int fits(const oas_tx_t *tx, const oas_login_option_t *option)
{
    if (oas_session_must_be_new(tx) && !option->reauth) {
        return 0;
    }
    if (tx->max_age >= 0 && !option->reauth && option->auth_time == NULL) {
        return 0;
    }
    return !tx->acr_essential ||
           (tx->acr_values != NULL && rank(tx, option) < tx->acr_values->nelts);
}

apr_array_header_t *oas_login_options(const oas_tx_t *tx, apr_pool_t *pool)
{
    const apr_array_header_t *all = tx->issuer->login_options;
    int ranks = tx->acr_values != NULL ? tx->acr_values->nelts : 0;
    apr_array_header_t *out = apr_array_make(pool, 4, sizeof(const oas_login_option_t *));
    int wanted, i;

    for (wanted = 0; all != NULL && wanted <= ranks; wanted++) {
        for (i = 0; i < all->nelts; i++) {
            const oas_login_option_t *option = &APR_ARRAY_IDX(all, i, oas_login_option_t);
            if (rank(tx, option) == wanted && fits(tx, option)) {
                APR_ARRAY_PUSH(out, const oas_login_option_t *) = option;
            }
        }
    }
    return out;
}
