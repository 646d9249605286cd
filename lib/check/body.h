/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file body.h
 * Step: parameters of the token and revocation endpoints, which profile auth0 also takes as JSON.
 */
#ifndef OAS_CHECK_BODY_H
#define OAS_CHECK_BODY_H

#include "../base/tx.h"

/**
 * As load_form (params.h); in profile auth0 a body of type application/json counts as well: an
 * object whose members are the parameters. Numbers and booleans are taken as their text, null is
 * absent; an array or object as the value of a parameter that we read, a name that occurs twice and
 * anything else that is no well-formed object are refused. Profile oauth21 takes forms only (415).
 */
oas_outcome_t oas_load_body(oas_tx_t *tx);

#endif
