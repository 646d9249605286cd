/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file metrics_text.h
 * The lines of /oauth2as/metrics: Prometheus' text format 0.0.4, or OpenMetrics 1.0.
 */
#ifndef OAS_ENDPOINT_METRICS_TEXT_H
#define OAS_ENDPOINT_METRICS_TEXT_H

#include "metrics.h"

typedef struct oas_metrics_text oas_metrics_text_t;

/** An empty text. @param open 1: OpenMetrics */
oas_metrics_text_t *oas_metrics_text_create(int open, apr_pool_t *pool);

/** Writes into the oas_metrics_text_t that is its baton. */
extern const oas_metrics_writer_t oas_metrics_text_writer;

/** The whole text. */
const char *oas_metrics_text_end(oas_metrics_text_t *text);

/** Its media type. */
const char *oas_metrics_text_type(int open);

#endif
