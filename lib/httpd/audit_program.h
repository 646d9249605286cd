/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file audit_program.h
 * A program that reads the audit log from its standard input. One for each generation of child
 * processes: it goes on until the last of them has ended and it has read all, so that a graceful
 * restart loses no line. httpd's own piped logs are killed when the configuration is read again,
 * while there are still children that write.
 */
#ifndef OAS_HTTPD_AUDIT_PROGRAM_H
#define OAS_HTTPD_AUDIT_PROGRAM_H

#include "server_config.h"

typedef struct oas_audit_program oas_audit_program_t;

/**
 * Starts it, and another one in its place when it ends too soon. When `pconf` is cleared this
 * process lets go of it; when httpd ends it has three seconds for what it has not read yet.
 */
apr_status_t oas_audit_program_start(oas_audit_program_t **out, const char *command,
                                     apr_pool_t *pconf);

/** Where to write; does not block. */
int oas_audit_program_fd(const oas_audit_program_t *program);

/** In a child process, which only writes: so that it is told when nobody reads any more. */
void oas_audit_program_child(oas_audit_program_t *program);

#endif
