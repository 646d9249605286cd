/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include <stdlib.h>
#include <string.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_fnmatch.h>
#include <apr_strings.h>
#include "runner.h"

#define FILE_MAX 1048576 /* bytes of one schema file */

/* Two runs at once wait for each other; the number is this project's own. */
#define LOCK_SQL "SELECT pg_advisory_xact_lock(7241830651)"

static apr_status_t clear_result(void *result)
{
    PQclear(result);
    return APR_SUCCESS;
}

/*
 * All tables of the schema for the transaction alone, before it changes anything. A file that takes
 * them one by one would meet statements that have taken them in another order, and one of the two
 * would fail. Each wait is bounded, since all requests queue behind it, and mostly too short for
 * the server to look for a deadlock, in which a request might be the one to fail; now and then it
 * is longer, because only then the server ends an autovacuum that is in the way.
 */
#define TAKE_SQL                                                                                   \
    "DO $$ "                                                                                       \
    "DECLARE "                                                                                     \
    "    v_tables CONSTANT text := (SELECT string_agg(format('%I', relname), ', ' ORDER BY "       \
    "relname) "                                                                                    \
    "        FROM pg_class WHERE relnamespace = current_schema()::regnamespace "                   \
    "        AND relkind IN ('r', 'p') AND NOT relispartition AND relname LIKE 'oas\\_%' "         \
    "        AND pg_has_role(relowner, 'USAGE')); "                                                \
    "BEGIN "                                                                                       \
    "    FOR i IN 1 .. 40 LOOP "                                                                   \
    "        PERFORM set_config('lock_timeout', CASE WHEN i % 5 = 0 THEN '1500' ELSE '200' END, "  \
    "true); "                                                                                      \
    "        BEGIN "                                                                               \
    "            IF v_tables IS NOT NULL THEN "                                                    \
    "                EXECUTE 'LOCK TABLE ' || v_tables || ' IN ACCESS EXCLUSIVE MODE'; "           \
    "            END IF; "                                                                         \
    "            RETURN; "                                                                         \
    "        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN "                         \
    "            NULL; "                                                                           \
    "        END; "                                                                                \
    "        PERFORM pg_sleep(0.5); "                                                              \
    "    END LOOP; "                                                                               \
    "    RAISE lock_not_available USING MESSAGE = 'for half a minute somebody has held tables of " \
    "the schema (a report, a dump: pg_stat_activity); nothing has changed, try again later'; "     \
    "END $$; SET LOCAL lock_timeout TO DEFAULT"

/* Runs one command, or several without parameters. NULL: it failed, *why says how. */
static PGresult *command(PGconn *conn, const char *sql, const char *const *params, int n,
                         const char **why, apr_pool_t *pool)
{
    PGresult *result =
        n ? PQexecParams(conn, sql, n, NULL, params, NULL, NULL, 0) : PQexec(conn, sql);

    apr_pool_cleanup_register(pool, result, clear_result, apr_pool_cleanup_null);
    if (PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK)
        return result;
    *why = apr_pstrdup(pool, PQerrorMessage(conn));
    return NULL;
}

/* Version 0, and no issuer: there is no schema. APR_EINVAL: it cannot be read (*why). */
static apr_status_t read_version(PGconn *conn, int *version, const char **issuer, const char **why,
                                 apr_pool_t *pool)
{
    PGresult *result =
        command(conn, "SELECT to_regclass('oas_schema') IS NOT NULL", NULL, 0, why, pool);

    *version = 0;
    *issuer = NULL;
    if (result && PQgetvalue(result, 0, 0)[0] != 't')
        return APR_SUCCESS;
    if (result)
        result =
            command(conn, "SELECT version, issuer FROM oas_schema ORDER BY version DESC LIMIT 1",
                    NULL, 0, why, pool);
    if (!result)
        return APR_EINVAL;
    if (PQntuples(result) == 1) {
        *version = (int)apr_atoi64(PQgetvalue(result, 0, 0));
        *issuer = apr_pstrdup(pool, PQgetvalue(result, 0, 1));
    }
    return APR_SUCCESS;
}

