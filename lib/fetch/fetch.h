/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fetch.h
 * Outgoing HTTP: one GET of a small JSON document from a URL that a client registered. Forms are
 * posted by post.h; there is no other outgoing HTTP.
 *
 * https only (http for a loopback host when the issuer is a loopback http one itself); no redirect
 * is followed, no proxy, cookie or netrc of the environment is used; the address that is connected
 * to must be public (address.h) or allowed, whatever name it came from; size and time are bounded.
 * Never to be called while a database connection is held.
 */
#ifndef OAS_FETCH_FETCH_H
#define OAS_FETCH_FETCH_H

#include "../base/json.h"
#include "../base/model.h"

#define OAS_FETCH_MAX     65536                    /**< bytes of a document */
#define OAS_FETCH_TIME    apr_time_from_sec(3)     /**< name, connection, TLS and answer together */
#define OAS_FETCH_CONNECT apr_time_from_msec(2000) /**< name, connection and TLS */

/** Makes libcurl ready; once, before there are threads. What it holds is given back with `pool`. */
apr_status_t oas_fetch_init(apr_pool_t *pool);

/**
 * Fetches and parses a JSON document. The answer must be 200; its content type is not looked at.
 * @param issuer whose OAuth2ASOutboundAllow counts
 * @param why in words, without input, when it failed
 * @return APR_EINVAL: the URL is none that may be fetched, or what came is no JSON object;
 *         APR_EACCES: the address is not allowed; APR_ENOSPC: more than OAS_FETCH_MAX bytes;
 *         APR_TIMEUP; APR_EGENERAL: everything else
 */
apr_status_t oas_fetch_json(json_t **out, const char *url, const oas_issuer_t *issuer,
                            const char **why, apr_pool_t *pool);

#endif
