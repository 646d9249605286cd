/* SPDX-License-Identifier: Apache-2.0 */
#include "db.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/metrics.h"
#include "runner.h"
#include "schema.h"
#include "wire.h"

#define TRIES_MAX 4 /* of one statement, whatever happens */

struct oas_db {
    apr_pool_t *pool;
    const oas_db_source_t *source;
    void *baton;
    const char *issuer;
    oas_gate_t *gate;
    apr_interval_time_t wait;
    const oas_log_t *log;
    oas_gate_place_t place;
    oas_dbd_t dbd;
    PGconn *conn;       /* NULL: nothing borrowed */
    int sized;          /* the gate knows the size of the pool */
    oas_trouble_t last; /* what was logged last */
    int failed;         /* there was none: this request does not wait for one again */
};

oas_db_t *oas_db_create(apr_pool_t *pool, const oas_db_source_t *source, void *baton,
                        const char *issuer, oas_gate_t *gate, apr_interval_time_t wait,
                        const oas_log_t *log)
{
    oas_db_t *db = apr_pcalloc(pool, sizeof(*db));

    db->pool = pool;
    db->source = source;
    db->baton = baton;
    db->issuer = issuer;
    db->gate = gate;
    db->wait = wait;
    db->log = log;
    return db;
}

/* Registered before the connection is borrowed, so it runs after the owner's own cleanup. */
static apr_status_t give_back(void *data)
{
    oas_db_t *db = data;

    if (db->conn) {
        if (db->source->give_back)
            db->source->give_back(db->baton, &db->dbd);
        oas_gauge_add(OAS_M_POOL_USED, -1);
    }
    db->conn = NULL;
    oas_gate_leave(&db->place);
    return APR_SUCCESS;
}

void oas_db_release(oas_db_t *db)
{
    if (db->conn && db->source->give_back && !db->dbd.kept)
        apr_pool_cleanup_run(db->pool, db, give_back);
}

static apr_status_t trouble(oas_db_t *db, oas_trouble_t trouble_id, const char *label,
                            const char *detail)
{
    db->last = trouble_id;
    oas_count(OAS_M_TROUBLES, (int)trouble_id, 0);
    oas_trouble_log(db->log, trouble_id, label, detail);
    return oas_trouble_status(trouble_id);
}

oas_trouble_t oas_db_trouble(const oas_db_t *db)
{
    oas_gate_stats_t stats = {0};

    if (db->last == OAS_TROUBLE_GATE)
        oas_gate_stats(db->gate, &stats);
    return stats.away ? OAS_TROUBLE_BORROW : db->last;
}

/* Counts a request that got no place: because all are taken, or because nobody is let in. */
static void count_refusal(oas_gate_t *gate)
{
    oas_gate_stats_t stats;

    oas_gate_stats(gate, &stats);
    oas_count(OAS_M_POOL_REFUSED, stats.away ? OAS_METRIC_POOL_AWAY : OAS_METRIC_POOL_FULL, 0);
}

static apr_status_t enter_gate(oas_db_t *db)
{
    apr_time_t came = oas_wire_clock();
    apr_status_t rv;

    oas_gauge_add(OAS_M_POOL_WAITING, 1);
    rv = oas_gate_enter(db->gate, db->wait, &db->place);
    oas_gauge_add(OAS_M_POOL_WAITING, -1);
    oas_observe(OAS_M_POOL_WAIT, 0, oas_wire_clock() - came);
    if (rv != APR_SUCCESS)
        count_refusal(db->gate);
    return rv;
}

static apr_status_t borrow(oas_db_t *db)
{
    apr_status_t rv;

    if (db->conn)
        return APR_SUCCESS;
    if (db->failed)
        return OAS_DB_UNAVAILABLE;
    if (db->gate && enter_gate(db) != APR_SUCCESS) {
        db->failed = 1;
        return trouble(db, OAS_TROUBLE_GATE, NULL, NULL);
    }
    apr_pool_cleanup_register(db->pool, db, give_back, apr_pool_cleanup_null);
    rv = db->source->borrow(db->baton, &db->dbd);
    if (rv == APR_SUCCESS && !strcmp(apr_dbd_name(db->dbd.driver), "pgsql")) {
        db->conn = apr_dbd_native_handle(db->dbd.driver, db->dbd.handle);
        oas_gauge_add(OAS_M_POOL_USED, 1);
        return APR_SUCCESS;
    }
    db->failed = 1;
    oas_gate_report(&db->place, 0);
    oas_gate_leave(&db->place);
    return trouble(db, rv == APR_SUCCESS ? OAS_TROUBLE_DRIVER : OAS_TROUBLE_BORROW, NULL, NULL);
}

