/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>

#define CONNECT_TIMEOUT "10" /* seconds for each host, where nobody says otherwise */

/* The connection behind the one oas_db_t of this run. */
static apr_status_t borrow(void *baton, oas_dbd_t *out)
{
    *out = *(oas_dbd_t *)baton;
    return APR_SUCCESS;
}

static apr_status_t close_connection(void *baton)
{
    oas_dbd_t *dbd = baton;

    return apr_dbd_close(dbd->driver, dbd->handle) == 0 ? APR_SUCCESS : APR_EGENERAL;
}

static void write_log(void *baton, oas_log_level_t level, apr_status_t status, const char *text)
{
    cli_fail(0, "%s", text);
}

/* libpq ends its messages by a line feed. */
static void say_unconnected(const char *error)
{
    size_t len = strlen(error);

    while (len > 0 && error[len - 1] == '\n')
        len--;
    cli_fail(0, "cannot connect: %.*s%s", (int)len, error,
             strstr(error, "no password supplied")
                 ? " (passfile=FILE in the parameters, or ~/.pgpass; mode 0600)"
                 : "");
}

oas_db_t *cli_database(cli_t *cli, int *code)
{
    static const oas_db_source_t source = {borrow, NULL};
    static const oas_log_t log = {OAS_LOG_WARNING, write_log, NULL};
    oas_dbd_t *dbd = apr_pcalloc(cli->pool, sizeof(*dbd));
    const char *error = NULL;

    *code = CLI_USAGE;
    if (!cli->dbd_params) {
        cli_fail(0, "which database? Give --dbd-params \"host=... dbname=... user=...\" or set "
                    "OAUTH2AS_DBDPARAMS");
        return NULL;
    }
    *code = CLI_UNAVAILABLE;
    dbd->pool = cli->pool;
    setenv("PGCONNECT_TIMEOUT", CONNECT_TIMEOUT, 0); /* libpq itself waits without limit */
    if (apr_dbd_init(cli->pool) != APR_SUCCESS ||
        apr_dbd_get_driver(cli->pool, "pgsql", &dbd->driver) != APR_SUCCESS) {
        cli_fail(0,
                 "APR-util's PostgreSQL driver is missing (Debian: libaprutil1-dbd-pgsql, Fedora: "
                 "apr-util-pgsql)");
        return NULL;
    }
    if (apr_dbd_open_ex(dbd->driver, cli->pool, cli->dbd_params, &dbd->handle, &error) !=
        APR_SUCCESS) {
        say_unconnected(error ? error : "no reason given");
        return NULL;
    }
    apr_pool_cleanup_register(cli->pool, dbd, close_connection, apr_pool_cleanup_null);
    oas_db_connected(dbd, NULL, 0, NULL, NULL, &log);
    *code = CLI_DONE;
    return oas_db_create(cli->pool, &source, dbd, NULL, NULL, 0, &log);
}

oas_db_t *cli_open(cli_t *cli, const cli_option_t *options, const char **operands, int count,
                   int *code)
{
    *code = cli_parse(cli, options, operands, count);
    return *code == CLI_DONE ? cli_database(cli, code) : NULL;
}
