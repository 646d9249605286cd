/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../../lib/store/schema.h"
#include "former.h"

static char home[64];
static char host[256], database[64], owner[64], runtime[64];
static char owner_params[512], runtime_params[512];
static pid_t started_by;

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s\n", what, detail);
    exit(1);
}

static const char *source_dir(void)
{
    const char *dir = getenv("srcdir");

    return dir ? dir : ".";
}

/* NAME='VALUE' */
static void read_assignment(const char *line, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);
    const char *end = strrchr(line, '\'');

    if (strncmp(line, name, len) || line[len] != '=' || !end || end <= line + len + 1)
        return;
    snprintf(out, size, "%.*s", (int)(end - line - len - 2), line + len + 2);
}

void cluster_verb(const char *verb, const char *argument)
{
    char command[1024];

    snprintf(command, sizeof(command), "'%s/test/lib/postgres' %s '%s' %s", source_dir(), verb,
             home, argument ? argument : "");
    if (system(command) != 0)
        fail("cannot do", command);
}

static void start(void)
{
    char line[1024];
    FILE *out;

    if (!mkdtemp(strcpy(home, "/tmp/oas-test.XXXXXX")))
        fail("cannot make", home);
    chmod(home, 0755);
    snprintf(line, sizeof(line), "'%s/test/lib/postgres' up '%s'", source_dir(), home);
    out = popen(line, "r");
    while (out && fgets(line, sizeof(line), out)) {
        read_assignment(line, "PGHOST", host, sizeof(host));
        read_assignment(line, "PGDATABASE", database, sizeof(database));
        read_assignment(line, "PGUSER", owner, sizeof(owner));
        read_assignment(line, "OAS_RUNTIME_ROLE", runtime, sizeof(runtime));
    }
    if (!out || pclose(out) != 0 || !host[0] || !database[0] || !owner[0] || !runtime[0])
        fail("cannot start", "PostgreSQL");
    snprintf(owner_params, sizeof(owner_params), "host=%s dbname=%s user=%s connect_timeout=10",
             host, database, owner);
    snprintf(runtime_params, sizeof(runtime_params), "host=%s dbname=%s user=%s connect_timeout=10",
             host, database, runtime);
}

int cluster_partitions(void)
{
    const char *count = getenv("OAS_PARTITIONS");

    return count && *count ? (int)apr_atoi64(count) : 1;
}

static void apply_schema(void)
{
    const char *why = NULL;
    apr_pool_t *pool;
    int from, to;
    oas_db_t *db;
    char dir[512];

    apr_pool_create(&pool, NULL);
    snprintf(dir, sizeof(dir), "%s/schema", source_dir());
    db = cluster_db(cluster_connect(pool, owner_params, 0), NULL, NULL, pool);
    if (oas_schema_apply(db, dir, TEST_ISSUER, &from, &to, &why, pool) != APR_SUCCESS ||
        oas_schema_partition(db, cluster_partitions(), &why, pool) != APR_SUCCESS ||
        oas_schema_grant(db, runtime, &why, pool) != APR_SUCCESS)
        fail("cannot apply the schema", why ? why : "");
    apr_pool_destroy(pool);
}

/* Also when a test gives up by exit; not in the processes that a test program forks. */
static void stop_at_exit(void)
{
    if (getpid() == started_by)
        cluster_down();
}

void cluster_up(void)
{
    char command[1024];

    snprintf(command, sizeof(command), "'%s/test/lib/postgres' check", source_dir());
    if (system(command) != 0) {
        printf("SKIP: there is no PostgreSQL server to test with\n");
        exit(TEST_SKIP);
    }
    started_by = getpid();
    atexit(stop_at_exit);
    start();
    apply_schema();
}

void cluster_down(void)
{
    if (!home[0])
        return;
    cluster_verb("down", NULL);
    rmdir(home);
    home[0] = '\0';
}

const char *cluster_params(int of_owner)
{
    return of_owner ? owner_params : runtime_params;
}

PGconn *cluster_owner(void)
{
    PGconn *conn = PQconnectdb(owner_params);

    if (PQstatus(conn) != CONNECTION_OK)
        fail("cannot connect", PQerrorMessage(conn));
    PQclear(PQexec(conn, "SET client_min_messages = warning"));
    return conn;
}

