/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file work.h
 * What an answer costs however it is made: statements with the parameters of the request, and
 * handles that change from request to request, so that each statement really changes its rows.
 */
#ifndef OAS_PROBE_WORK_H
#define OAS_PROBE_WORK_H

#include <apr_tables.h>
#include <libpq-fe.h>

#define PROBE_HANDLE_LEN 64 /**< base64url of 16 octets that find a row and 32 of a secret */

/** A handle, and how statements take it. */
typedef struct {
    char text[PROBE_HANDLE_LEN];
    char id[36 + 1];   /**< as a uuid */
    char hash[64 + 1]; /**< SHA-256 of the secret, hexadecimal */
    unsigned char octets[48];
} probe_handle_t;

/** The handles of one request; NULL where there is none. */
typedef struct {
    const probe_handle_t *presented;
    const probe_handle_t *cookie;
    const probe_handle_t *made;
} probe_handles_t;

/** Reads a handle of PROBE_HANDLE_LEN characters. Returns 0 for other text. */
int probe_handle_read(probe_handle_t *out, const char *text);

/** A handle with the same id and a secret that follows from the other's, or a random one for NULL.
 * Returns 0 when OpenSSL cannot. */
int probe_handle_make(probe_handle_t *out, const probe_handle_t *from);

typedef struct {
    const char *label;
    const char *sql;
    const char *expected; /**< first value of the first row, "" for any; a probe that does nothing
                             is none */
    apr_array_header_t *params; /**< const char *; NULL is NULL */
} probe_statement_t;

/**
 * Reads a file: the expected value, the statement in one line, and a line for each parameter, in
 * which \N is NULL and
 * ${presented.id}, ${presented.hash}, the same of cookie and made, and ${uuid} (random) are put in
 * for each request. Returns NULL or what is wrong.
 */
const char *probe_statement_read(probe_statement_t *out, const char *file, apr_pool_t *pool);

/** Prepares it on a new connection. Returns 0 when the server refuses. */
int probe_statement_prepare(const probe_statement_t *statement, PGconn *conn);

/** One round trip. Returns NULL or, in `pool`, what is wrong. */
const char *probe_statement_run(const probe_statement_t *statement, PGconn *conn,
                                const probe_handles_t *handles, apr_pool_t *pool);

#endif
