/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file subject.h
 * What a client is told somebody's sub is (OIDC Core section 8): the subject itself or, for a
 * client with pairwise subjects, a name that only the clients of its sector know. Inside the
 * server, in the database and in the audit log, it is always the subject itself.
 */
#ifndef OAS_BASE_SUBJECT_H
#define OAS_BASE_SUBJECT_H

#include "tx.h"

#define OAS_SALT_LEN   32
#define OAS_SECTOR_MAX 253 /**< characters of a host name */

/** A sector: a host name or address in lower case, without a port. */
int oas_sector_valid(const char *text);

/**
 * The pairwise sub of `sub` for the clients of `sector` (OIDC Core section 8.1): base64url of
 * HMAC-SHA-256 under the salt, 43 characters. NULL when it cannot be made.
 */
const char *oas_subject_pairwise(const unsigned char salt[OAS_SALT_LEN], const char *sector,
                                 const char *sub, apr_pool_t *pool);

/**
 * The sub that `client` is told wherever it sees one: ID and access tokens, userinfo,
 * introspection, logout tokens. Public subjects: `sub` itself. NULL when the client's are pairwise
 * and tx->salt is not loaded (check/salt.h); no step that issues runs before that.
 */
const char *oas_subject_for(const oas_tx_t *tx, const oas_client_t *client, const char *sub);

/**
 * The sid that `client` is told of a session (base64url of 16 bytes), wherever it sees one: ID and
 * access tokens, logout tokens, front-channel logout. The session's own is the same for every
 * client, and would join what pairwise subjects keep apart: a client that has them gets one for its
 * sector. NULL when `sid` is, or as with oas_subject_for.
 */
const char *oas_sid_for(const oas_tx_t *tx, const oas_client_t *client, const char *sid);

/**
 * What stands for a subject in the access log: base64url of a short HMAC under the first of the
 * issuer's secrets, so that who reads the log can follow a user but not guess who it is. The same
 * on all nodes, until the secret changes. NULL when it cannot be made.
 */
const char *oas_subject_mark(const oas_issuer_t *issuer, const char *sub, apr_pool_t *pool);
#define OAS_SUBJECT_MARK_LEN 12 /**< bytes */

/** 1 when `told`, which came back by `client` or in a token of its (id_token_hint, logout_hint,
 * claims.id_token.sub), is what that client is told of `sub`. */
int oas_subject_is(const oas_tx_t *tx, const oas_client_t *client, const char *told,
                   const char *sub);

#endif
