/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file certificate.h
 * The certificate of the client's TLS connection (RFC 8705): authentication by it, and tokens that
 * are bound to it.
 */
#ifndef OAS_CHECK_CERTIFICATE_H
#define OAS_CHECK_CERTIFICATE_H

#include "../base/tx.h"

/**
 * Refuses the request unless its certificate is one of tx->client (RFC 8705 sections 2.1, 2.2):
 * for OAS_AUTH_TLS verified by a CA that the server trusts, with the registered subject (all
 * attributes in order; case and repeated blanks do not count, RFC 4518) or DNS name; for
 * OAS_AUTH_SELF_SIGNED_TLS valid now, with a key that is one of the client's keys.
 */
oas_outcome_t oas_check_certificate(oas_tx_t *tx, unsigned method);

/**
 * Sets tx->cnf for a client whose tokens are bound to its certificate; without one a request at the
 * token endpoint is refused (RFC 8705 section 3).
 */
oas_outcome_t oas_bind_certificate(oas_tx_t *tx);

/** x5t#S256 of the request's certificate in tx->pool, or NULL when it has none. */
const char *oas_certificate_thumbprint(const oas_tx_t *tx);

/** 1 when `text` is a distinguished name (RFC 4514) with which a subject can be compared. */
int oas_certificate_subject_valid(const char *text, apr_pool_t *pool);

#endif
