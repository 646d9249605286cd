/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file password.h
 * User names and passwords: throttle, the providers in order, subject; then a session (login page)
 * or tx->login (password grants).
 */
#ifndef OAS_LOGIN_PASSWORD_H
#define OAS_LOGIN_PASSWORD_H

#include "signin.h"
#include "ask.h"

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

/** The user name that whoever is signed in (tx->session) typed for it in this browser: what the
 * provider calls them, if they have signed in here by that very name before. NULL: they came by
 * another option, or the provider knows them by a name that is not typed (a DN, a number). */
const char *oas_login_typed_name(const oas_tx_t *tx);

/**
 * Step of the password grants: the user name and password are right. With realm, only that provider
 * is asked. Sets tx->login.
 */
oas_outcome_t oas_accept_password(oas_tx_t *tx);

#endif
