/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
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

/* What apply is asked for, and what it has done so far. */
typedef struct {
    const char *issuer, *dir, *role;
    int from, to;
    int partitions; /* 0: as they are */
    int split;      /* the partitions there are now, when that is new */
    const char *granted;
} apply_t;

/* The audit line, also when not all was done. `code` so far goes before its own. */
static int report_apply(cli_t *cli, oas_db_t *db, int code, const apply_t *apply)
{
    json_t *what = oas_json_object(cli->pool);
    int logged;

    if (apply->from == apply->to && !apply->granted && !apply->split)
        return code;
    json_object_set_new(what, "from", json_integer(apply->from));
    json_object_set_new(what, "to", json_integer(apply->to));
    oas_json_set(what, "role", apply->granted);
    if (apply->split)
        json_object_set_new(what, "partitions", json_integer(apply->split));
    logged = cli_audit(cli, db, what);
    return code == CLI_DONE ? logged : code;
}

/* The tables of the grants as --partitions says. */
static apr_status_t split_tables(cli_t *cli, oas_db_t *db, apply_t *apply, const char **why)
{
    int count;
    apr_status_t rv = oas_schema_partitions(db, &count, cli->pool);

    if (rv != APR_SUCCESS || !apply->partitions || apply->partitions == count)
        return rv;
    rv = oas_schema_partition(db, apply->partitions, why, cli->pool);
    if (rv != APR_SUCCESS)
        return rv;
    apply->split = apply->partitions;
    if (apply->split > 1)
        printf("the tables of the grants are in %d partitions\n", apply->split);
    else
        printf("the tables of the grants are whole\n");
    return APR_SUCCESS;
}

static apr_status_t do_apply(cli_t *cli, oas_db_t *db, apply_t *apply, const char **why)
{
    apr_status_t rv =
        oas_schema_apply(db, apply->dir, apply->issuer, &apply->from, &apply->to, why, cli->pool);

    if (apply->to != apply->from)
        printf("schema updated from version %d to %d\n", apply->from, apply->to);
    else if (rv == APR_SUCCESS)
        printf("schema is at version %d already\n", apply->to);
    if (rv == APR_SUCCESS)
        rv = split_tables(cli, db, apply, why);
    if (rv != APR_SUCCESS || !apply->role)
        return rv;
    rv = oas_schema_grant(db, apply->role, why, cli->pool);
    if (rv != APR_SUCCESS)
        return rv;
    apply->granted = apply->role;
    printf("%s has what httpd needs\n", apply->role);
    return APR_SUCCESS;
}

/* 0: it is no number of partitions. */
static int read_partitions(const char *text)
{
    char *end = NULL;
    apr_int64_t count = text ? apr_strtoi64(text, &end, 10) : 0;

    return end && end != text && !*end && count >= 1 && count <= 256 ? (int)count : 0;
}

/* version 0: there is none yet */
static int read_status(oas_db_t *db, int *version, const char **issuer, cli_t *cli)
{
    apr_status_t rv = oas_schema_status(db, version, issuer, cli->pool);

    if (rv == OAS_DB_UNAVAILABLE)
        return CLI_UNAVAILABLE;
    return rv == APR_SUCCESS
               ? CLI_DONE
               : cli_fail(CLI_FAILED, "the table oas_schema cannot be read by this role");
}

/* A schema that is there says itself whose it is. */
static int find_issuer(oas_db_t *db, apply_t *apply, cli_t *cli)
{
    int version, code = apply->issuer ? CLI_DONE : read_status(db, &version, &apply->issuer, cli);

    if (code != CLI_DONE || apply->issuer)
        return code;
    return cli_fail(CLI_USAGE, "there is no schema yet, and --issuer is missing: the value of "
                               "OAuth2ASIssuer");
}

int cli_schema_apply(cli_t *cli)
{
    apply_t apply = {.dir = OAS_DATADIR "/schema"};
    const char *partitions = NULL, *why = NULL;
    const cli_option_t options[] = {
        {.name = "issuer", .value = &apply.issuer},
        {.name = "dir", .value = &apply.dir},
        {.name = "grant-to", .value = &apply.role},
        {.name = "partitions", .value = &partitions},
        {.name = NULL},
    };
    int code = cli_parse(cli, options, NULL, 0);
    apr_status_t rv;
    oas_db_t *db;

    if (code != CLI_DONE)
        return code;
    if (apply.issuer && !issuer_valid(apply.issuer, cli->pool))
        return cli_fail(CLI_USAGE, "%s is no issuer: https://HOST/[PATH], or http on this machine",
                        apply.issuer);
    apply.partitions = read_partitions(partitions);
    if (partitions && !apply.partitions)
        return cli_fail(CLI_USAGE, "--partitions is a number from 1 (whole tables) to 256");
    db = cli_database(cli, &code);
    if (db)
        code = find_issuer(db, &apply, cli);
    if (code != CLI_DONE)
        return code;
    rv = do_apply(cli, db, &apply, &why);
    if (rv != APR_SUCCESS)
        code = apply_failed(rv, apply.dir, why);
    return report_apply(cli, db, code, &apply);
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
    static const cli_column_t columns[] = {{"version", "version"}, {"program", "this program"},
                                           {"issuer", "issuer"},   {"partitions", "partitions"},
                                           {"state", "state"},     {NULL, NULL}};
    const cli_option_t options[] = {CLI_OPTION_OUTPUT(cli), {.name = NULL}};
    json_t *status = oas_json_object(cli->pool);
    const char *issuer;
    apr_status_t rv;
    int version, partitions, code;
    oas_db_t *db = cli_open(cli, options, NULL, 0, &code);

    if (db)
        code = read_status(db, &version, &issuer, cli);
    if (code != CLI_DONE)
        return code;
    if (!version)
        return cli_fail(CLI_FAILED, "there is no schema yet (oauth2asctl schema apply)");
    rv = oas_schema_partitions(db, &partitions, cli->pool);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "the schema");
    json_object_set_new(status, "version", json_integer(version));
    json_object_set_new(status, "program", json_integer(OAS_SCHEMA_VERSION));
    oas_json_set(status, "issuer", issuer);
    json_object_set_new(status, "partitions", json_integer(partitions));
    oas_json_set(status, "state", state_of(version));
    return cli_print_object(cli, status, columns);
}
