/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signin.h
 * What all ways to sign in share: whoever a provider or a login option vouches for becomes a
 * subject with claims, and, when no further step of the login is left, a session.
 */
#ifndef OAS_LOGIN_SIGNIN_H
#define OAS_LOGIN_SIGNIN_H

#include "../base/audit.h"
#include "../base/metrics.h"
#include "../base/tx.h"
#include "../store/throttle.h"

typedef enum {
    OAS_LOGIN_DONE,
    OAS_LOGIN_STEP,        /**< tx->login waits for one of its steps (steps.h) */
    OAS_LOGIN_WRONG,       /**< user name or password; nobody learns which */
    OAS_LOGIN_THROTTLED,   /**< tx->retry_after says how long */
    OAS_LOGIN_UNAVAILABLE, /**< no provider could tell */
    OAS_LOGIN_BUSY,        /**< too many are signing in at once */
    OAS_LOGIN_FAILED       /**< tx->error is set */
} oas_login_result_t;

/** Somebody who has shown who they are, as the store wants it. */
typedef struct oas_login {
    const char *sub, *provider;
    const char *name;    /**< as the provider has it, by which it can be asked again */
    const char *display; /**< what the user is called on pages */
    const char *claims;  /**< JSON object */
    const char *proof;   /**< as oas_identity_t has it */
    const char *amr;     /**< space-delimited (RFC 8176), perhaps "" */
    const char *acr;     /**< or NULL */
    const char *option;  /**< id of the login option, or NULL */
    /** When the user authenticated, in seconds since 1970: OAS_AUTH_NOW, or 0 when nobody knows. */
    apr_int64_t auth_time;
    int fresh; /**< 1: they did so for this request, as prompt=login and max_age ask for */
    /** What was counted beforehand, to be given back; with `counted` only. */
    oas_throttle_attempt_t attempt;
    int counted;
    unsigned char account[OAS_SHA256_LEN]; /**< the name that was typed (known.h); likewise */
    int step;                              /**< index of the step that is next (steps.h) */
    /** The session that this login opens: one, however often the form of a step is sent; chosen
     * when it leaves in that form for the first time, with `once` from then on. */
    unsigned char session_id[OAS_ID_LEN];
    int once;
    json_t *page; /**< members of the page that this step shows */
} oas_login_t;

/**
 * Subject, claims, amr and acr of an identity.
 * @param option that it came by; NULL: none is configured for it
 * @return OAS_FAILED with tx->error set when subject or claims cannot be made
 */
oas_outcome_t oas_login_describe(oas_tx_t *tx, const oas_identity_t *identity,
                                 const oas_login_option_t *option, oas_login_t *out);

/** Opens the session of a login with no step left: tx->session, its cookie, tx->login_time. One
 * with `once` whose session was opened before is refused as a stale form, and gives nothing back.
 */
oas_login_result_t oas_login_open(oas_tx_t *tx, const oas_login_t *login);

/** Writes the login to the audit log, once its session or grant is in tx. */
void oas_login_audit(oas_tx_t *tx, const oas_login_t *login);

/** Writes (and counts) one that came to nothing; `option` may be NULL. */
void oas_login_audit_failure(oas_tx_t *tx, oas_metric_login_t outcome, const char *option);

/** The user name or password was wrong: says so in the logs. */
oas_login_result_t oas_login_wrong(oas_tx_t *tx);

/** The store says that the password was changed, or the user locked, while it was checked, or that
 * a built-in user who is the same person is locked: notes that the login has failed, and answers as
 * for a wrong password, as which its attempt stays counted. */
oas_login_result_t oas_login_overtaken(oas_tx_t *tx, const oas_login_t *login);

/** Refuses with what any result but OAS_LOGIN_DONE and OAS_LOGIN_STEP means on the wire. */
oas_outcome_t oas_login_refuse(oas_tx_t *tx, oas_login_result_t result);

#endif
