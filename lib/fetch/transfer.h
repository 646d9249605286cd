/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file transfer.h
 * Between fetch.c and post.c: the rules that each outgoing request keeps.
 */
#ifndef OAS_FETCH_TRANSFER_H
#define OAS_FETCH_TRANSFER_H

#include <curl/curl.h>
#include "../base/model.h"

/** One request and what became of it. */
typedef struct {
    const oas_issuer_t *issuer; /**< whose OAuth2ASOutboundAllow counts */
    apr_pool_t *pool;
    CURL *curl; /**< freed with the pool */
    const char *host;
    int forbidden; /**< an address was refused */
} oas_transfer_t;

/** Takes what comes as body, as CURLOPT_WRITEFUNCTION does. */
typedef size_t (*oas_transfer_take_t)(char *data, size_t unit, size_t count, void *baton);

/**
 * Makes transfer->curl, bound to https (or loopback), one address that is public or allowed, `time`
 * as a whole and OAS_FETCH_CONNECT of it for the connection; without redirects, proxy and netrc.
 * transfer->issuer and ->pool are set before; the transfer itself must live as long as the pool.
 * @param headers "Name: value", ends with NULL
 * @return APR_EINVAL: the URL is none that may be asked; APR_EGENERAL: libcurl; `why` in words
 */
apr_status_t oas_transfer_prepare(oas_transfer_t *transfer, const char *url,
                                  apr_interval_time_t time, const char *const *headers,
                                  const char **why);

/** Says who takes the body. 0: libcurl does not. */
int oas_transfer_give(oas_transfer_t *transfer, oas_transfer_take_t take, void *baton);

/** Why libcurl gave up: APR_TIMEUP, APR_EACCES (the address) or APR_EGENERAL; `why` in words. */
apr_status_t oas_transfer_explain(const oas_transfer_t *transfer, CURLcode code, const char **why);

/** Frees transfer->curl before the pool does. */
void oas_transfer_end(oas_transfer_t *transfer);

#endif
