/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file audit_log.h
 * OAuth2ASAuditLog: a file, a program that reads, or the error log.
 */
#ifndef OAS_HTTPD_AUDIT_LOG_H
#define OAS_HTTPD_AUDIT_LOG_H

#include "../base/audit.h"
#include "server_config.h"

/**
 * Opens the audit logs of all servers, each once however many servers write to it. To be called
 * while still root, once for each generation of children: with `pconf` they are closed again, so
 * that a graceful restart opens a file that was moved away, and starts programs anew (the old ones
 * end with the old children).
 * @return !OK (logged) when one cannot be opened
 */
int oas_audit_logs_open(apr_pool_t *pconf, server_rec *main_server);

/** In each child process, before its threads. */
void oas_audit_logs_child(server_rec *main_server);

/**
 * oas_host_t.audit: one write for each line, so that lines of all threads and processes stay whole.
 * A line that cannot be written goes to the error log, and so does one for which a program has had
 * no room for a second; then nobody waits until it has read again.
 */
void oas_audit_log_write(oas_tx_t *tx, const char *line);

/** What a server can do for the library without a request, with the server_rec as host_baton: write
 * the audit log. */
const oas_host_t *oas_background_host(void);

/** oas_audit() for what a server does without a request: the line has neither address nor ref. */
void oas_audit_background(server_rec *s, oas_audit_event_t event, const char *reason,
                          const oas_members_t *more, apr_pool_t *pool);

#endif
