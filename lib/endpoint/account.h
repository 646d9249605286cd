/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file account.h
 * The account page: where somebody is signed in, which applications have access, the password.
 * Whoever is not signed in gets the login page first; tx->client is NULL throughout.
 */
#ifndef OAS_ENDPOINT_ACCOUNT_H
#define OAS_ENDPOINT_ACCOUNT_H

#include "../base/tx.h"

/**
 * Step: does what a button of the page asks for, in a form that is bound to this session. What was
 * done is answered by a redirect to the page, so that reloading does nothing twice.
 */
oas_outcome_t oas_accept_account(oas_tx_t *tx);

/** Step: the page; behind a login, the way to it. */
oas_outcome_t oas_respond_account(oas_tx_t *tx);

/**
 * The page.
 * @param done  what has just been done, a member of `notice` (templates/README.md), or NULL
 * @param error what was not done, and why: a member of `error`, or NULL
 */
oas_outcome_t oas_account_page(oas_tx_t *tx, const char *done, const char *error);

/** Sends the browser to the page, which will say what was done (as above). */
oas_outcome_t oas_account_done(oas_tx_t *tx, const char *done);

/** What the request says that was done, when that is true; else NULL. */
const char *oas_account_notice(const oas_tx_t *tx);

#endif
