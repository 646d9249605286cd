/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file metrics.h
 * The node's counters (base/metrics.h): their memory, and what is counted of each request.
 */
#ifndef OAS_HTTPD_METRICS_H
#define OAS_HTTPD_METRICS_H

#include "../base/tx.h"
#include "server_config.h"

/**
 * Finds or makes the memory that all children share, which outlives graceful restarts so that no
 * counter goes backwards, and names the issuers and login options in it; in post_config. Without
 * it (logged) nothing is counted.
 */
void oas_metrics_prepare(server_rec *main_server);

/** oas_host_t.each_keys: an issuer of several virtual hosts is shown once. */
void oas_metrics_each_keys(oas_tx_t *tx,
                           void (*visit)(void *baton, const char *issuer,
                                         const struct oas_keyset *keys),
                           void *baton);

/** ap_hook_log_transaction: counts a request that was answered here. */
int oas_metrics_request(request_rec *r);

#endif
