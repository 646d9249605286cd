/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file certificate.h
 * The TLS client certificate of a request: mod_ssl's, or what a balancer that the configuration
 * names says in a header (RFC 9440).
 */
#ifndef OAS_HTTPD_CERTIFICATE_H
#define OAS_HTTPD_CERTIFICATE_H

#include "request.h"

/** Looks for mod_ssl and how it verifies. In post_config. */
void oas_certificate_find(apr_pool_t *ptemp);

/**
 * Fills certificate and certificate_verified; nothing when there is none. A header that cannot be
 * read is logged and counts as none. Only the leaf is taken, and at most 16 kB. Where some server
 * says `SSLVerifyClient optional_no_ca`, a resumed TLS session verifies no certificate.
 */
void oas_certificate_fill(request_rec *r, oas_request_t *in);

#endif
