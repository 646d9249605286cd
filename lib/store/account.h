/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file account.h
 * What somebody sees and ends on the account page, and what an administrator does there in their
 * place. Every verb is one statement. Every session that ends tells its applications
 * (store/logout.h). Times are seconds since 1970 by the database's clock.
 */
#ifndef OAS_STORE_ACCOUNT_H
#define OAS_STORE_ACCOUNT_H

#include "db.h"

typedef struct {
    const char *id; /**< base64url, as oas_session_t has it */
    apr_int64_t created, last_used;
    apr_int64_t auth_time;            /**< 0: nobody knows */
    const char *address, *user_agent; /**< of the last login; may be NULL */
    const char *option;               /**< id of the login option used last, or NULL */
    int persistent;                   /**< 1: its cookie outlives the browser */
} oas_session_row_t;

#define OAS_LIST_PART 100 /**< how much of a list is read at once: sessions, or applications */

/**
 * The live sessions of a subject, the last used first; array of oas_session_row_t.
 * @param skip how many of them are left out
 * @param more 1: there are further ones
 */
apr_status_t oas_store_sessions_list(oas_db_t *db, const char *sub, int skip,
                                     apr_array_header_t **out, int *more, apr_pool_t *pool);

/**
 * Ends one session, and with it its grants that have no offline_access.
 * @param sub whose it has to be; NULL: anybody's (an administrator)
 * @return APR_ENOENT: not a live one of that subject
 */
apr_status_t oas_store_session_end_own(oas_db_t *db, const char *sub,
                                       const unsigned char session_id[OAS_ID_LEN],
                                       apr_pool_t *pool);

/**
 * The same for all sessions of a subject but one. A login at the same moment is ended, or comes
 * after.
 * @param keep_id the one that stays, OAS_ID_LEN bytes; NULL: none
 * @param ended   how many live ones there were
 */
apr_status_t oas_store_sessions_end_others(oas_db_t *db, const char *sub,
                                           const unsigned char *keep_id, int *ended,
                                           apr_pool_t *pool);

/** What one application may do at one API. */
typedef struct {
    const char *client_id;
    const char *resource; /**< or NULL */
    oas_words_t *scopes;  /**< those of the consent; without one those of the grants */
    apr_int64_t since;
    apr_int64_t last_used; /**< 0: nothing issued in its name is left */
    int offline; /**< 1: a family of refresh tokens lives (its idle end is not looked at) */
    int more;    /**< 1: there are applications behind those that were read */
} oas_access_row_t;

/** Live consents, and live grants without one, by client and API; array of oas_access_row_t. As
 * above, but what is skipped and read at once are clients. */
apr_status_t oas_store_access_list(oas_db_t *db, const char *sub, int skip,
                                   apr_array_header_t **out, int *more, apr_pool_t *pool);

/** Withdraws all consents of a client, and revokes all its grants for that subject. APR_ENOENT:
 * there was neither. */
apr_status_t oas_store_access_withdraw(oas_db_t *db, const char *sub, const char *client_id,
                                       apr_pool_t *pool);

#endif
