/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file interaction.h
 * The forms of an endpoint that shows pages (tx->endpoint): how they come back, and how they are
 * sent out. tx->client may be NULL: no application takes part.
 */
#ifndef OAS_ENDPOINT_INTERACTION_H
#define OAS_ENDPOINT_INTERACTION_H

#include "../base/tx.h"

/**
 * Step: opens the sealed request of a form or of the step after a login; tx->params is then what it
 * held, and every rule is applied to it anew. A request that was posted from another site without
 * our cookie re-enters as a GET, with which browsers send it (SameSite=Lax).
 */
oas_outcome_t oas_load_interaction(oas_tx_t *tx);

/**
 * The form member of a page: where it posts to and its hidden fields, the sealed request among
 * them. Gives the browser its cookie if need be.
 * @param form new reference; NULL with tx->error set when it cannot be made
 */
json_t *oas_interaction_form(oas_tx_t *tx, oas_form_t step);

/** Sends the browser on to the same request by GET, so that no page is the answer to a password. */
oas_outcome_t oas_interaction_resume(oas_tx_t *tx);

/** Sends the browser to the Location of tx->option, which sends it back to the step after a login.
 */
oas_outcome_t oas_interaction_external(oas_tx_t *tx);

/**
 * oas_interaction_open; for an authentic form of this browser, expired or not, it also sets
 * tx->restart_url: where the same request begins anew, should an error page have to say so. No
 * other form gets one, or a page of ours would lead into a login that somebody else made up.
 */
apr_status_t oas_interaction_reopen(oas_tx_t *tx);

/** Where the same request begins anew for another account (prompt login select_account): without
 * login_hint, id_token_hint and screen_hint, since somebody else may sign in, and another site may
 * be the one to send them there. */
const char *oas_interaction_restart_url(const oas_tx_t *tx);

#endif
