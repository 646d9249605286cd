/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file metrics_table.h
 * Private to base/: the label values that no other room owns.
 */
#ifndef OAS_BASE_METRICS_TABLE_H
#define OAS_BASE_METRICS_TABLE_H

#include "metrics.h"

typedef struct {
    const char *const *texts; /**< NULL: another room has them */
    int count;
} oas_label_texts_t;

const oas_label_texts_t *oas_label_texts(oas_label_t label);

#endif
