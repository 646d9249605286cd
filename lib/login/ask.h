/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ask.h
 * Asking the password providers: in their order, and so that the time it takes tells nothing.
 */
#ifndef OAS_LOGIN_ASK_H
#define OAS_LOGIN_ASK_H

#include "../base/tx.h"

#define OAS_USERNAME_MAX 256  /**< bytes of a user name; a longer one is simply wrong */
#define OAS_PASSWORD_MAX 1024 /**< bytes of a password, likewise */

/**
 * Asks the providers of OAuth2ASPasswordProvider in their order; only one that does not know the
 * user hands on to the next. A failure is held back until it has taken as long as all failures do
 * (pace.h). No database connection may be held: a directory may take long, or hang.
 * @param only     the one to ask; NULL: all
 * @param identity filled when granted
 */
oas_password_result_t oas_ask_providers(oas_tx_t *tx, const char *only, const char *username,
                                        const char *password, oas_identity_t *identity);

#endif
