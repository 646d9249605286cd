/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file consent.h
 * Steps of /authorize: the consent page and what comes back from it.
 */
#ifndef OAS_ENDPOINT_CONSENT_H
#define OAS_ENDPOINT_CONSENT_H

#include "../base/tx.h"

/** Takes the decision of a consent form: deny is access_denied, allow sets tx->consent_given. */
oas_outcome_t oas_accept_consent(oas_tx_t *tx);

/** Shows the consent page unless nobody need be asked; never with prompt=none. */
oas_outcome_t oas_require_consent(oas_tx_t *tx);

#endif
