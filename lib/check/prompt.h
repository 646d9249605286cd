/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file prompt.h
 * Steps: what the client wishes to be asked again (OIDC Core section 3.1.2.1).
 */
#ifndef OAS_CHECK_PROMPT_H
#define OAS_CHECK_PROMPT_H

#include "../base/tx.h"

/** prompt: none alone, or login and consent. */
oas_outcome_t oas_check_prompt(oas_tx_t *tx);

/** max_age: seconds, at most nine digits. */
oas_outcome_t oas_check_max_age(oas_tx_t *tx);

#endif
