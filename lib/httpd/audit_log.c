/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include "request.h"

/* users' names and addresses are for the administrators */
#define FILE_MODE (APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD)

struct oas_audit_log {
    int fd;
};

static apr_status_t open_target(apr_file_t **file, const char *text, apr_pool_t *pconf)
{
    piped_log *piped;

    if (text[0] != '|') {
        return apr_file_open(
            file, text, APR_FOPEN_WRITE | APR_FOPEN_APPEND | APR_FOPEN_CREATE | APR_FOPEN_LARGEFILE,
            FILE_MODE, pconf);
    }
    piped = ap_open_piped_log(pconf, text + 1);
    *file = piped != NULL ? ap_piped_log_write_fd(piped) : NULL;
    return *file != NULL ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t open_log(struct oas_audit_log **out, const char *text, apr_pool_t *pconf)
{
    struct oas_audit_log *audit = apr_pcalloc(pconf, sizeof(*audit));
    apr_file_t *file;
    apr_os_file_t fd;
    apr_status_t rv = open_target(&file, text, pconf);

    if (rv == APR_SUCCESS) {
        rv = apr_os_file_get(&fd, file);
    }
    if (rv == APR_SUCCESS) {
        audit->fd = fd;
        *out = audit;
    }
    return rv;
}

int oas_audit_logs_open(apr_pool_t *pconf, server_rec *main_server)
{
    apr_hash_t *opened = apr_hash_make(pconf);
    server_rec *s;

    for (s = main_server; s != NULL; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);
        const char *text = config->audit_log;
        apr_status_t rv = APR_SUCCESS;

        if (config->issuer.url == NULL || text == NULL) {
            continue;
        }
        config->audit = apr_hash_get(opened, text, APR_HASH_KEY_STRING);
        if (config->audit == NULL) {
            rv = open_log(&config->audit, text, pconf);
            apr_hash_set(opened, text, APR_HASH_KEY_STRING, config->audit);
        }
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_EMERG, rv, s,
                         OAS_TAG(00380) ": audit log %s cannot be opened", text);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}

/** One write: the kernel appends it whole (O_APPEND; a pipe up to PIPE_BUF). */
static apr_status_t write_whole(int fd, const char *line, apr_size_t len)
{
    ssize_t written;

    do {
        written = write(fd, line, len);
    } while (written < 0 && errno == EINTR);
    if (written < 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    return (apr_size_t)written == len ? APR_SUCCESS : APR_ENOSPC;
}

/** To the error log: of the request, or of the server where there is none. */
static void log_text(server_rec *s, request_rec *r, int level, apr_status_t rv, const char *text)
{
    if (r != NULL) {
        ap_log_rerror(APLOG_MARK, level, rv, r, "%s", text);
    } else {
        ap_log_error(APLOG_MARK, level, rv, s, "%s", text);
    }
}

static void write_line(server_rec *s, request_rec *r, const char *line, apr_pool_t *pool)
{
    const struct oas_audit_log *audit = oas_server_config(s)->audit;
    apr_status_t rv;

    if (audit == NULL) {
        log_text(s, r, APLOG_NOTICE, 0, apr_pstrcat(pool, OAS_TAG(00381) ": ", line, NULL));
        return;
    }
    rv = write_whole(audit->fd, apr_pstrcat(pool, line, "\n", NULL), strlen(line) + 1);
    if (rv != APR_SUCCESS) {
        log_text(s, r, APLOG_ERR, rv,
                 apr_pstrcat(pool,
                             OAS_TAG(00382) ": the audit log cannot be written; this belongs "
                                            "there: ",
                             line, NULL));
    }
}

void oas_audit_log_write(oas_tx_t *tx, const char *line)
{
    request_rec *r = tx->host_baton;

    write_line(r->server, r, line, tx->pool);
}

static void write_background(oas_tx_t *tx, const char *line)
{
    write_line(tx->host_baton, NULL, line, tx->pool);
}

const oas_host_t *oas_background_host(void)
{
    static const oas_host_t host = {.audit = write_background};

    return &host;
}

void oas_audit_background(server_rec *s, oas_audit_event_t event, const char *reason,
                          const oas_members_t *more, apr_pool_t *pool)
{
    oas_tx_t tx = {.pool = pool,
                   .issuer = &oas_server_config(s)->issuer,
                   .host = oas_background_host(),
                   .host_baton = s};

    oas_audit(&tx, event, reason, more);
}
