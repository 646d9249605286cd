/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file metadata.h
 * What is said of an issuer in public: metadata (RFC 8414, OIDC Discovery) and JWK Set.
 */
#ifndef OAS_ENDPOINT_METADATA_H
#define OAS_ENDPOINT_METADATA_H

#include "../base/model.h"

/**
 * Makes metadata_json, its ETag and the document of the configured keys once everything else of
 * the issuer is set. Called at start-up; the texts live in `pool`. APR_EGENERAL when JSON cannot be
 * written.
 */
apr_status_t oas_issuer_finish(oas_issuer_t *issuer, apr_pool_t *pool);

#endif
