/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file refresh.h
 * Families of refresh tokens (law 5). A family is one grant; its head (generation, hash of the
 * token that is valid now, hash of the one before, when and with which secret it was derived) rests
 * on the grant's row, which is locked first. oas_refresh_tokens keeps one row for each token that
 * there ever was in the family, until the family's absolute end and a margin. A token is
 * base64url(grant_id || secret); only the secret's SHA-256 rests.
 */
#ifndef OAS_STORE_REFRESH_H
#define OAS_STORE_REFRESH_H

#include "grant.h"

#define OAS_SECRET_ID_LEN 8 /* bytes of oas_secret_t.id */

/** What the presented token becomes under one of the server's secrets. */
typedef struct {
    unsigned char secret_id[OAS_SECRET_ID_LEN]; /**< oas_secret_t.id */
    unsigned char token_hash[OAS_SHA256_LEN];   /**< SHA-256 of the child's secret half */
} oas_refresh_child_t;

typedef struct {
    unsigned char grant_id[OAS_ID_LEN];
    unsigned char token_hash[OAS_SHA256_LEN]; /**< of the presented token's secret half */
    const char *client_id;
    const oas_refresh_child_t *children; /**< one for each secret; the first is the one to make */
    int children_count;                  /**< 1 to 8 */
    const char *scope;    /**< as sent, space-delimited: has to be part of the grant's; NULL: all */
    const char *resource; /**< as sent: has to be the grant's; "": it must have none; NULL: any */
    /** What the client may have by now: a JSON object, an array of scopes by resource, "" for those
     * of all resources and of none. */
    const char *allowed;
    const char *cnf;            /**< x5t#S256 of the sender's certificate, or NULL */
    int rotate;                 /**< 0: the presented token stays valid (OAuth2ASRotation off) */
    apr_interval_time_t window; /**< 0, a duration, or OAS_WINDOW_UNTIL_USED */
    apr_interval_time_t idle;   /**< longest time since the last use */
    int recheck;                /**< 1: ask oas_subject_recheck() of the schema */
    /** With recheck: a person who signs in in several ways is asked about by the name that the
     * first of these knows; when none does, by that of the last login. */
    const oas_words_t *providers;
    unsigned char attempt[OAS_ID_LEN]; /**< random, one per request: knows its own commit again */
} oas_refresh_t;

typedef enum {
    OAS_REFRESH_ROTATED,  /**< children[key] is the family's new head */
    OAS_REFRESH_REPEATED, /**< inside the window: children[key] is the head that was made before */
    OAS_REFRESH_KEPT,     /**< not rotating: the presented token stays */
    OAS_REFRESH_UNKNOWN,  /**< no such token */
    OAS_REFRESH_FOREIGN,  /**< another client's: nothing changed */
    OAS_REFRESH_SENDER,   /**< bound to another certificate: nothing changed */
    OAS_REFRESH_SCOPE,    /**< wider than the grant: nothing changed */
    OAS_REFRESH_RESOURCE, /**< the grant is for another API: nothing changed */
    OAS_REFRESH_RESOURCE_GONE, /**< the grant's API is not in `allowed`: nothing changed */
    OAS_REFRESH_SCOPE_GONE,    /**< nor is any of the scopes: nothing changed */
    OAS_REFRESH_EXPIRED,       /**< the family's absolute end has come */
    OAS_REFRESH_IDLE,          /**< not used for too long */
    OAS_REFRESH_REVOKED,       /**< the family was revoked before */
    OAS_REFRESH_REUSED,        /**< an ancestor, outside the window: the family is revoked now */
    OAS_REFRESH_BLOCKED,       /**< the subject is locked or gone: the family is revoked now */
    OAS_REFRESH_ELSEWHERE /**< inside the window, but the head was derived with a secret that is not
                             among `children`: another node can answer; nothing changed */
} oas_refresh_outcome_t;

typedef struct {
    oas_refresh_outcome_t outcome;
    int key;            /**< ROTATED, REPEATED: index into children */
    int generation;     /**< of the presented token, from 1; 0 when unknown */
    apr_int64_t age;    /**< REPEATED, REUSED: seconds since the presented token was replaced */
    const char *sub;    /**< for the audit log, when the grant is known; may be NULL */
    const char *reason; /**< why it had been revoked before (REVOKED, BLOCKED), or NULL */
} oas_refresh_result_t;

/**
 * Uses a refresh token, in one statement. ROTATED, REPEATED and KEPT fill *grant (scopes: all of
 * the grant's; nonce NULL). Safe to repeat with the same attempt: it finds its own commit, whatever
 * the window is.
 */
apr_status_t oas_store_refresh(oas_db_t *db, const oas_refresh_t *in, oas_refresh_result_t *result,
                               oas_grant_t *grant, apr_pool_t *pool);

/**
 * Reads what a presented refresh token stands for, without using it (introspection; who to ask
 * about before a refresh). Only the family's valid token counts.
 * @param providers as oas_refresh_t has them; NULL: *provider and *name will be NULL
 * @param provider, name by which the subject is asked about; either may be NULL when not wanted
 * @return APR_ENOENT: unknown, replaced, expired, idle for too long or revoked
 */
apr_status_t oas_store_refresh_load(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                    const unsigned char token_hash[OAS_SHA256_LEN],
                                    apr_interval_time_t idle, const oas_words_t *providers,
                                    oas_grant_t *grant, const char **provider, const char **name,
                                    apr_pool_t *pool);

/**
 * Ends the family of a refresh token that was ever part of it (RFC 7009 section 2.1).
 * @param consent 1: withdraws the consent too, which ends all the client's grants of that subject
 * @return APR_ENOENT: no such token of this client, or revoked before
 */
apr_status_t oas_store_refresh_revoke(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                      const unsigned char token_hash[OAS_SHA256_LEN],
                                      const char *client_id, int consent, apr_pool_t *pool);

#endif
