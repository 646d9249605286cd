/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file audit.h
 * The audit log: what happened to whom, one JSON object a line. A line never contains a secret, a
 * code or a token; grants and sessions are named by their public ids.
 *
 * Members of each line: time (RFC 3339, UTC, by this node's clock), event, issuer, and where known
 * client_id, sub, grant_id, sid, grant_type, scope, resource, address, reason, ref (the reference
 * of error pages and of the error log); further ones by event.
 */
#ifndef OAS_BASE_AUDIT_H
#define OAS_BASE_AUDIT_H

#include "tx.h"

/** Bytes of a line, its end not counted: a pipe takes 4096 (PIPE_BUF of Linux) without mixing them
 * with another process's. Of a longer one scope, resource, reason, issuer and sub are left out, as
 * far as needed, and "shortened" is true. */
#define OAS_AUDIT_MAX 4000

typedef enum {
    OAS_AUDIT_LOGIN,            /**< login: a user signed in */
    OAS_AUDIT_LOGIN_FAILED,     /**< login_failed: reason wrong, refused, unavailable, busy */
    OAS_AUDIT_LOGIN_THROTTLED,  /**< login_throttled: with wait (seconds) */
    OAS_AUDIT_CONSENT,          /**< consent: the user allowed */
    OAS_AUDIT_CONSENT_DENIED,   /**< consent_denied */
    OAS_AUDIT_CODE,             /**< code: a code, or tokens of the front channel, were issued */
    OAS_AUDIT_TOKEN,            /**< token: tokens were issued at the token endpoint */
    OAS_AUDIT_REFRESH,          /**< refresh: with generation and repeated (true: same answer) */
    OAS_AUDIT_REFRESH_REUSE,    /**< refresh_token_reuse: with generation and age (seconds) */
    OAS_AUDIT_CODE_REPLAY,      /**< code_replay: a code was used twice, its grant is revoked */
    OAS_AUDIT_REVOKE,           /**< revoke: reason says which token, or why the server did it */
    OAS_AUDIT_SESSION_ENDED,    /**< session_ended: with ended (a sid) or count */
    OAS_AUDIT_WITHDRAW,         /**< access_withdrawn: a user took an application's access away */
    OAS_AUDIT_PASSWORD_CHANGED, /**< password_changed: by its user */
    OAS_AUDIT_REFUSE,           /**< refuse: a request was refused, at the token, revocation or
                                   introspection endpoint, or elsewhere when it is known who made
                                   it; reason is the detail of the log */
    OAS_AUDIT_LOGOUT,           /**< logout: a user signed out, by an application or the page */
    OAS_AUDIT_KEY, /**< key: a key of the keyring was made or signs, by the schedule; reason says
                      which; with kid and alg */
    OAS_AUDIT_BACKCHANNEL_LOGOUT, /**< backchannel_logout: a client was told that a session has
                                     ended (result delivered), or could not be (failed, reason says
                                     why); with attempts */
    OAS_AUDIT_ADMIN, /**< admin: somebody changed something by oauth2asctl, with action (area and
                        verb), admin (a name of the system) and what it was done to */
    OAS_AUDIT_COUNT
} oas_audit_event_t;

/** The event's name as written. */
const char *oas_audit_name(oas_audit_event_t event);

/**
 * Writes one line through tx->host->audit; nothing where the host has none. What is known is taken
 * from tx: client, grant (else session), request.
 * @param reason in words, fixed text without input; may be NULL
 * @param more further members, or NULL; its members are copied into the line
 */
void oas_audit(oas_tx_t *tx, oas_audit_event_t event, const char *reason,
               const oas_members_t *more);

#endif
