/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file own_password.h
 * A built-in user changes the password: whoever does needs the present one, and is throttled like
 * whoever signs in with it.
 */
#ifndef OAS_LOGIN_OWN_PASSWORD_H
#define OAS_LOGIN_OWN_PASSWORD_H

#include "signin.h"

#define OAS_NEW_PASSWORD_MIN 8 /**< characters, as NIST SP 800-63B section 5.1.1.2 counts them */

typedef enum {
    OAS_NEW_PASSWORD_GOOD,
    OAS_NEW_PASSWORD_MISMATCH, /**< the two are not the same */
    OAS_NEW_PASSWORD_SHORT,
    OAS_NEW_PASSWORD_LONG
} oas_new_password_t;

/** Whether a new password may be one; asked before the present one is looked at. */
oas_new_password_t oas_new_password_check(const char *password, const char *again);

/** 1 when tx->session's user has a password of ours, in whatever way the last login was. */
int oas_own_password_is_ours(const oas_tx_t *tx);

/**
 * Changes the password of tx->session's user. All grants and all other sessions end; this one goes
 * on under a new handle (tx->session, its cookie), so that a copy of its cookie ends as well.
 * @param password checked by oas_new_password_check
 * @return OAS_LOGIN_WRONG when `current` is not the password, or no longer when the change is
 * written; the others as oas_login_verify
 */
oas_login_result_t oas_own_password_change(oas_tx_t *tx, const char *current, const char *password);

#endif
