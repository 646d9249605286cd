/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file password.h
 * Signing in with a user name and password: throttle, the providers in order, subject, session.
 */
#ifndef OAS_LOGIN_PASSWORD_H
#define OAS_LOGIN_PASSWORD_H

#include "../base/tx.h"

#define OAS_USERNAME_MAX 256  /**< bytes of a user name; a longer one is simply wrong */
#define OAS_PASSWORD_MAX 1024 /**< bytes of a password, likewise */

typedef enum {
    OAS_LOGIN_DONE,        /**< tx->session is the new session, the cookie is set */
    OAS_LOGIN_WRONG,       /**< user name or password; nobody learns which */
    OAS_LOGIN_THROTTLED,   /**< tx->retry_after says how long */
    OAS_LOGIN_UNAVAILABLE, /**< no provider could tell */
    OAS_LOGIN_FAILED       /**< tx->error is set */
} oas_login_result_t;

/**
 * Checks a user name and password and opens a session. The attempt is counted before the password
 * is looked at, so that any number of parallel guesses counts in full.
 */
oas_login_result_t oas_login_password(oas_tx_t *tx, const char *username, const char *password);

#endif
