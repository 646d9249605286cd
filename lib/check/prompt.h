/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file prompt.h
 * Steps: what the client wishes to be asked again (OIDC Core section 3.1.2.1).
 */
#ifndef OAS_CHECK_PROMPT_H
#define OAS_CHECK_PROMPT_H

#include "../base/tx.h"

/** prompt: none alone, or any of login, consent, select_account and create (OpenID Initiating User
 * Registration section 4); what asks for an account and for silence at once is told so. */
oas_outcome_t oas_check_prompt(oas_tx_t *tx);

/** max_age: seconds, any number of digits. */
oas_outcome_t oas_check_max_age(oas_tx_t *tx);

/**
 * id_token_hint: an ID token that we signed, expired or not, names the user whom the client expects
 * (OIDC Core sections 3.1.2.1, 3.1.2.2), as the application that it was for is told of them
 * (base/subject.h). Sets tx->hinted_sub and tx->hinted_client; what is no such token, or was for an
 * application that is none any more, names nobody (""), so no session satisfies it. Fails only
 * while the database is away.
 */
oas_outcome_t oas_load_id_token_hint(oas_tx_t *tx);

#endif
