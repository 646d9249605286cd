/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <string.h>
#include <apr_strings.h>

#define VERSION_LEN 2
#define PARENT_LEN  16
#define FLAGS_LEN   2
#define ALL_LEN     (VERSION_LEN + 1 + OAS_TRACE_ID_LEN + 1 + PARENT_LEN + 1 + FLAGS_LEN)

/* 1 when exactly `len` lower-case hex digits stand there, and `end` (or the end) behind them. */
static int is_field(const char *text, apr_size_t len, char end)
{
    return strspn(text, "0123456789abcdef") == len && text[len] == end;
}

static int is_zero(const char *text, apr_size_t len)
{
    return strspn(text, "0") >= len;
}

/* What follows the flags: nothing in version 00, whatever begins with '-' in later ones. */
static int is_end(const char *header, const char *rest)
{
    return *rest == '\0' || (*rest == '-' && strncmp(header, "00", VERSION_LEN) != 0);
}

const char *oas_trace_id(const char *header, apr_pool_t *pool)
{
    const char *trace, *parent, *flags;

    if (header == NULL || strlen(header) < ALL_LEN || !is_field(header, VERSION_LEN, '-') ||
        strncmp(header, "ff", VERSION_LEN) == 0) {
        return NULL;
    }
    trace = header + VERSION_LEN + 1;
    if (!is_field(trace, OAS_TRACE_ID_LEN, '-') || is_zero(trace, OAS_TRACE_ID_LEN)) {
        return NULL;
    }
    parent = trace + OAS_TRACE_ID_LEN + 1;
    if (!is_field(parent, PARENT_LEN, '-') || is_zero(parent, PARENT_LEN)) {
        return NULL;
    }
    flags = parent + PARENT_LEN + 1;
    if (strspn(flags, "0123456789abcdef") != FLAGS_LEN || !is_end(header, flags + FLAGS_LEN)) {
        return NULL;
    }
    return apr_pstrmemdup(pool, trace, OAS_TRACE_ID_LEN);
}
