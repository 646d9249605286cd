/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file session.h
 * Browser sessions and the subjects they belong to. Every verb is one statement. All return
 * APR_SUCCESS, APR_ENOENT (no such live row), OAS_DB_UNAVAILABLE or APR_EGENERAL (logged).
 */
#ifndef OAS_STORE_SESSION_H
#define OAS_STORE_SESSION_H

#include "db.h"
#include "throttle.h"

#define OAS_AUTH_NOW ((apr_int64_t)-1) /**< now, by the database's clock */

/** A login that succeeded. */
typedef struct {
    unsigned char session_id[OAS_ID_LEN]; /**< fresh random: used unless an old one continues */
    unsigned char secret_hash[OAS_SHA256_LEN]; /**< SHA-256 of the new secret half */
    const char *sub, *provider, *name;
    const char *claims;    /**< JSON object: claims evaluated at this login */
    const char *proof;     /**< as oas_identity_t has it, or NULL */
    const char *amr, *acr; /**< either may be NULL */
    /** When the user authenticated: OAS_AUTH_NOW, seconds since 1970 (what lies ahead becomes now),
     * or 0 when nobody knows. */
    apr_int64_t auth_time;
    const char *option; /**< id of the login option that was used */
    int once;           /**< 1: session_id was chosen earlier, and may come again: one login only */
    int persistent;     /**< 1: its cookie outlives the browser */
    apr_interval_time_t lifetime, idle;
    const char *address, *user_agent;     /**< for the user's list of sessions; may be NULL */
    const unsigned char *old_session_id;  /**< what the browser had before, or NULL */
    const unsigned char *old_secret_hash; /**< belongs to it */
    /** What was counted beforehand, or NULL. It is given back: without that many good logins from
     * one address would look like many failures. */
    const oas_throttle_attempt_t *attempt;
} oas_session_new_t;

/**
 * Stores the subject with its claims and opens a session. If the old session is live and of the
 * same subject it continues under its id with the new secret, auth_time, amr and acr (so that one
 * sid serves every application of that browser); if it is another subject's it is ended. Safe to
 * repeat.
 * @param out filled; consented stays NULL
 * @return APR_ENOENT: a user of the built-in provider whose password was changed, or who was
 *         locked, since `proof` was made; nothing changed. APR_EEXIST: session_id was used before
 *         (also by a login with `once` that continued another session); nothing changed
 */
apr_status_t oas_store_session_open(oas_db_t *db, const oas_session_new_t *in, oas_session_t *out,
                                    apr_pool_t *pool);

/**
 * Finds a live session by id and secret hash and, when its last use is over a minute (of a shorter
 * `idle` a quarter) old, moves its idle end. Also reads what the user allowed `client_id` ("" for
 * none) for `resource` ("" for none).
 */
apr_status_t oas_store_session_load(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                    const unsigned char secret_hash[OAS_SHA256_LEN],
                                    const char *client_id, const char *resource,
                                    apr_interval_time_t idle, oas_session_t *out, apr_pool_t *pool);

/** Ends a session, and with it the session's grants that have no offline_access. APR_ENOENT when it
 * was not live. */
apr_status_t oas_store_session_end(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                   const unsigned char secret_hash[OAS_SHA256_LEN],
                                   apr_pool_t *pool);

#endif