/* libpq's words about a connection, on one line. They name hosts, never parameters. */
static const char *connection_error(oas_db_t *db)
{
    char *text = apr_pstrdup(db->pool, PQerrorMessage(db->conn));
    char *p;

    for (p = text; *p; p++) {
        if (apr_iscntrl(*p))
            *p = ' ';
    }
    return text;
}

/* Connects anew; the reset's event prepares our statements again, see prepare.c. Twice, because a
 * backend that is killed while it greets us says nothing about the database. */
static int reset(oas_db_t *db)
{
    int tries;

    for (tries = 0; tries < 2; tries++) {
        if (apr_dbd_check_conn(db->dbd.driver, db->dbd.pool, db->dbd.handle) == APR_SUCCESS &&
            PQstatus(db->conn) == CONNECTION_OK)
            return 1;
    }
    return 0;
}

/* A live connection with nothing going on. Whatever another module left open on it is thrown away
 * by a reset: inside somebody's transaction no write of ours would be committed. */
static apr_status_t revive(oas_db_t *db)
{
    if (oas_wire_good(db->conn)) {
        if (PQtransactionStatus(db->conn) == PQTRANS_IDLE)
            return APR_SUCCESS;
        oas_wire_abandon(db->conn);
    }
    if (reset(db))
        return APR_SUCCESS;
    oas_gate_report(&db->place, 0);
    return trouble(db, OAS_TROUBLE_RESET, NULL, connection_error(db));
}

apr_status_t oas_db_native(oas_db_t *db, PGconn **conn)
{
    apr_status_t rv = borrow(db);

    if (rv == APR_SUCCESS)
        rv = revive(db);
    *conn = rv == APR_SUCCESS ? db->conn : NULL;
    return rv;
}

static oas_trouble_t mismatch(const oas_db_t *db, const oas_conn_t *state)
{
    if (!oas_schema_usable(state->version))
        return OAS_TROUBLE_SCHEMA;
    return db->issuer && strcmp(db->issuer, state->issuer) ? OAS_TROUBLE_ISSUER : OAS_TROUBLE_NONE;
}

/* What the connection remembers of the schema is read once more before anybody is refused. */
static apr_status_t check_schema(oas_db_t *db, oas_conn_t **out)
{
    oas_conn_t *state = oas_conn_find(db->conn);
    oas_trouble_t found;

    if (!state) {
        /* nobody told of this connection; the request's log does not live as long as it does */
        oas_db_connected(&db->dbd, NULL, 0, NULL, NULL, NULL);
        state = oas_conn_find(db->conn);
    }
    if (!state)
        return trouble(db, OAS_TROUBLE_OTHER, NULL, "libpq takes no event procedure");
    if (db->gate && !db->sized)
        oas_gate_size(db->gate, state->max);
    db->sized = 1;
    *out = state;
    found = mismatch(db, state);
    if (found != OAS_TROUBLE_NONE) {
        oas_conn_refresh(state, db->conn);
        found = mismatch(db, state);
    }
    if (found == OAS_TROUBLE_NONE)
        return APR_SUCCESS;
    if (PQstatus(db->conn) != CONNECTION_OK)
        return trouble(db, OAS_TROUBLE_LOST, NULL, NULL);
    oas_gate_report(&db->place, 1);
    return trouble(db, found, NULL,
                   found == OAS_TROUBLE_ISSUER
                       ? state->issuer
                       : apr_psprintf(db->pool, "version %d found", state->version));
}

static int send_statement(PGconn *conn, const oas_stmt_t *stmt, const char *const *params)
{
    return stmt->seldom
               ? PQsendQueryParams(conn, stmt->sql, stmt->params, NULL, params, NULL, NULL, 0)
               : PQsendQueryPrepared(conn, stmt->label, stmt->params, params, NULL, NULL, 0);
}

