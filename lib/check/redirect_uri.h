/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file redirect_uri.h
 * The redirect_uri of an authorization request.
 */
#ifndef OAS_CHECK_REDIRECT_URI_H
#define OAS_CHECK_REDIRECT_URI_H

#include "../base/tx.h"

/**
 * Step: redirect_uri is one of the client's, octet by octet; a native client's loopback URI may
 * have any port (RFC 9700 section 4.1.3, RFC 8252 section 7.3). It may be left out only by a client
 * that has exactly one and does not ask for openid (RFC 6749 section 3.1.2.3, OIDC Core 3.1.2.1).
 * Sets tx->redirect_uri and tx->redirect_uri_sent; otherwise a page, never a redirect.
 */
oas_outcome_t oas_check_redirect_uri(oas_tx_t *tx);

#endif
