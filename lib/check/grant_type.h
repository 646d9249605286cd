/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file grant_type.h
 * Which grant a token request asks for, and whether this client may have it.
 */
#ifndef OAS_CHECK_GRANT_TYPE_H
#define OAS_CHECK_GRANT_TYPE_H

#include "../base/tx.h"

/**
 * Step: grant_type is one of the token endpoint's that the client is registered for (RFC 6749
 * sections 4 and 5.2). client_credentials is for clients that authenticate themselves (section
 * 4.4), the password grants moreover only for the operator's own (section 4.3; profile oauth21 has
 * none, RFC 9700 section 2.4). Sets tx->mask.
 */
oas_outcome_t oas_check_grant_type(oas_tx_t *tx);

#endif
