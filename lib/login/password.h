/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file password.h
 * User names and passwords: throttle, the providers in order, subject; then a session (login page)
 * or tx->login (password grants).
 */
#ifndef OAS_LOGIN_PASSWORD_H
#define OAS_LOGIN_PASSWORD_H

#include "../base/tx.h"
#include "../store/throttle.h"

#define OAS_USERNAME_MAX 256  /**< bytes of a user name; a longer one is simply wrong */
#define OAS_PASSWORD_MAX 1024 /**< bytes of a password, likewise */

typedef enum {
    OAS_LOGIN_DONE,
    OAS_LOGIN_WRONG,       /**< user name or password; nobody learns which */
    OAS_LOGIN_THROTTLED,   /**< tx->retry_after says how long */
    OAS_LOGIN_UNAVAILABLE, /**< no provider could tell */
    OAS_LOGIN_FAILED       /**< tx->error is set */
} oas_login_result_t;

/** Somebody whose password was right, as the store wants it. */
typedef struct oas_login {
    const char *sub, *provider;
    const char *name;    /**< as the provider has it, by which it can be asked again */
    const char *display; /**< what the user is called on pages */
    const char *claims;  /**< JSON object */
    const char *proof;   /**< as oas_identity_t has it */
    const char *amr;
    oas_throttle_attempt_t attempt; /**< what was counted beforehand, to be given back */
} oas_login_t;

/**
 * Checks a user name and password. The attempt is counted before the password is looked at, so that
 * any number of parallel guesses counts in full; whoever uses *out gives the count back.
 * @param provider the only one to ask; NULL: those of OAuth2ASPasswordProvider in order
 * @param out      filled with OAS_LOGIN_DONE
 */
oas_login_result_t oas_login_verify(oas_tx_t *tx, const char *provider, const char *username,
                                    const char *password, oas_login_t *out);

/** The same for a browser: with OAS_LOGIN_DONE, tx->session is a new session and its cookie set. */
oas_login_result_t oas_login_password(oas_tx_t *tx, const char *username, const char *password);

/** Writes the login to the audit log, once its session or grant is in tx. */
void oas_login_audit(oas_tx_t *tx, const oas_login_t *login);

/** The store says that the password was changed, or the user locked, while it was checked: notes
 * that the login has failed like one with a wrong password, as which its attempt stays counted. */
oas_login_result_t oas_login_overtaken(oas_tx_t *tx);

/** Refuses with what any result but OAS_LOGIN_DONE means on the wire. */
oas_outcome_t oas_login_refuse(oas_tx_t *tx, oas_login_result_t result);

/**
 * Step of the password grants: the user name and password are right. With realm, only that provider
 * is asked. Sets tx->login.
 */
oas_outcome_t oas_accept_password(oas_tx_t *tx);

#endif
