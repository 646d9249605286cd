/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdarg.h>
#include <apr_strings.h>

#define LINE_MAX_LEN 2048

void oas_log(const oas_log_t *log, oas_log_level_t level, const char *tag, apr_status_t status,
             const char *format, ...)
{
    char line[LINE_MAX_LEN];
    char *p;
    va_list args;
    int used;

    if (log == NULL || level > log->level) {
        return;
    }
    used = apr_snprintf(line, sizeof(line), "%s: ", tag);
    va_start(args, format);
    apr_vsnprintf(line + used, sizeof(line) - used, format, args);
    va_end(args);
    for (p = line; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
    log->write(log->baton, level, status, line);
}
