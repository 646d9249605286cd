/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jwt.h
 * JWT claims (RFC 7519) on top of JWS.
 */
#ifndef OAS_JOSE_JWT_H
#define OAS_JOSE_JWT_H

#include "jws.h"

/** Signs the text of a claims object; as oas_jws_sign. APR_EGENERAL when it is none, or NULL: it
 * could not be written. */
apr_status_t oas_jwt_sign(const char **out, const oas_signer_t *signer, const char *typ,
                          const char *claims, apr_pool_t *pool);

/** The payload of a verified JWS as a JSON object owned by the pool; APR_EINVAL if it is none. */
apr_status_t oas_jwt_claims(json_t **out, const oas_jws_t *jws, apr_pool_t *pool);

/** 1 when member "aud" is the string `aud` or an array that has it. */
int oas_jwt_has_audience(const json_t *claims, const char *aud);

/** Reads a NumericDate member (integer or real, RFC 7519 section 2) as whole seconds, bounded to
 * +-2^53; APR_ENOENT absent, APR_EINVAL otherwise. */
apr_status_t oas_jwt_date(const json_t *claims, const char *name, apr_int64_t *out);

/** at_hash / c_hash / s_hash of `value` for a signature algorithm (OIDC Core 3.1.3.6); base64url in
 * `pool`. EdDSA uses SHA-512. */
const char *oas_jwt_half_hash(const char *alg, const char *value, apr_pool_t *pool);

#endif
