/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file assertion.h
 * Client authentication by a signed JWT: private_key_jwt and client_secret_jwt (RFC 7521, RFC 7523
 * sections 2.2 and 3, OpenID Connect Core section 9).
 */
#ifndef OAS_CHECK_ASSERTION_H
#define OAS_CHECK_ASSERTION_H

#include "../base/tx.h"
#include "../jose/jwt.h"

#define OAS_ASSERTION_TYPE    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define OAS_ASSERTION_AHEAD   apr_time_from_sec(3600) /**< how far ahead exp may lie */
#define OAS_ASSERTION_JTI_MAX 1024                    /**< bytes of a jti */

/** An assertion taken apart, but not yet believed. */
typedef struct {
    oas_jws_t *jws;
    json_t *claims;        /**< owned by the pool */
    const char *client_id; /**< what both iss and sub say */
    const char *jti;
    apr_int64_t exp;
    unsigned method; /**< OAS_AUTH_SECRET_JWT for HS256, else OAS_AUTH_PRIVATE_KEY_JWT */
} oas_assertion_t;

/**
 * Takes an assertion apart: a JWS of at most OAS_JWS_MAX bytes whose "typ" is absent or that of a
 * JWT, with equal iss and sub, an aud, an exp and a jti.
 * @param why in words, when it is APR_EINVAL
 */
apr_status_t oas_assertion_parse(oas_assertion_t **out, const char *text, const char **why,
                                 apr_pool_t *pool);

/**
 * Refuses it unless it comes from tx->client, is meant for this server (oas_assertion_audience_t),
 * is valid now by this node's clock, is signed with a key or a secret of the client, and was never
 * used before on any node. The latter is one statement, made when all the rest is right; no
 * database connection is held while keys are fetched.
 */
oas_outcome_t oas_check_assertion(oas_tx_t *tx, const oas_assertion_t *assertion);

#endif
