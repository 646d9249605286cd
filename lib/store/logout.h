/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file logout.h
 * The end of a session told to applications (OpenID Connect Back-Channel Logout 1.0). However a
 * session ends, the same statement queues one logout for each client that was put with
 * oas_code_put_t.track and queue; whoever delivers claims it first.
 */
#ifndef OAS_STORE_LOGOUT_H
#define OAS_STORE_LOGOUT_H

#include "db.h"

/**
 * As oas_store_session_end (session.h).
 * @param client_ids the tracked clients that took part, array of const char *; never NULL with
 *        APR_SUCCESS and APR_ENOENT. They are named again when the session had been ended before.
 */
apr_status_t oas_store_session_logout(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                      const unsigned char secret_hash[OAS_SHA256_LEN],
                                      apr_array_header_t **client_ids, apr_pool_t *pool);

/** A queued logout. */
typedef struct {
    unsigned char id[OAS_ID_LEN]; /**< stays the same however often it is sent: the jti */
    const char *client_id;
    const char *sid;          /**< base64url of the session, the sid claim */
    const char *sub;          /**< not pairwise yet */
    int attempts;             /**< claims so far, this one included: from 1 */
    int extra;                /**< counts against oas_logouts_claim_t.extra while in flight */
    apr_int64_t now, expires; /**< seconds since 1970 by the database's clock; from `expires` on (2
                                 hours after the session's end) it is not handed out any more */
} oas_logout_t;

/** How many are wanted. */
typedef struct {
    int max;        /**< at most that many */
    int extra;      /**< of these at most so many that are not the first in flight of their client,
                         or whose client has failed at one that is still queued; of such a client there
                         is one in flight. Less than max: room for clients that answer, however many
                         hang */
    int per_client; /**< of one client no more than make that many in flight, on all nodes together
                     */
    apr_interval_time_t lease; /**< until it ends nobody else gets them, on no node; longer than a
                                    delivery can take */
} oas_logouts_claim_t;

/**
 * Takes logouts that are due: those that are not extra, then extra ones, the longest waiting first.
 * @param out array of oas_logout_t; may be empty. Costs next to nothing when none is due.
 */
apr_status_t oas_store_logouts_claim(oas_db_t *db, const oas_logouts_claim_t *want,
                                     apr_array_header_t **out, apr_pool_t *pool);

/** It was delivered, or never can be: it is gone. APR_ENOENT: it was gone. */
apr_status_t oas_store_logout_done(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                   apr_pool_t *pool);

/** It is due again after `delay`, and the lease ends. APR_ENOENT: it is gone. */
apr_status_t oas_store_logout_later(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                    apr_interval_time_t delay, apr_pool_t *pool);

#endif
