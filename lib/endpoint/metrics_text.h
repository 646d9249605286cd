/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file metrics_text.h
 * The lines of /oauth2as/metrics: Prometheus' text format 0.0.4, or OpenMetrics 1.0.
 */
#ifndef OAS_ENDPOINT_METRICS_TEXT_H
#define OAS_ENDPOINT_METRICS_TEXT_H

#include "../base/metrics.h"

typedef struct oas_metrics_text oas_metrics_text_t;

/** An empty text. @param open 1: OpenMetrics */
oas_metrics_text_t *oas_metrics_text_create(int open, apr_pool_t *pool);

/** Adds everything that is counted. */
void oas_metrics_text_counted(oas_metrics_text_t *text);

/** Begins a gauge that is not in the table of base/metrics.h. */
void oas_metrics_text_gauge(oas_metrics_text_t *text, const char *name, const char *help);

/**
 * Adds one line of the gauge that was begun last.
 * @param labels names and values in turn, ended by NULL; values as they are, NULL is ""
 */
void oas_metrics_text_line(oas_metrics_text_t *text, const char *const *labels, apr_int64_t value);

/** The whole text. */
const char *oas_metrics_text_end(oas_metrics_text_t *text);

/** Its media type. */
const char *oas_metrics_text_type(int open);

#endif
