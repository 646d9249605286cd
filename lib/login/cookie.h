/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cookie.h
 * The cookie of an issuer: "BINDING" before a login, "BINDING.HANDLE" after it. The binding
 * ties forms to this browser and outlives logins, so that two tabs do not disturb each other; the
 * handle is base64url(session_id || secret) and changes at each login.
 *
 * A second one with the same value is sent by browsers from frames in pages of other sites too
 * (SameSite=None). It exists only where some client uses web_message, and only for a session; the
 * silent request of such a frame is all that it is read for.
 */
#ifndef OAS_LOGIN_COOKIE_H
#define OAS_LOGIN_COOKIE_H

#include "../base/tx.h"

/** The value of a cookie in a Cookie header (may be NULL), or NULL. */
const char *oas_cookie_value(const char *header, const char *name, apr_pool_t *pool);

/** Reads tx->browser and tx->session_handle from the Cookie header; what is malformed is ignored.
 */
void oas_cookie_read(oas_tx_t *tx);

/** Reads them from the second cookie, when the first gave no session. For a request with
 * prompt=none and web_message only. */
void oas_cookie_read_framed(oas_tx_t *tx);

/** Gives a browser whose session (tx->session) is alive the second cookie too, when it has none or
 * an older one: web_message may have come into use after its login. */
void oas_cookie_keep_framed(oas_tx_t *tx);

/** Makes sure that tx->browser is set, with a new random one if need be (and tx->set_cookie). */
apr_status_t oas_cookie_bind(oas_tx_t *tx);

/**
 * Sets a new session handle from its two halves, and tx->set_cookie.
 * @param keep how long the browser keeps it, closed or not: what is left of the session at most; 0:
 * until it is closed
 */
void oas_cookie_set_session(oas_tx_t *tx, const unsigned char id[OAS_ID_LEN],
                            const unsigned char secret[OAS_SECRET_LEN], apr_interval_time_t keep);

/** Takes the session out of both cookies. The binding stays: what is open in another tab of this
 * browser is told from what somebody forged. */
void oas_cookie_end_session(oas_tx_t *tx);

/** Splits the session handle. APR_ENOENT when there is none. */
apr_status_t oas_cookie_session(const oas_tx_t *tx, unsigned char id[OAS_ID_LEN],
                                unsigned char secret_hash[OAS_SHA256_LEN]);

/** The public id (sid) of the session in the cookie, unverified, or "". */
const char *oas_cookie_sid(const oas_tx_t *tx);

#endif
