/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file endpoint.h
 * The endpoints: names, default paths, how their errors leave, and the door into them.
 */
#ifndef OAS_ENDPOINT_ENDPOINT_H
#define OAS_ENDPOINT_ENDPOINT_H

#include "../base/tx.h"

/** The name in OAuth2ASEndpoint: "authorize", "token", ... */
const char *oas_endpoint_name(oas_endpoint_id_t id);

/** The default path, relative to the issuer's: "/oauth/token", ... */
const char *oas_endpoint_default_path(oas_endpoint_id_t id);

/** 1 for endpoints that programs call: their errors are JSON, never HTML. */
int oas_endpoint_is_api(oas_endpoint_id_t id);

/** Handles one request: tx->endpoint and everything httpd/ sets must be there; fills tx->reply. */
void oas_endpoint_run(oas_tx_t *tx);

/** Handles one request to the Location of a login option: whom httpd has authenticated there is
 * signed in, and sent on to the endpoint that the login is for. */
void oas_external_run(oas_tx_t *tx);

/**
 * The pages in the place of httpd's own at such a Location, with a way back to the login that the
 * browser began: it is asked for credentials and shows the page when it has none to give; who it
 * is, or what it showed, was refused; what protects the Location has failed. httpd's status stays.
 */
void oas_external_challenged(oas_tx_t *tx);
void oas_external_refused(oas_tx_t *tx);
void oas_external_unavailable(oas_tx_t *tx);

#endif
