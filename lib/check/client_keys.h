/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client_keys.h
 * The public keys of a client: registered with it, or behind its jwks_uri.
 */
#ifndef OAS_CHECK_CLIENT_KEYS_H
#define OAS_CHECK_CLIENT_KEYS_H

#include "../base/tx.h"
#include "../jose/jwks.h"

/**
 * The keys of tx->client. May fetch them; the database connection is given back before.
 * @param lacking NULL, or the set that an earlier call gave and that had not the key looked for
 * @param out NULL when the client has none, or none but `lacking`
 * @return OAS_FAILED: they cannot be had at the moment (503: it is not the client's fault)
 */
oas_outcome_t oas_client_keys(oas_tx_t *tx, const oas_jwks_t *lacking, const oas_jwks_t **out);

#endif
