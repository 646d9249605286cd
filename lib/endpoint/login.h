/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file login.h
 * Steps of every endpoint that needs to know who is there: the login page and what comes back from
 * it. tx->client may be NULL, tx->redirect_uri too.
 */
#ifndef OAS_ENDPOINT_LOGIN_H
#define OAS_ENDPOINT_LOGIN_H

#include "../login/signin.h"

/** Takes what the login page, or the page of a further step, was answered with: a user name and
 * password, whose form is shown again when they are wrong; or a login option, to which the browser
 * is sent. */
oas_outcome_t oas_accept_login(oas_tx_t *tx);

/** What a login has come to: on with the request, the page of a further step (login/steps.h), or an
 * error. */
oas_outcome_t oas_login_settle(oas_tx_t *tx, oas_login_result_t result);

/** Shows the login page unless somebody is signed in as prompt and max_age ask; never with
 * prompt=none. */
oas_outcome_t oas_require_login(oas_tx_t *tx);

#endif