apr_status_t oas_schema_status(oas_db_t *db, int *version, const char **issuer, apr_pool_t *pool)
{
    const char *why;
    PGconn *conn;
    apr_status_t rv = oas_db_native(db, &conn);

    *version = 0;
    *issuer = NULL;
    if (rv != APR_SUCCESS)
        return rv;
    return read_version(conn, version, issuer, &why, pool) == APR_SUCCESS ? APR_SUCCESS
                                                                          : APR_EGENERAL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the schema files in their order. */
static apr_status_t list_files(apr_array_header_t **out, const char *dir, apr_pool_t *pool)
{
    apr_dir_t *handle;
    apr_finfo_t info;
    apr_status_t rv = apr_dir_open(&handle, dir, pool);

    *out = apr_array_make(pool, 8, sizeof(const char *));
    if (rv != APR_SUCCESS)
        return rv;
    while (apr_dir_read(&info, APR_FINFO_NAME, handle) == APR_SUCCESS) {
        if (apr_fnmatch("[0-9][0-9][0-9]-*.sql", info.name, 0) == APR_SUCCESS)
            APR_ARRAY_PUSH(*out, const char *) = apr_pstrdup(pool, info.name);
    }
    apr_dir_close(handle);
    qsort((*out)->elts, (size_t)(*out)->nelts, sizeof(const char *), compare_names);
    return (*out)->nelts ? APR_SUCCESS : APR_ENOENT;
}

static const char *read_file(const char *path, const char **why, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, FILE_MAX + 1);
    apr_size_t len = 0;
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool);
    char message[120];

    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, text, FILE_MAX + 1, &len);
        apr_file_close(file);
        if (rv == APR_EOF && len) {
            text[len] = '\0';
            return text;
        }
    }
    *why = rv == APR_SUCCESS ? "the file is too large" : apr_strerror(rv, message, sizeof(message));
    *why = apr_psprintf(pool, "%s: %s", path, *why);
    return NULL;
}

/* What is known inside the transaction that applies a file. */
static apr_status_t check_before(PGconn *conn, int version, const char *issuer, const char **why,
                                 apr_pool_t *pool)
{
    const char *owner;
    int found;
    apr_status_t rv = read_version(conn, &found, &owner, why, pool);

    if (rv != APR_SUCCESS)
        return rv;
    *why = "another run changed the schema meanwhile";
    if (owner && strcmp(owner, issuer))
        return APR_EEXIST;
    return found == version - 1 ? APR_SUCCESS : APR_EINVAL;
}

/* The files of one version. */
typedef struct {
    int number;
    const char *dir;
    const char *const *names;
    int count;
} version_t;

static apr_status_t run_file(PGconn *conn, const char *dir, const char *name, const char **why,
                             apr_pool_t *pool)
{
    const char *problem = NULL;
    const char *text = read_file(apr_pstrcat(pool, dir, "/", name, NULL), why, pool);

    if (!text)
        return APR_EINVAL;
    if (command(conn, text, NULL, 0, &problem, pool)) {
        if (PQtransactionStatus(conn) == PQTRANS_INTRANS)
            return APR_SUCCESS;
        problem = "the file ends the transaction it runs in";
    }
    *why = apr_psprintf(pool, "%s: %s", name, problem);
    return APR_EINVAL;
}

/* A version's files and its row, in the transaction that is open. */
static apr_status_t apply_inside(PGconn *conn, const version_t *version, const char *issuer,
                                 const char **why, apr_pool_t *pool)
{
    const char *const row[] = {apr_itoa(pool, version->number), issuer};
    apr_status_t rv = check_before(conn, version->number, issuer, why, pool);
    int i;

    for (i = 0; i < version->count && rv == APR_SUCCESS; i++)
        rv = run_file(conn, version->dir, version->names[i], why, pool);
    if (rv != APR_SUCCESS)
        return rv;
    return command(conn, "INSERT INTO oas_schema (version, issuer) VALUES ($1, $2)", row, 2, why,
                   pool)
               ? APR_SUCCESS
               : APR_EINVAL;
}

/* One change of the schema at a time, however long it takes. */
static apr_status_t begin(PGconn *conn, const char **why, apr_pool_t *pool)
{
    PGresult *result;

    PQsetErrorContextVisibility(conn, PQSHOW_CONTEXT_NEVER); /* of what is ours */
    result = command(conn, "BEGIN; SET LOCAL statement_timeout = 0; " LOCK_SQL "; " TAKE_SQL, NULL,
                     0, why, pool);
    PQsetErrorContextVisibility(conn, PQSHOW_CONTEXT_ERRORS);
    return result ? APR_SUCCESS : APR_EINVAL;
}

