/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file metrics.h
 * Everything that a node tells its operators: its state, its keys, and what it counts
 * (base/metrics.h). Whoever writes that down has the same list.
 */
#ifndef OAS_ENDPOINT_METRICS_H
#define OAS_ENDPOINT_METRICS_H

#include "../base/metrics.h"
#include "../base/tx.h"

/** A way to write it. */
typedef struct {
    /** A metric begins; its lines follow, if it has any. */
    void (*begin)(void *baton, const oas_metric_t *metric);
    /**
     * One line of it.
     * @param labels names and values in turn, ended by NULL; a value that is NULL is ""
     * @param sample its number; of the values in it nothing is used, they are among the labels
     */
    void (*line)(void *baton, const char *const *labels, const oas_sample_t *sample);
} oas_metrics_writer_t;

/**
 * Tells all of it, asking neither the database nor the disk beyond drain files.
 * @param tx of which only pool, log and host are used
 */
void oas_metrics_tell(oas_tx_t *tx, const oas_metrics_writer_t *writer, void *baton);

#endif
