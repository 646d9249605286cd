/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file leaving.h
 * Whether this node is about to go, so that balancers may send requests elsewhere.
 */
#ifndef OAS_HTTPD_LEAVING_H
#define OAS_HTTPD_LEAVING_H

#include "../base/tx.h"

/** NULL, or why: httpd is stopping, or OAuth2ASDrainFile exists. */
const char *oas_leaving(oas_tx_t *tx);

/** 1 when httpd is stopping or the OAuth2ASDrainFile of some virtual host exists. */
int oas_leaving_any(oas_tx_t *tx);

#endif
