/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include "../base/audit.h"
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

void oas_audit_log_write(oas_tx_t *tx, const char *line)
{
    request_rec *r = tx->host_baton;
    const struct oas_audit_log *audit = oas_server_config(r->server)->audit;
    apr_status_t rv;

    if (audit == NULL) {
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, OAS_TAG(00381) ": %s", line);
        return;
    }
    rv = write_whole(audit->fd, apr_pstrcat(tx->pool, line, "\n", NULL), strlen(line) + 1);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r,
                      OAS_TAG(00382) ": the audit log cannot be written; this belongs there: %s",
                      line);
    }
}
