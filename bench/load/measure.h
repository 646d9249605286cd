/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file measure.h
 * Times and the processor time of others.
 */
#ifndef OAS_LOAD_MEASURE_H
#define OAS_LOAD_MEASURE_H

#include <apr_time.h>

#define HISTOGRAM_SIZE (32 * 64)

/** Durations, each counted with an error of 1/64 at most. */
typedef struct {
    apr_uint64_t counts[HISTOGRAM_SIZE];
    apr_uint64_t total;
} histogram_t;

void histogram_add(histogram_t *histogram, apr_uint64_t microseconds);

/** The duration in microseconds that `part` (0 to 1) of all stay within; 0 of none. */
apr_uint64_t histogram_at(const histogram_t *histogram, double part);

/** Microseconds by a clock that nobody sets. */
apr_uint64_t measure_clock(void);

/** User and system time in microseconds that a process and its present children have used; 0 when
 * there is none. */
apr_uint64_t measure_usage(long parent);

#endif
