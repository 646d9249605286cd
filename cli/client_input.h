/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file client_input.h
 * A client as an administrator writes it: RFC 7591 metadata with this server's own members. What is
 * not said is as a configuration would have it.
 */
#ifndef OAS_CLI_CLIENT_INPUT_H
#define OAS_CLI_CLIENT_INPUT_H

#include "../lib/base/model.h"
#include "cli.h"

/**
 * Reads and checks a client by the rules of configtest that do not need the configuration. Each
 * fault is said on standard error.
 * @param text      JSON
 * @param client_id that it has to have, or NULL: any, and one is made up where it has none
 * @return the exit code
 */
int cli_client_read(oas_client_t **out, const char *text, const char *client_id, apr_pool_t *pool);

/** The rules alone, for one whose secrets have come to it since. Returns the exit code. */
int cli_client_check(const oas_client_t *client, apr_pool_t *pool);

/** Reads a file, or standard input for "-", of at most CLI_TEXT_MAX bytes; NULL when it
 * cannot (said on standard error). */
const char *cli_read_text(const char *path, apr_pool_t *pool);
#define CLI_TEXT_MAX 262144

#endif
