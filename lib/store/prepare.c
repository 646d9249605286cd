/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <apr_strings.h>
#include <libpq-events.h>
#include "../base/clock.h"
#include "../base/uri.h"
#include "runner.h"
#include "schema.h"
#include "wire.h"

int oas_schema_usable(int version)
{
    return version == OAS_SCHEMA_VERSION || version == OAS_SCHEMA_VERSION + 1;
}

/* One query, with a parameter unless that is NULL; NULL unless a row came. */
static PGresult *ask(PGconn *conn, const char *sql, const char *param, apr_time_t deadline)
{
    PGresult *result = NULL;

    PQsetnonblocking(conn, 1);
    if (PQsendQueryParams(conn, sql, param != NULL, NULL, &param, NULL, NULL, 0))
        oas_wire_collect(conn, deadline, &result);
    PQsetnonblocking(conn, 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        return result;
    PQclear(result);
    return NULL;
}

/* The server's time at the moment of asking, so that it seems a little behind, never ahead. */
#define CLOCK "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

static void note_clock(oas_conn_t *state, const PGresult *result, int column)
{
    if (result)
        state->ahead = apr_atoi64(PQgetvalue(result, 0, column)) - oas_clock();
}

static apr_interval_time_t limit_of(const oas_conn_t *state)
{
    return state->dbd.limit > 0 ? state->dbd.limit : OAS_DB_LIMIT;
}

void oas_conn_look_at_clock(oas_conn_t *state, PGconn *conn)
{
    PGresult *result = ask(conn, "SELECT " CLOCK, NULL, oas_clock() + limit_of(state));

    note_clock(state, result, 0);
    PQclear(result);
}

/* Whether there is a schema, and whether this role may read it: asked so that neither is an error
 * in the server's log. */
#define LOOK_SQL                                                                                   \
    "SELECT to_regclass('oas_schema') IS NOT NULL, " CLOCK ", "                                    \
    "NOT has_table_privilege(to_regclass('oas_schema')::oid, 'SELECT')"

/* Notes the version and the issuer. */
static void read_schema(oas_conn_t *state, PGconn *conn, apr_time_t deadline)
{
    PGresult *result = ask(conn, LOOK_SQL, NULL, deadline);
    int exists = result && PQgetvalue(result, 0, 0)[0] == 't';

    note_clock(state, result, 1);
    state->denied = exists && PQgetvalue(result, 0, 2)[0] == 't';
    PQclear(result);
    state->version = 0;
    state->issuer[0] = '\0';
    if (!exists || state->denied)
        return;
    result = ask(conn, "SELECT version, issuer FROM oas_schema ORDER BY version DESC LIMIT 1", NULL,
                 deadline);
    if (result) {
        state->version = (int)apr_atoi64(PQgetvalue(result, 0, 0));
        apr_cpystrn(state->issuer, PQgetvalue(result, 0, 1), sizeof(state->issuer));
    }
    PQclear(result);
}

/* A server without a limit of its own, or with a longer one, would go on with what we gave up long
 * ago. */
static void bound_statements(const oas_conn_t *state, PGconn *conn, apr_time_t deadline)
{
    char ms[16];

    apr_snprintf(ms, sizeof(ms), "%d", (int)(apr_time_as_msec(limit_of(state)) * 4 / 5));
    PQclear(ask(conn,
                "SELECT set_config('statement_timeout', $1, false) "
                "WHERE current_setting('statement_timeout')::interval NOT BETWEEN interval '1 ms' "
                "AND make_interval(secs => $1::float8 / 1000)",
                ms, deadline));
}

/* Forgets and prepares one statement; a sync behind each, so that one failing does not stop the
 * others. Returns the number of syncs sent. */
static int send_again(PGconn *conn, const oas_stmt_t *stmt)
{
    char sql[80];

    apr_snprintf(sql, sizeof(sql), "DEALLOCATE %s", stmt->label);
    if (!PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0) || !PQpipelineSync(conn))
        return 0;
    return 1 + (PQsendPrepare(conn, stmt->label, stmt->sql, stmt->params, NULL) &&
                PQpipelineSync(conn));
}

/* Sends all PREPAREs: to a new connection in one go, as httpd starts when all are done. Returns the
 * number of syncs sent. */
