/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file log.h
 * Logging by callback: the library does not know the server it runs in. Every line that an operator
 * may see carries a tag (OAS00123) that occurs once in the sources; test/guard/log-tags checks it.
 */
#ifndef OAS_BASE_LOG_H
#define OAS_BASE_LOG_H

#include <apr_errno.h>
#include <apr_pools.h>

/** Makes the tag of a log line from its five digits: OAS_TAG(00123) is "OAS00123". */
#define OAS_TAG(digits) "OAS" #digits

typedef enum {
    OAS_LOG_ERROR,
    OAS_LOG_WARNING,
    OAS_LOG_NOTICE,
    OAS_LOG_INFO,
    OAS_LOG_DEBUG,
    OAS_LOG_TRACE
} oas_log_level_t;

/** Where log lines go. Lives as long as whoever logs with it; `write` must not keep `text`. */
typedef struct {
    oas_log_level_t level; /**< lines above this level are not formatted at all */
    void (*write)(void *baton, oas_log_level_t level, apr_status_t status, const char *text);
    void *baton;
} oas_log_t;

/**
 * Writes one line "TAG: text" when `level` is wanted. A NULL log swallows it.
 * @param status an APR status to name behind the text, or APR_SUCCESS
 * The line is bounded to 2 kB; bytes below 0x20 are written as '?', so that no input can forge a
 * line.
 */
void oas_log(const oas_log_t *log, oas_log_level_t level, const char *tag, apr_status_t status,
             const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