PGconn *cluster_superuser(void)
{
    char params[512];
    PGconn *conn;

    snprintf(params, sizeof(params), "host=%s dbname=%s user=postgres", host, database);
    conn = PQconnectdb(params);
    if (PQstatus(conn) != CONNECTION_OK)
        fail("cannot connect", PQerrorMessage(conn));
    return conn;
}

void cluster_terminate(int backend)
{
    PGconn *conn = cluster_superuser();
    char sql[80];

    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d, 5000)", backend);
    cluster_sql(conn, sql);
    PQfinish(conn);
}

const char *cluster_sql(PGconn *conn, const char *sql)
{
    static char cell[4096];
    PGresult *result = PQexec(conn, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail(sql, PQerrorMessage(conn));
    snprintf(cell, sizeof(cell), "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return cell;
}

/* Log: several threads write, one looks afterwards. */
static char last_line[2048];
static volatile int lines;

static void note(void *baton, oas_log_level_t level, apr_status_t status, const char *text)
{
    snprintf(last_line, sizeof(last_line), "%s", text);
    __atomic_add_fetch(&lines, 1, __ATOMIC_RELAXED);
    if (getenv("OAS_TEST_LOG"))
        fprintf(stderr, "log: %s\n", text);
}

static const oas_log_t log_to_us = {OAS_LOG_WARNING, note, NULL};

const char *cluster_log_last(void)
{
    return last_line;
}

int cluster_log_count(void)
{
    return lines;
}

void cluster_log_clear(void)
{
    lines = 0;
    last_line[0] = '\0';
}

static apr_status_t disconnect(void *data)
{
    cluster_conn_t *conn = data;

    apr_dbd_close(conn->dbd.driver, conn->dbd.handle);
    return APR_SUCCESS;
}

/* Whether the next connection is one of a module of the version before. */
static int plays_former(void)
{
    const char *which = getenv("OAS_FORMER");
    static int count;

    return which && (!strcmp(which, "all") || (!strcmp(which, "half") && count++ % 2 == 0));
}

static apr_interval_time_t patience = OAS_DB_LIMIT;

void cluster_patience(apr_interval_time_t limit)
{
    patience = limit;
}

cluster_conn_t *cluster_connect(apr_pool_t *pool, const char *params, int untold)
{
    cluster_conn_t *conn = apr_pcalloc(pool, sizeof(*conn));
    PGconn *native;

    conn->pool = pool;
    conn->dbd.pool = pool;
    conn->dbd.limit = patience;
    if (apr_dbd_get_driver(pool, "pgsql", &conn->dbd.driver) != APR_SUCCESS ||
        apr_dbd_open(conn->dbd.driver, pool, params, &conn->dbd.handle) != APR_SUCCESS)
        fail("cannot open", params);
    apr_pool_cleanup_register(pool, conn, disconnect, apr_pool_cleanup_null);
    if (untold)
        return conn;
    oas_db_connected(&conn->dbd, conn, 0, NULL, NULL, NULL);
    native = apr_dbd_native_handle(conn->dbd.driver, conn->dbd.handle);
    if (plays_former() &&
        cluster_sql(native, "SELECT to_regclass('oas_grants') IS NOT NULL")[0] == 't')
        former_prepare(native, 1);
    return conn;
}

int cluster_backend(const cluster_conn_t *conn)
{
    return PQbackendPID(apr_dbd_native_handle(conn->dbd.driver, conn->dbd.handle));
}

static apr_status_t borrow(void *baton, oas_dbd_t *out)
{
    cluster_conn_t *conn = baton;

    conn->borrowed++;
    *out = conn->dbd;
    return conn->refuse ? APR_EGENERAL : APR_SUCCESS;
}

oas_db_t *cluster_db(cluster_conn_t *conn, const char *issuer, oas_gate_t *gate, apr_pool_t *pool)
{
    static const oas_db_source_t source = {borrow, NULL};

    oas_db_t *db =
        oas_db_create(pool, &source, conn, issuer, gate, apr_time_from_msec(250), &log_to_us);

    oas_db_limit(db, patience);
    return db;
}
