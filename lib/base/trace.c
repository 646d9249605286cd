/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <string.h>
#include <apr_strings.h>

static const char hex[] = "0123456789abcdef";

#define VERSION_LEN 2
#define FLAGS_LEN   2
#define TRACE_AT    (VERSION_LEN + 1)
#define SPAN_AT     (TRACE_AT + OAS_TRACE_ID_LEN + 1)
#define FLAGS_AT    (SPAN_AT + OAS_SPAN_ID_LEN + 1)
#define ALL_LEN     (FLAGS_AT + FLAGS_LEN)

/* 1 when exactly `len` lower-case hex digits stand there, and `end` (or the end) behind them. */
static int is_field(const char *text, apr_size_t len, char end)
{
    return strspn(text, hex) == len && text[len] == end;
}

static int is_zero(const char *text, apr_size_t len)
{
    return strspn(text, "0") >= len;
}

/* An id is all of these digits, and not 0 (sections 3.2.2.3 and 3.2.2.4). */
static int is_id(const char *text, apr_size_t len)
{
    return is_field(text, len, '-') && !is_zero(text, len);
}

/* What follows the flags: nothing in version 00, whatever begins with '-' in later ones. */
static int is_end(const char *header, const char *rest)
{
    return *rest == '\0' || (*rest == '-' && strncmp(header, "00", VERSION_LEN) != 0);
}

/* A header of at least ALL_LEN characters. */
static int is_sound(const char *header)
{
    return is_field(header, VERSION_LEN, '-') && strncmp(header, "ff", VERSION_LEN) != 0 &&
           is_id(header + TRACE_AT, OAS_TRACE_ID_LEN) && is_id(header + SPAN_AT, OAS_SPAN_ID_LEN) &&
           strspn(header + FLAGS_AT, hex) == FLAGS_LEN && is_end(header, header + ALL_LEN);
}

/* The lowest bit of the flags, which are hex digits: the only one whose meaning is known. */
static int is_sampled(const char *header)
{
    const char *digit = strchr(hex, header[FLAGS_AT + FLAGS_LEN - 1]);

    return (digit - hex) % 2 == 1;
}

const oas_trace_t *oas_trace_read(const char *header, apr_pool_t *pool)
{
    oas_trace_t *trace;

    if (header == NULL || strlen(header) < ALL_LEN || !is_sound(header)) {
        return NULL;
    }
    trace = apr_palloc(pool, sizeof(*trace));
    apr_cpystrn(trace->trace_id, header + TRACE_AT, sizeof(trace->trace_id));
    apr_cpystrn(trace->span_id, header + SPAN_AT, sizeof(trace->span_id));
    trace->trace_flags = is_sampled(header) ? "01" : "00";
    return trace;
}
