/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file login.h
 * Steps of every endpoint that needs to know who is there: the login page and what comes back from
 * it. tx->client may be NULL, tx->redirect_uri too.
 */
#ifndef OAS_ENDPOINT_LOGIN_H
#define OAS_ENDPOINT_LOGIN_H

#include "../base/tx.h"

/** Checks the user name and password of a login form; shows the form again when they are wrong. */
oas_outcome_t oas_accept_login(oas_tx_t *tx);

/** Shows the login page unless somebody is signed in as prompt and max_age ask; never with
 * prompt=none. */
oas_outcome_t oas_require_login(oas_tx_t *tx);

#endif
