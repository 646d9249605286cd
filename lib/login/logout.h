/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file logout.h
 * The end of a browser's session.
 */
#ifndef OAS_LOGIN_LOGOUT_H
#define OAS_LOGIN_LOGOUT_H

#include "../base/tx.h"

/**
 * Step: ends tx->session, if there is one, with its grants that have no refresh token, and takes it
 * out of the browser's cookies. The same statement queues a logout for each client that took part
 * and wants to know (store/logout.h); they are named in tx->ending->told too.
 */
oas_outcome_t oas_issue_logout(oas_tx_t *tx);

#endif
