/* SPDX-License-Identifier: Apache-2.0 */
#include "jwt.h"

#include <string.h>
#include "internal.h"
#include "../base/json.h"

#define DATE_MAX 9007199254740992 /* 2^53, up to which each JSON number is exact */

apr_status_t oas_jwt_sign(const char **out, const oas_signer_t *signer, const char *typ,
                          const char *claims, apr_pool_t *pool)
{
    *out = NULL;
    if (claims == NULL || claims[0] != '{') {
        return APR_EGENERAL;
    }
    return oas_jws_sign(out, signer, typ, claims, strlen(claims), pool);
}

apr_status_t oas_jwt_claims(json_t **out, const oas_jws_t *jws, apr_pool_t *pool)
{
    json_t *claims;

    *out = NULL;
    if (oas_json_parse(&claims, (const char *)jws->payload.data, jws->payload.len, OAS_JWS_MAX,
                       pool) != APR_SUCCESS ||
        !json_is_object(claims)) {
        return APR_EINVAL;
    }
    *out = claims;
    return APR_SUCCESS;
}

static int is_string(const json_t *json, const char *text)
{
    return json_is_string(json) && strcmp(json_string_value(json), text) == 0;
}

int oas_jwt_has_audience(const json_t *claims, const char *aud)
{
    const json_t *member = json_object_get(claims, "aud");
    const json_t *one;
    size_t i;

    json_array_foreach(member, i, one)
    {
        if (is_string(one, aud)) {
            return 1;
        }
    }
    return is_string(member, aud);
}

apr_status_t oas_jwt_date(const json_t *claims, const char *name, apr_int64_t *out)
{
    const json_t *member = json_object_get(claims, name);
    apr_int64_t whole;

    if (member == NULL) {
        return APR_ENOENT;
    }
    if (json_is_real(member)) {
        double real = json_real_value(member);
        if (!(real >= -(double)DATE_MAX && real <= (double)DATE_MAX)) {
            return APR_EINVAL;
        }
        *out = (apr_int64_t)real;
        return APR_SUCCESS;
    }
    whole = json_integer_value(member);
    if (!json_is_integer(member) || whole < -DATE_MAX || whole > DATE_MAX) {
        return APR_EINVAL;
    }
    *out = whole;
    return APR_SUCCESS;
}

const char *oas_jwt_half_hash(const char *alg, const char *value, apr_pool_t *pool)
{
    const oas_alg_t *row = oas_alg_find(alg);
    unsigned char hash[OAS_SHA512_LEN];

    if (row == NULL) {
        return NULL;
    }
    row->hash(value, strlen(value), hash);
    return oas_base64url_encode(pool, hash, row->hash_len / 2);
}
