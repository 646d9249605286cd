/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trace.h
 * W3C Trace Context: by which trace, and as a child of which span, this request is known to those
 * before us.
 */
#ifndef OAS_BASE_TRACE_H
#define OAS_BASE_TRACE_H

#include <apr_pools.h>

#define OAS_TRACE_ID_LEN 32 /**< lower-case hex digits */
#define OAS_SPAN_ID_LEN  16 /**< as well */

/** Named as in the log data model of OpenTelemetry. */
typedef struct oas_trace {
    char trace_id[OAS_TRACE_ID_LEN + 1];
    char span_id[OAS_SPAN_ID_LEN + 1]; /**< parent-id: the span of whoever asks */
    const char *trace_flags; /**< "01": whoever asks may have recorded it (sampled), "00": not */
} oas_trace_t;

/**
 * Reads a traceparent header (W3C Trace Context section 3.2). Of a version that is not known yet
 * the same is read, as section 3.2.4 wants it, and of its flags only the one that is known.
 * @param header its value, or NULL; several of them, which httpd joins with commas, are none
 * @return in the pool; NULL when there is none or it is not as that section wants it: then it is as
 * if it had not been sent
 */
const oas_trace_t *oas_trace_read(const char *header, apr_pool_t *pool);

#endif
