/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include "../base/clock.h"
#include "../base/metrics.h"
#include "audit_program.h"
#include "request.h"

/* users' names and addresses are for the administrators */
#define FILE_MODE (APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD)

#define PATIENCE apr_time_from_sec(1)

struct oas_audit_log {
    int fd;
    oas_audit_program_t *program; /* NULL: a file */
    int stuck; /* nobody has read for so long that this process waits no more, until somebody does
                */
};

static apr_status_t open_file(struct oas_audit_log *audit, const char *path, apr_pool_t *pconf)
{
    apr_file_t *file;
    apr_os_file_t fd;
    apr_status_t rv = apr_file_open(
        &file, path, APR_FOPEN_WRITE | APR_FOPEN_APPEND | APR_FOPEN_CREATE | APR_FOPEN_LARGEFILE,
        FILE_MODE, pconf);

    if (rv == APR_SUCCESS) {
        rv = apr_os_file_get(&fd, file);
    }
    if (rv == APR_SUCCESS) {
        audit->fd = fd;
    }
    return rv;
}

static apr_status_t open_log(struct oas_audit_log **out, const char *text, apr_pool_t *pconf)
{
    struct oas_audit_log *audit = apr_pcalloc(pconf, sizeof(*audit));
    apr_status_t rv;

    if (text[0] != '|') {
        rv = open_file(audit, text, pconf);
    } else {
        rv = oas_audit_program_start(&audit->program, text + 1, pconf);
    }
    if (rv == APR_SUCCESS && audit->program != NULL) {
        audit->fd = oas_audit_program_fd(audit->program);
    }
    *out = audit;
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

void oas_audit_logs_child(server_rec *main_server)
{
    server_rec *s;

    for (s = main_server; s != NULL; s = s->next) {
        struct oas_audit_log *audit = oas_server_config(s)->audit;

        if (audit != NULL && audit->program != NULL) {
            oas_audit_program_child(audit->program);
        }
    }
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

/** Waits until there is room in a full pipe. @return 0: there was none in time */
static int wait_for_room(int fd, apr_time_t until)
{
    struct pollfd waited = {.fd = fd, .events = POLLOUT};
    apr_interval_time_t left = until - oas_clock();

    if (left <= 0) {
        return 0;
    }
    poll(&waited, 1, (int)apr_time_as_msec(left) + 1);
    return 1;
}

/** A program that does not read holds up a line for a second, and those after it not at all. */
static apr_status_t write_patiently(struct oas_audit_log *audit, const char *line, apr_size_t len)
{
    apr_status_t rv = write_whole(audit->fd, line, len);
    apr_time_t until;

    if (APR_STATUS_IS_EAGAIN(rv) && !__atomic_load_n(&audit->stuck, __ATOMIC_RELAXED)) {
        until = oas_clock() + PATIENCE;
        while (APR_STATUS_IS_EAGAIN(rv) && wait_for_room(audit->fd, until)) {
            rv = write_whole(audit->fd, line, len);
        }
    }
    if ((rv != APR_SUCCESS) != __atomic_load_n(&audit->stuck, __ATOMIC_RELAXED)) {
        __atomic_store_n(&audit->stuck, rv != APR_SUCCESS, __ATOMIC_RELAXED);
    }
    return rv;
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
    struct oas_audit_log *audit = oas_server_config(s)->audit;
    apr_status_t rv;

    if (audit == NULL) {
        log_text(s, r, APLOG_NOTICE, 0, apr_pstrcat(pool, OAS_TAG(00381) ": ", line, NULL));
        return;
    }
    rv = write_patiently(audit, apr_pstrcat(pool, line, "\n", NULL), strlen(line) + 1);
    if (rv != APR_SUCCESS) {
        oas_count(OAS_M_AUDIT_ELSEWHERE, 0, 0);
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
