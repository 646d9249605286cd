/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says of an issuer's keys. */
#include "keyring.h"

#include "../jose/jwk.h"
#include "logout_token.h"

#define DAY     apr_time_from_sec(86400)
#define DUE_TOO 2 /* of each algorithm: the active key and the next one */

oas_words_t *oas_issuer_algs(const oas_issuer_t *issuer, apr_pool_t *pool)
{
    oas_words_t *names = oas_words_create(pool);
    const oas_alg_t *alg;
    int i;

    for (i = 0; (alg = oas_alg_at(i)) != NULL; i++) {
        if (oas_issuer_signs(issuer, oas_alg_name(alg))) {
            APR_ARRAY_PUSH(names, const char *) = oas_alg_name(alg);
        }
    }
    return names;
}

int oas_issuer_signs(const oas_issuer_t *issuer, const char *alg)
{
    const oas_signing_t *signing = &issuer->signing;

    return (signing->ring != NULL && oas_words_has(signing->ring, alg)) ||
           oas_keyset_signer(signing->keys, alg) != NULL;
}

apr_interval_time_t oas_keyring_lead(const oas_issuer_t *issuer)
{
    return issuer->lifetimes[OAS_LIFETIME_JWKS] + OAS_KEYRING_MARGIN;
}

oas_keys_ask_t oas_keyring_question(const oas_issuer_t *issuer)
{
    apr_interval_time_t lead = oas_keyring_lead(issuer);
    apr_interval_time_t rotate = issuer->signing.rotate;
    apr_interval_time_t ahead = rotate / 2 < DAY ? rotate / 2 : DAY;
    apr_interval_time_t token = oas_longest_token(issuer);
    oas_keys_ask_t ask = {.algs = issuer->signing.ring,
                          .lead = lead,
                          .rotate = rotate,
                          .ahead = ahead > lead ? ahead : lead};

    if (token < apr_time_from_sec(OAS_LOGOUT_TOKEN_LIFETIME)) {
        token = apr_time_from_sec(OAS_LOGOUT_TOKEN_LIFETIME);
    }
    ask.token = apr_time_sec(token + issuer->clock_skew);
    return ask;
}

int oas_keyring_crowd(const oas_issuer_t *issuer)
{
    apr_interval_time_t rotate = issuer->signing.rotate;

    if (rotate == 0) {
        return 0;
    }
    return issuer->signing.ring->nelts * (int)(oas_longest_token(issuer) / rotate + 1 + DUE_TOO);
}
