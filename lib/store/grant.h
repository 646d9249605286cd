/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file grant.h
 * Grants and the codes they are made with. A code is base64url(grant_id || secret); only the
 * secret's SHA-256 rests here. Each verb is one statement (law 1).
 */
#ifndef OAS_STORE_GRANT_H
#define OAS_STORE_GRANT_H

#include "db.h"
#include "throttle.h"

typedef enum {
    OAS_CONSENT_SKIP,    /**< configuration says that nobody is asked */
    OAS_CONSENT_REQUIRE, /**< a live consent must cover the scopes */
    OAS_CONSENT_ALLOW    /**< the form said allow: widen the consent, unless withdrawn since */
} oas_consent_mode_t;

typedef struct {
    unsigned char grant_id[OAS_ID_LEN];
    int with_code; /**< 0: only tokens of the front channel (or an ID token); code_hash and what
                        belongs to a code is not looked at */
    int activate;  /**< 1: an access token leaves the front channel, so the grant lives at once */
    unsigned char code_hash[OAS_SHA256_LEN];
    unsigned char session_id[OAS_ID_LEN]; /**< sub, auth_time, amr, acr are taken from its row */
    const char *client_id;
    const char *scope;    /**< space-delimited */
    const char *resource; /**< or NULL */
    const char *redirect_uri;
    int redirect_uri_required;  /**< 1: the token request must repeat it (it was sent) */
    const char *code_challenge; /**< S256 value, or NULL */
    const char *nonce;          /**< or NULL */
    apr_interval_time_t code_lifetime;
    apr_interval_time_t access_lifetime; /**< how long what is issued from it lives */
    oas_consent_mode_t consent;
    apr_int64_t
        form_started; /**< OAS_CONSENT_ALLOW: when the form was made, by the database's clock */
    const char *claims_request; /**< claims parameter as JSON text (OpenID Connect Core section
                                   5.5), or NULL */
    const char *permissions;    /**< with claims_request: what the consent covers or is widened by,
                                   scope and words for claims beyond it; NULL: scope */
    int track; /**< 1: the client wants to hear of the session's end (store/logout.h) */
    int queue; /**< with track: 1: and is told from the queue; 0: by the browser only */
} oas_code_put_t;

typedef enum {
    OAS_CODE_PUT,
    OAS_CODE_SESSION_GONE, /**< the session ended meanwhile */
    OAS_CODE_CONSENT_GONE  /**< the consent was withdrawn, or does not cover the scopes any more */
} oas_code_put_outcome_t;

/**
 * Makes a grant with its code and, with OAS_CONSENT_ALLOW, writes the consent; all or nothing.
 * Repeating it with the same grant_id (and code_hash) is OAS_CODE_PUT again.
 * @param grant filled with OAS_CODE_PUT, the subject's claims included: what ID and access tokens
 * of the front channel are made of; nonce is the one of `in`
 */
apr_status_t oas_store_code_put(oas_db_t *db, const oas_code_put_t *in,
                                oas_code_put_outcome_t *outcome, oas_grant_t *grant,
                                apr_pool_t *pool);

/** The first refresh token of a family, as it is to rest with its grant. */
typedef struct {
    unsigned char token_hash[OAS_SHA256_LEN];
    apr_interval_time_t lifetime; /**< absolute end of the family, from now */
    const char *cnf; /**< thumbprint of the certificate it is bound to (public clients), or NULL */
} oas_refresh_first_t;

typedef struct {
    unsigned char grant_id[OAS_ID_LEN];
    unsigned char code_hash[OAS_SHA256_LEN];
    const char *client_id;
    const char *redirect_uri;          /**< as sent, or NULL */
    const char *code_challenge;        /**< S256 of the verifier sent, or NULL when none was sent */
    const char *resource;              /**< as sent (RFC 8707 section 2.2), or NULL */
    unsigned char attempt[OAS_ID_LEN]; /**< random, one per request: knows its own commit again */
    /** The refresh token to store when the grant has the scope offline_access; NULL: there will be
     * none, and offline_access is taken out of the grant's scope. */
    const oas_refresh_first_t *refresh;
    apr_interval_time_t access_lifetime; /**< of what is issued now */
} oas_code_redeem_t;

typedef enum {
    OAS_REDEEM_DONE,         /**< this attempt won; *grant is filled */
    OAS_REDEEM_UNKNOWN,      /**< no such code */
    OAS_REDEEM_FOREIGN,      /**< another client's: nothing changed */
    OAS_REDEEM_REDIRECT_URI, /**< differs: nothing changed */
    OAS_REDEEM_REDIRECT_URI_MISSING,
    OAS_REDEEM_VERIFIER, /**< wrong, or sent though there was no challenge: nothing changed */
    OAS_REDEEM_VERIFIER_MISSING,
    OAS_REDEEM_RESOURCE, /**< the grant is for another API: nothing changed */
    OAS_REDEEM_EXPIRED,
    OAS_REDEEM_REPLAYED, /**< used before: the grant is revoked now */
    OAS_REDEEM_REVOKED
} oas_redeem_outcome_t;

/**
 * Redeems a code: marks it used, activates the grant, stores the family's first refresh token and
 * returns the grant with the subject's claims; grant->offline says whether the token was stored.
 * redirect_uri must be there when it was required and no challenge protects the code (OAuth 2.1).
 * Of a grant whose code is refused, though it is the right one or was, only grant_id and sub are
 * filled, for the audit log. Safe to repeat with the same attempt.
 */
apr_status_t oas_store_code_redeem(oas_db_t *db, const oas_code_redeem_t *in,
                                   oas_redeem_outcome_t *outcome, oas_grant_t *grant,
                                   apr_pool_t *pool);

/** Somebody's password was right (grant_type=password): there is a subject, but no session. */
typedef struct {
    unsigned char grant_id[OAS_ID_LEN]; /**< fresh random; knows its own commit again */
    const char *client_id;
    const char *scope;    /**< space-delimited */
    const char *resource; /**< or NULL */
    const char *sub, *provider, *name;
    const char *proof;                   /**< as oas_identity_t has it, or NULL */
    const char *claims;                  /**< JSON object: claims evaluated at this login */
    const char *amr;                     /**< or NULL */
    const oas_refresh_first_t *refresh;  /**< as at oas_code_redeem_t */
    apr_interval_time_t access_lifetime; /**< of what is issued now */
    const oas_throttle_attempt_t *attempt; /**< as at oas_session_new_t (session.h) */
} oas_password_grant_t;

/** Stores the subject with its claims and makes a live grant; auth_time is now. Safe to repeat.
 * APR_ENOENT: as oas_store_session_open. */
apr_status_t oas_store_password_grant(oas_db_t *db, const oas_password_grant_t *in,
                                      oas_grant_t *grant, apr_pool_t *pool);

/** A live (activated, not revoked) grant with the subject's claims; APR_ENOENT otherwise. */
apr_status_t oas_store_grant_load(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                  oas_grant_t *grant, apr_pool_t *pool);

/**
 * Revokes a grant.
 * @param expires end of the token in whose name it is done, seconds since 1970: past it nothing is
 *        revoked; 0: in no token's name
 * @return APR_ENOENT when there is none, it was revoked before, or the token has expired
 */
apr_status_t oas_store_grant_revoke(oas_db_t *db, const unsigned char grant_id[OAS_ID_LEN],
                                    const char *reason, apr_int64_t expires, apr_pool_t *pool);

#endif
