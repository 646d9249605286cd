/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file clock.h
 * How long something takes. What lasts until a time of day is apr_time_now()'s.
 */
#ifndef OAS_BASE_CLOCK_H
#define OAS_BASE_CLOCK_H

#include <apr_time.h>

/** Microseconds of a clock that nobody sets; all processes of a machine have the same one. */
apr_time_t oas_clock(void);

#endif
