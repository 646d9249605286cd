/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file token.h
 * Tokens of ours that come back: what one is, by its own form. Nothing here asks the database, so a
 * token that reads well may have expired or been revoked.
 */
#ifndef OAS_CHECK_TOKEN_H
#define OAS_CHECK_TOKEN_H

#include "../base/tx.h"

typedef enum {
    OAS_TOKEN_NONE,   /**< nothing of ours, or nothing that these endpoints speak of (ID tokens) */
    OAS_TOKEN_HANDLE, /**< has the form of a refresh token */
    OAS_TOKEN_ACCESS  /**< an access token that this issuer signed */
} oas_token_kind_t;

typedef struct oas_token {
    oas_token_kind_t kind;
    const char *why;                    /**< NONE: for the log */
    int has_grant;                      /**< grant_id is filled; a client's own tokens have none */
    unsigned char grant_id[OAS_ID_LEN]; /**< HANDLE, ACCESS */
    unsigned char hash[OAS_SHA256_LEN]; /**< HANDLE: of its secret half */
    json_t *claims;                     /**< ACCESS; owned by the pool */
    const char *client_id, *jti;        /**< ACCESS; either may be NULL */
    apr_int64_t exp;                    /**< ACCESS: seconds since 1970; 0 when it has none */
    int active; /**< 1: it is valid, and the one who asks may know; by load_token_state */
} oas_token_t;

/** 1 for the type (a JWS header's typ) and claims of an access token: that of RFC 9068 section 2.1,
 * or a JWT as dialect auth0 writes it, which no ID token can look like. */
int oas_is_access_token(const char *typ, const json_t *claims);

/**
 * Tells what `text` is. An access token is verified: signature by any of tx->keys,
 * type (RFC 9068 section 2.1, or an API's own dialect), iss. Its expiry is not judged here.
 */
void oas_token_read(const oas_tx_t *tx, const char *text, oas_token_t *out);

/**
 * Step: the parameter `token` is there (RFC 7009 section 2.1, RFC 7662 section 2.1). Sets
 * tx->token. token_type_hint is only a hint, and the form of a token says more, so it is not
 * looked at.
 */
oas_outcome_t oas_check_token(oas_tx_t *tx);

#endif
