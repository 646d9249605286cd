/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file metrics.h
 * The label values that the store owns (base/metrics.h).
 */
#ifndef OAS_STORE_METRICS_H
#define OAS_STORE_METRICS_H

/** Tells the names of statements and troubles. */
void oas_store_metrics_labels(void);

#endif