static int send_prepares(PGconn *conn, int again)
{
    int i, sent = 1, syncs = 0;

    for (i = 0; i < OAS_STMT_COUNT && sent > 0; i++) {
        const oas_stmt_t *stmt = &oas_statements[i];

        if (stmt->seldom)
            continue;
        sent = again ? send_again(conn, stmt)
                     : PQsendPrepare(conn, stmt->label, stmt->sql, stmt->params, NULL);
        syncs += again ? sent : 0;
    }
    return again ? syncs : PQpipelineSync(conn);
}

/* Reads the answers up to the last sync. Copies the SQLSTATE of the last failure that is not about
 * a statement to be forgotten that was not there. */
static apr_status_t collect_prepares(PGconn *conn, int syncs, apr_time_t deadline, char failed[6])
{
    while (syncs > 0) {
        PGresult *result;

        if (oas_wire_wait(conn, deadline) != APR_SUCCESS)
            return APR_TIMEUP;
        result = PQgetResult(conn);
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            syncs--;
        } else if (result && PQresultStatus(result) == PGRES_FATAL_ERROR) {
            const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

            if (sqlstate && strcmp(sqlstate, "26000"))
                apr_cpystrn(failed, sqlstate, 6);
        }
        PQclear(result);
        if (PQstatus(conn) != CONNECTION_OK)
            return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

static void prepare_all(oas_conn_t *state, PGconn *conn, int again, apr_time_t deadline)
{
    char failed[6] = "";
    apr_status_t rv;

    PQsetnonblocking(conn, 1);
    if (!PQenterPipelineMode(conn))
        return;
    rv = collect_prepares(conn, send_prepares(conn, again), deadline, failed);
    if (rv == APR_SUCCESS && failed[0] && !again) { /* the others were not looked at behind it */
        failed[0] = '\0';
        rv = collect_prepares(conn, send_prepares(conn, 1), deadline, failed);
    }
    if (rv != APR_SUCCESS || !PQexitPipelineMode(conn))
        oas_wire_abandon(conn);
    PQsetnonblocking(conn, 0);
    if (failed[0])
        oas_trouble_log(state->log, oas_trouble_of(failed), NULL, failed);
}

static void refresh(oas_conn_t *state, PGconn *conn, int again)
{
    apr_time_t now = oas_clock();
    apr_time_t deadline = now + (state->left ? state->left : limit_of(state));

    if (!again) {
        state->made = now;
        bound_statements(state, conn, deadline);
    }
    read_schema(state, conn, deadline);
    if (oas_schema_usable(state->version) && PQstatus(conn) == CONNECTION_OK)
        prepare_all(state, conn, again, deadline);
}

void oas_conn_refresh(oas_conn_t *state, PGconn *conn)
{
    refresh(state, conn, 1);
}

static int on_event(PGEventId id, void *info, void *baton)
{
    oas_conn_t *state = baton;

    if (id != PGEVT_CONNRESET)
        return 1;
    if (state->reset_hook)
        state->reset_hook(state->baton, &state->dbd);
    refresh(state, ((PGEventConnReset *)info)->conn, 0);
    /* never 0: that would make a good connection bad for everybody */
    return 1;
}

oas_conn_t *oas_conn_find(PGconn *conn)
{
    return PQinstanceData(conn, on_event);
}

void oas_db_connected(const oas_dbd_t *dbd, const void *pool_key, int max,
                      void (*reset_hook)(void *baton, const oas_dbd_t *dbd), void *baton,
                      const oas_log_t *log)
{
    PGconn *conn;
    oas_conn_t *state;

    if (strcmp(apr_dbd_name(dbd->driver), "pgsql")) {
        oas_trouble_log(log, OAS_TROUBLE_DRIVER, NULL, NULL);
        return;
    }
    conn = apr_dbd_native_handle(dbd->driver, dbd->handle);
    if (oas_conn_find(conn))
        return;
    state = apr_pcalloc(dbd->pool, sizeof(*state));
    state->dbd = *dbd;
    state->pool_key = pool_key;
    state->max = max;
    state->reset_hook = reset_hook;
    state->baton = baton;
    state->log = log;
    if (!PQregisterEventProc(conn, on_event, "oauth2as", state) ||
        !PQsetInstanceData(conn, on_event, state))
        return;
    refresh(state, conn, 0);
    oas_log(
        log, OAS_LOG_DEBUG, OAS_TAG(00215), APR_SUCCESS,
        "connection to the database made: backend %d, pool %pp of at most %d, schema version %d",
        PQbackendPID(conn), pool_key, max, state->version);
}
