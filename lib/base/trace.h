/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trace.h
 * W3C Trace Context: by which trace this request is known to those before us.
 */
#ifndef OAS_BASE_TRACE_H
#define OAS_BASE_TRACE_H

#include <apr_pools.h>

#define OAS_TRACE_ID_LEN 32 /**< lower-case hex digits */

/**
 * The trace-id of a traceparent header (W3C Trace Context section 3.2), in the pool.
 * @param header its value, or NULL; several of them, which httpd joins with commas, are none
 * @return NULL when there is none or it is not as that section wants it: then it is as if it had
 * not been sent
 */
const char *oas_trace_id(const char *header, apr_pool_t *pool);

#endif
