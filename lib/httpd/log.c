/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/trace.h"
#include "request.h"

static const int server_levels[] = {
    [OAS_LOG_ERROR] = APLOG_ERR, [OAS_LOG_WARNING] = APLOG_WARNING, [OAS_LOG_NOTICE] = APLOG_NOTICE,
    [OAS_LOG_INFO] = APLOG_INFO, [OAS_LOG_DEBUG] = APLOG_DEBUG,     [OAS_LOG_TRACE] = APLOG_TRACE1,
};

/** The highest level of ours that httpd's level lets through. */
static oas_log_level_t level_of(int server_level)
{
    int level = OAS_LOG_ERROR;

    while (level < OAS_LOG_TRACE && server_levels[level + 1] <= server_level) {
        level++;
    }
    return level;
}

static void write_server(void *baton, oas_log_level_t level, apr_status_t status, const char *text)
{
    ap_log_error(APLOG_MARK, server_levels[level], status, (server_rec *)baton, "%s", text);
}

static void write_request(void *baton, oas_log_level_t level, apr_status_t status, const char *text)
{
    const oas_request_state_t *state = baton;
    const char *ref = strstr(text, state->id) == NULL ? " ref=" : "";

    ap_log_rerror(APLOG_MARK, server_levels[level], status, state->r, "%s%s%s%s", text, ref,
                  *ref != '\0' ? state->id : "", state->trace_text);
}

void oas_log_to_server(oas_log_t *log, server_rec *s)
{
    log->level = level_of(ap_get_server_module_loglevel(s, APLOG_MODULE_INDEX));
    log->write = write_server;
    log->baton = s;
}

/** As OpenTelemetry names the fields in logs. */
static const char *trace_text(const oas_request_state_t *state)
{
    const oas_trace_t *trace = state->trace;

    if (trace == NULL) {
        return "";
    }
    return apr_pstrcat(state->r->pool, " trace_id=", trace->trace_id, " span_id=", trace->span_id,
                       " trace_flags=", trace->trace_flags, NULL);
}

void oas_log_to_request(oas_log_t *log, oas_request_state_t *state)
{
    log->level = level_of(ap_get_request_module_loglevel(state->r, APLOG_MODULE_INDEX));
    log->write = write_request;
    log->baton = state;
    state->trace_text = trace_text(state);
}