/* Ends what begin() began: commits when all went well. */
static apr_status_t finish(PGconn *conn, apr_status_t rv, const char **why, apr_pool_t *pool)
{
    if (rv == APR_SUCCESS && !command(conn, "COMMIT", NULL, 0, why, pool))
        rv = APR_EINVAL;
    if (rv != APR_SUCCESS)
        PQclear(PQexec(conn, "ROLLBACK"));
    return rv;
}

static apr_status_t apply_version(PGconn *conn, const version_t *version, const char *issuer,
                                  const char **why, apr_pool_t *pool)
{
    apr_status_t rv = begin(conn, why, pool);

    if (rv == APR_SUCCESS)
        rv = apply_inside(conn, version, issuer, why, pool);
    return finish(conn, rv, why, pool);
}

/* Applies the versions after *to, one number after the other. */
static apr_status_t apply_files(PGconn *conn, const char *dir, const apr_array_header_t *files,
                                const char *issuer, int *to, const char **why, apr_pool_t *pool)
{
    const char *const *names = (const char *const *)files->elts;
    version_t next = {.dir = dir};
    apr_status_t rv;
    int i;

    for (i = 0; i < files->nelts; i += next.count) {
        next.number = (int)apr_atoi64(names[i]);
        next.names = names + i;
        for (next.count = 1; i + next.count < files->nelts; next.count++) {
            if (apr_atoi64(names[i + next.count]) != next.number)
                break;
        }
        if (next.number <= *to)
            continue;
        if (next.number != *to + 1) {
            *why = apr_psprintf(pool, "%s: there is no file with number %03d", names[i], *to + 1);
            return APR_EINVAL;
        }
        rv = apply_version(conn, &next, issuer, why, pool);
        if (rv != APR_SUCCESS)
            return rv;
        *to = next.number;
    }
    return APR_SUCCESS;
}

apr_status_t oas_schema_apply(oas_db_t *db, const char *dir, const char *issuer, int *from, int *to,
                              const char **why, apr_pool_t *pool)
{
    apr_array_header_t *files;
    const char *owner;
    PGconn *conn;
    apr_status_t rv;

    *from = *to = 0;
    *why = NULL;
    rv = list_files(&files, dir, pool);
    if (rv != APR_SUCCESS)
        return APR_ENOENT;
    rv = oas_schema_status(db, from, &owner, pool);
    if (rv == APR_SUCCESS)
        rv = oas_db_native(db, &conn);
    if (rv != APR_SUCCESS)
        return rv;
    *to = *from;
    if (owner && strcmp(owner, issuer))
        return APR_EEXIST;
    if (apr_atoi64(APR_ARRAY_IDX(files, files->nelts - 1, const char *)) < *from) {
        *why = "the database is newer than these files";
        return APR_EINVAL;
    }
    return apply_files(conn, dir, files, issuer, to, why, pool);
}

apr_status_t oas_schema_partitions(oas_db_t *db, int *count, apr_pool_t *pool)
{
    const char *why;
    PGresult *result;
    PGconn *conn;
    apr_status_t rv = oas_db_native(db, &conn);

    *count = 0;
    if (rv != APR_SUCCESS)
        return rv;
    result = command(conn,
                     "SELECT greatest(1, count(*)) FROM pg_inherits "
                     "WHERE inhparent = to_regclass('oas_grants')",
                     NULL, 0, &why, pool);
    if (!result)
        return APR_EGENERAL;
    *count = (int)apr_atoi64(PQgetvalue(result, 0, 0));
    return APR_SUCCESS;
}

apr_status_t oas_schema_partition(oas_db_t *db, int count, const char **why, apr_pool_t *pool)
{
    const char *const params[] = {apr_itoa(pool, count)};
    PGconn *conn;
    apr_status_t rv = oas_db_native(db, &conn);

    *why = NULL;
    if (rv != APR_SUCCESS)
        return rv;
    rv = begin(conn, why, pool);
    if (rv == APR_SUCCESS &&
        !command(conn, "SELECT oas_schema_partition($1)", params, 1, why, pool))
        rv = APR_EINVAL;
    return finish(conn, rv, why, pool);
}

apr_status_t oas_schema_grant(oas_db_t *db, const char *role, const char **why, apr_pool_t *pool)
{
    const char *const params[] = {role};
    PGconn *conn;
    apr_status_t rv = oas_db_native(db, &conn);

    *why = NULL;
    if (rv != APR_SUCCESS)
        return rv;
    return command(conn, "SELECT oas_schema_grant($1)", params, 1, why, pool) ? APR_SUCCESS
                                                                              : APR_EINVAL;
}