/* One statement, one answer. `sqlstate` gets what the server said when it refused. */
static oas_trouble_t execute(PGconn *conn, const oas_stmt_t *stmt, const char *const *params,
                             PGresult **result, char sqlstate[6])
{
    apr_time_t sent = oas_wire_clock();
    apr_status_t rv = APR_SUCCESS;
    oas_trouble_t found;
    const char *state;

    sqlstate[0] = '\0';
    *result = NULL;
    if (PQsetnonblocking(conn, 1) || !send_statement(conn, stmt, params))
        oas_wire_abandon(conn);
    else
        rv = oas_wire_collect(conn, sent + OAS_DB_DEADLINE, result);
    PQsetnonblocking(conn, 0);
    oas_observe(OAS_M_STATEMENT_TIME, (int)(stmt - oas_statements), oas_wire_clock() - sent);
    if (rv != APR_SUCCESS)
        return OAS_TROUBLE_DEADLINE;
    if (PQresultStatus(*result) == PGRES_TUPLES_OK || PQresultStatus(*result) == PGRES_COMMAND_OK)
        return OAS_TROUBLE_NONE;
    state = PQresultErrorField(*result, PG_DIAG_SQLSTATE);
    found = oas_trouble_of(state);
    if (state)
        apr_cpystrn(sqlstate, state, 6);
    PQclear(*result); /* state points into it */
    *result = NULL;
    return found;
}

/* How often a statement is sent again after a trouble. */
static int retries(oas_trouble_t found, const oas_stmt_t *stmt)
{
    switch (found) {
    case OAS_TROUBLE_LOST:
        return stmt->repeatable ? 2 : 0;
    case OAS_TROUBLE_READ_ONLY:
    case OAS_TROUBLE_UNPREPARED:
        return 1;
    case OAS_TROUBLE_CONFLICT:
        return 3;
    default:
        return 0;
    }
}

/* Leaves the connection so that it is whole for the next use, ours or another module's. */
static void settle(oas_db_t *db, oas_conn_t *state, oas_trouble_t found)
{
    switch (found) {
    case OAS_TROUBLE_LOST:
    case OAS_TROUBLE_READ_ONLY: /* a new connection may find the new primary */
        oas_wire_abandon(db->conn);
        break;
    case OAS_TROUBLE_UNPREPARED:
        oas_conn_refresh(state, db->conn);
        break;
    case OAS_TROUBLE_DEADLINE:
        oas_gate_report(&db->place, 0);
        break;
    default:
        oas_gate_report(&db->place, 1);
    }
}

apr_status_t oas_db_run(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                        oas_rows_t **rows, apr_pool_t *pool)
{
    const oas_stmt_t *stmt = &oas_statements[id];
    int seen[OAS_TROUBLE_COUNT] = {0};
    oas_trouble_t found;
    char sqlstate[6];
    PGresult *result;
    int i;

    for (i = 0;; i++) {
        oas_conn_t *state = NULL;
        PGconn *conn;
        apr_status_t rv = oas_db_native(db, &conn);

        if (rv == APR_SUCCESS)
            rv = check_schema(db, &state);
        if (rv != APR_SUCCESS)
            return rv;
        found = execute(conn, stmt, params, &result, sqlstate);
        settle(db, state, found);
        if (found == OAS_TROUBLE_NONE)
            break;
        if (i + 1 >= TRIES_MAX || seen[found]++ >= retries(found, stmt))
            return trouble(db, found, stmt->label, sqlstate[0] ? sqlstate : NULL);
        oas_count(OAS_M_TROUBLES, (int)found, 0);
        oas_log(db->log, OAS_LOG_INFO, OAS_TAG(00216), APR_SUCCESS,
                "statement %s is sent again%s%s", stmt->label,
                sqlstate[0] ? " after SQLSTATE " : "", sqlstate);
    }
    *rows = oas_rows_copy(result, pool);
    PQclear(result);
    return APR_SUCCESS;
}

apr_status_t oas_db_run_row(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                            oas_rows_t **rows, apr_pool_t *pool)
{
    oas_rows_t *found;
    apr_status_t rv = oas_db_run(db, id, params, &found, pool);

    if (rows)
        *rows = rv == APR_SUCCESS ? found : NULL;
    return rv == APR_SUCCESS && !found->count ? APR_ENOENT : rv;
}

apr_status_t oas_db_run_true(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                             apr_pool_t *pool)
{
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, id, params, &rows, pool);

    return rv == APR_SUCCESS && !oas_cell_true(rows, 0, 0) ? APR_ENOENT : rv;
}

apr_status_t oas_db_unreadable(oas_db_t *db, oas_stmt_id_t id)
{
    return trouble(db, OAS_TROUBLE_UNREADABLE, oas_statements[id].label, NULL);
}
