/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <stdio.h>
#include <string.h>
#include "../lib/base/json.h"
#include "../lib/base/tx.h"
#include "../lib/base/uri.h"
#include "../lib/store/schema.h"

/* The issuer rule of configtest: https, or http on this machine; no query and no fragment (RFC
 * 8414). */
static int issuer_valid(const char *issuer, apr_pool_t *pool)
{
    oas_uri_t uri;

    if (oas_uri_parse(&uri, issuer, pool) != APR_SUCCESS || !uri.host || uri.query ||
        uri.fragment || uri.has_userinfo)
        return 0;
    return !strcmp(uri.scheme, "https") ||
           (!strcmp(uri.scheme, "http") && oas_uri_loopback(&uri, 1));
}

static int apply_failed(apr_status_t status, const char *dir, const char *why)
{
    if (status == APR_EEXIST)
        return cli_fail(CLI_FAILED, "this schema belongs to another issuer (oauth2asctl schema "
                                    "status); another schema or database is needed for this one");
    if (status == APR_ENOENT)
        return cli_fail(CLI_FAILED, "there are no schema files in %s (--dir)", dir);
    if (status == OAS_DB_UNAVAILABLE)
        return CLI_UNAVAILABLE;
    return cli_fail(CLI_FAILED, "%s", why ? why : "the schema cannot be applied");
}

/* The audit line, also when not all was done. `code` so far goes before its own. */
static int report_apply(cli_t *cli, oas_db_t *db, int code, int from, int to, const char *role)
{
    json_t *what = oas_json_object(cli->pool);
    int logged;

    if (from == to && !role)
        return code;
    json_object_set_new(what, "from", json_integer(from));
    json_object_set_new(what, "to", json_integer(to));
    oas_json_set(what, "role", role);
    logged = cli_audit(cli, db, what);
    return code == CLI_DONE ? logged : code;
}

int cli_schema_apply(cli_t *cli)
{
    const char *issuer = NULL, *dir = OAS_DATADIR "/schema", *role = NULL, *why = NULL;
    const cli_option_t options[] = {
        {.name = "issuer", .value = &issuer},
        {.name = "dir", .value = &dir},
        {.name = "grant-to", .value = &role},
        {.name = NULL},
    };
    int from, to, granted, code = cli_parse(cli, options, NULL, 0);
    apr_status_t rv;
    oas_db_t *db;

    if (code != CLI_DONE)
        return code;
    if (!issuer)
        return cli_fail(CLI_USAGE, "--issuer is missing: the value of OAuth2ASIssuer");
    if (!issuer_valid(issuer, cli->pool))
        return cli_fail(CLI_USAGE, "%s is no issuer: https://HOST/[PATH], or http on this machine",
                        issuer);
    db = cli_database(cli, &code);
    if (!db)
        return code;
    rv = oas_schema_apply(db, dir, issuer, &from, &to, &why, cli->pool);
    if (to != from)
        printf("schema updated from version %d to %d\n", from, to);
    else if (rv == APR_SUCCESS)
        printf("schema is at version %d already\n", to);
    granted = rv == APR_SUCCESS && role;
    if (granted)
        rv = oas_schema_grant(db, role, &why, cli->pool);
    if (granted && rv == APR_SUCCESS)
        printf("%s has what httpd needs\n", role);
    if (rv != APR_SUCCESS)
        code = apply_failed(rv, dir, why);
    return report_apply(cli, db, code, from, to, granted && rv == APR_SUCCESS ? role : NULL);
}

/* What a schema of that version means for a module of this one. */
static const char *state_of(int version)
{
    if (version < OAS_SCHEMA_VERSION)
        return "too old: run oauth2asctl schema apply before servers are updated";
    if (version == OAS_SCHEMA_VERSION)
        return "up to date";
    return oas_schema_usable(version)
               ? "newer, and good for this version too: servers can be updated"
               : "too new: servers of this version do not work with it";
}

int cli_schema_status(cli_t *cli)
{
    static const cli_column_t columns[] = {{"version", "version"},
                                           {"program", "this program"},
                                           {"issuer", "issuer"},
                                           {"state", "state"},
                                           {NULL, NULL}};
    const cli_option_t options[] = {CLI_OPTION_OUTPUT(cli), {.name = NULL}};
    json_t *status = oas_json_object(cli->pool);
    const char *issuer;
    apr_status_t rv;
    int version, code;
    oas_db_t *db = cli_open(cli, options, NULL, 0, &code);

    if (!db)
        return code;
    rv = oas_schema_status(db, &version, &issuer, cli->pool);
    if (rv == OAS_DB_UNAVAILABLE)
        return CLI_UNAVAILABLE;
    if (rv != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "the table oas_schema cannot be read by this role");
    if (!version)
        return cli_fail(CLI_FAILED, "there is no schema yet (oauth2asctl schema apply)");
    json_object_set_new(status, "version", json_integer(version));
    json_object_set_new(status, "program", json_integer(OAS_SCHEMA_VERSION));
    oas_json_set(status, "issuer", issuer);
    oas_json_set(status, "state", state_of(version));
    return cli_print_object(cli, status, columns);
}
