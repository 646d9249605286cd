/* SPDX-License-Identifier: Apache-2.0 */
#include "db.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/clock.h"
#include "../base/metrics.h"
#include "runner.h"
#include "schema.h"
#include "settle.h"
#include "wire.h"

#define TRIES_MAX       12 /* of one statement, whatever happens */
#define ATTEMPT_RETRIES 10 /* where a client's own repetition could be refused */
#define ATTEMPT_PAUSE   apr_time_from_msec(50)
#define CONNECT_AGAIN   apr_time_from_sec(1) /* less than a silent host takes */

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
    PGconn *conn;                     /* NULL: nothing borrowed */
    int sized;                        /* the gate knows the size of the pool */
    oas_trouble_t last;               /* what was logged last */
    int failed;                       /* there was none: this request does not wait for one again */
    apr_interval_time_t limit, spent; /* waiting for statements, in all of this request */
    apr_time_t until;                 /* of the statement that runs now; 0: there is none */
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
    db->limit = OAS_DB_LIMIT;
    return db;
}

void oas_db_limit(oas_db_t *db, apr_interval_time_t limit)
{
    db->limit = limit;
}

void oas_db_renew(oas_db_t *db)
{
    db->spent = 0;
}

oas_gate_t *oas_db_gate(const oas_db_t *db)
{
    return db->gate;
}

const oas_log_t *oas_db_log(const oas_db_t *db)
{
    return db->log;
}

apr_pool_t *oas_db_pool(const oas_db_t *db)
{
    return db->pool;
}

/* One that is kept may be its owner's again, or gone: it is not touched. */
static apr_status_t give_back(void *data)
{
    oas_db_t *db = data;

    if (db->conn) {
        db->dbd.stale = !db->dbd.kept && PQstatus(db->conn) != CONNECTION_OK;
        if (db->dbd.stale)
            oas_gate_dead(&db->place);
        if (db->source->give_back && !db->dbd.kept)
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

static apr_status_t enter_gate(oas_db_t *db, apr_time_t until)
{
    apr_time_t came = oas_clock();
    apr_status_t rv;

    oas_gauge_add(OAS_M_POOL_WAITING, 1);
    rv = oas_gate_enter(db->gate, until - came, &db->place);
    if (rv == APR_SUCCESS) {
        rv = oas_gate_lend(&db->place, until - oas_clock());
        if (rv != APR_SUCCESS)
            oas_gate_leave(&db->place);
    }
    oas_gauge_add(OAS_M_POOL_WAITING, -1);
    oas_observe(OAS_M_POOL_WAIT, 0, oas_clock() - came);
    if (rv != APR_SUCCESS)
        count_refusal(db->gate);
    return rv;
}

static apr_status_t borrow(oas_db_t *db, apr_time_t until)
{
    apr_time_t since = oas_clock();
    apr_status_t rv;

    if (db->conn)
        return APR_SUCCESS;
    if (db->failed)
        return OAS_DB_UNAVAILABLE;
    if (db->gate && enter_gate(db, until) != APR_SUCCESS) {
        db->failed = 1;
        return trouble(db, OAS_TROUBLE_GATE, NULL, NULL);
    }
    /* the place is left after the owner's own cleanup has taken back what is kept */
    apr_pool_cleanup_register(db->pool, db, give_back, apr_pool_cleanup_null);
    rv = db->source->borrow(db->baton, &db->dbd);
    if (db->gate && (rv != APR_SUCCESS || !db->dbd.stale))
        oas_gate_lent(&db->place, rv == APR_SUCCESS);
    if (rv == APR_SUCCESS && !strcmp(apr_dbd_name(db->dbd.driver), "pgsql")) {
        db->conn = apr_dbd_native_handle(db->dbd.driver, db->dbd.handle);
        oas_gauge_add(OAS_M_POOL_USED, 1);
        if (!db->dbd.kept) /* it may be in a pool below ours, which goes before our cleanups run */
            apr_pool_pre_cleanup_register(db->pool, db, give_back);
        if (db->dbd.stale)
            oas_wire_abandon(db->conn);
        return APR_SUCCESS;
    }
    db->failed = 1;
    oas_gate_report_silence(&db->place, since);
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

/* Connects anew; the reset's event prepares our statements again, see prepare.c. Once more when it
 * failed at once, because a backend that is killed while it greets us says nothing about the
 * database. */
static int reset(oas_db_t *db)
{
    oas_conn_t *state = oas_conn_find(db->conn);
    apr_time_t start = oas_clock();
    apr_interval_time_t remaining = db->until - start, least = db->limit / 4;
    int tries, good = 0;

    if (state && db->until)
        state->left = remaining > least ? remaining : least;
    for (tries = 0; tries < 2 && !good && oas_clock() - start < CONNECT_AGAIN; tries++)
        good = apr_dbd_check_conn(db->dbd.driver, db->dbd.pool, db->dbd.handle) == APR_SUCCESS &&
               PQstatus(db->conn) == CONNECTION_OK;
    if (state)
        state->left = 0;
    return good;
}

/* Whether this one is to connect anew. Otherwise somebody else does, and what is dead has been
 * given back. What cannot be given back has to be made alive here. */
static int may_reset(oas_db_t *db)
{
    int may = oas_gate_remake(&db->place) || db->dbd.kept || !db->source->give_back;

    if (!may)
        oas_db_release(db);
    return may;
}

/* A live connection with nothing going on. Whatever another module left open on it is thrown away
 * by a reset: inside somebody's transaction no write of ours would be committed. APR_EAGAIN: it was
 * dead and is gone. */
static apr_status_t revive(oas_db_t *db)
{
    apr_time_t since = oas_clock();

    if (oas_wire_good(db->conn)) {
        if (PQtransactionStatus(db->conn) == PQTRANS_IDLE)
            return APR_SUCCESS;
        oas_wire_abandon(db->conn);
    } else if (db->gate) {
        oas_gate_note_loss(&db->place); /* others may have had something under way */
    }
    if (!may_reset(db))
        return APR_EAGAIN;
    if (reset(db)) {
        if (db->gate)
            oas_gate_lent(&db->place, 1);
        return APR_SUCCESS;
    }
    oas_gate_report_silence(&db->place, since);
    return trouble(db, OAS_TROUBLE_RESET, NULL, connection_error(db));
}

apr_status_t oas_db_native(oas_db_t *db, PGconn **conn)
{
    apr_interval_time_t wait = db->gate ? oas_gate_patience(db->gate, db->wait) : 0;
    apr_time_t until = oas_clock() + wait;
    apr_status_t rv;

    do {
        rv = borrow(db, until);
        if (rv == APR_SUCCESS)
            rv = revive(db);
    } while (rv == APR_EAGAIN);
    *conn = rv == APR_SUCCESS ? db->conn : NULL;
    return rv;
}

static oas_trouble_t mismatch(const oas_db_t *db, const oas_conn_t *state)
{
    if (state->denied)
        return OAS_TROUBLE_PRIVILEGE;
    if (!oas_schema_usable(state->version))
        return OAS_TROUBLE_SCHEMA;
    return db->issuer && strcmp(db->issuer, state->issuer) ? OAS_TROUBLE_ISSUER : OAS_TROUBLE_NONE;
}

static const char *mismatch_detail(const oas_db_t *db, const oas_conn_t *state, oas_trouble_t found)
{
    switch (found) {
    case OAS_TROUBLE_ISSUER:
        return state->issuer;
    case OAS_TROUBLE_PRIVILEGE:
        return "it may not read oas_schema";
    default:
        return apr_psprintf(db->pool, "version %d found", state->version);
    }
}

/* What the connection remembers of the schema is read once more before anybody is refused.
 * APR_EAGAIN: it has died meanwhile. */
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
        return APR_EAGAIN;
    oas_gate_report(&db->place, 1);
    return trouble(db, found, NULL, mismatch_detail(db, state, found));
}

/* One run of a statement: what it has come to so far. */
typedef struct {
    const oas_stmt_t *stmt;
    const char *const *params;
    apr_time_t began, deadline;
    apr_time_t sent;
    apr_interval_time_t connecting; /* time that does not count, see connected */
    int seen[OAS_TROUBLE_COUNT];
    int tries;
    int was_old;   /* the connection had been made before this statement was asked for */
    int uncertain; /* an attempt was sent, and nobody said what became of it */
    char sqlstate[6];
    PGresult *result;
} run_t;

/* The time until which the database may begin with an attempt: whatever comes later has been given
 * up by then, and may not happen behind our back. */
static void note_until(char *until, const oas_db_t *db, const oas_conn_t *state, const run_t *run)
{
    apr_time_t time = oas_clock() + db->limit / 2;

    time = state->ahead + (time < run->deadline ? time : run->deadline);
    oas_sql_put_seconds(until, time);
}

static int send_statement(PGconn *conn, const oas_stmt_t *stmt, const char *const *params,
                          const char *until)
{
    const char *all[OAS_STMT_PARAMS_MAX];

    if (OAS_STMT_IS_ATTEMPT(stmt)) {
        memcpy(all, params, (stmt->params - 1) * sizeof(*all));
        all[stmt->params - 1] = until;
        params = all;
    }
    return stmt->seldom
               ? PQsendQueryParams(conn, stmt->sql, stmt->params, NULL, params, NULL, NULL, 0)
               : PQsendQueryPrepared(conn, stmt->label, stmt->params, params, NULL, NULL, 0);
}

/* One statement, one answer. run->sqlstate gets what the server said when it refused. */
static oas_trouble_t execute(oas_db_t *db, const oas_conn_t *state, run_t *run)
{
    PGconn *conn = db->conn;
    apr_status_t rv = APR_SUCCESS;
    oas_trouble_t found;
    const char *sqlstate;
    char until[OAS_SQL_SECONDS_SIZE];

    run->sqlstate[0] = '\0';
    run->result = NULL;
    run->sent = oas_clock();
    note_until(until, db, state, run);
    if (PQsetnonblocking(conn, 1) || !send_statement(conn, run->stmt, run->params, until))
        oas_wire_abandon(conn);
    else
        rv = oas_wire_collect(conn, run->deadline, &run->result);
    PQsetnonblocking(conn, 0);
    oas_observe(OAS_M_STATEMENT_TIME, (int)(run->stmt - oas_statements), oas_clock() - run->sent);
    if (rv != APR_SUCCESS)
        return OAS_TROUBLE_DEADLINE;
    if (PQresultStatus(run->result) == PGRES_TUPLES_OK ||
        PQresultStatus(run->result) == PGRES_COMMAND_OK)
        return OAS_TROUBLE_NONE;
    sqlstate = PQresultErrorField(run->result, PG_DIAG_SQLSTATE);
    found = oas_trouble_of(sqlstate);
    if (sqlstate)
        apr_cpystrn(run->sqlstate, sqlstate, 6);
    PQclear(run->result); /* sqlstate points into it */
    run->result = NULL;
    return found;
}

/* How often a statement is sent again after a trouble. */
static int retries(oas_trouble_t found, const oas_stmt_t *stmt)
{
    switch (found) {
    case OAS_TROUBLE_LOST:
        return OAS_STMT_IS_ATTEMPT(stmt) ? ATTEMPT_RETRIES : stmt->repeatable ? 2 : 0;
    case OAS_TROUBLE_READ_ONLY:
    case OAS_TROUBLE_UNPREPARED:
    case OAS_TROUBLE_LATE:
        return 1;
    case OAS_TROUBLE_CONFLICT:
        return 3;
    case OAS_TROUBLE_LOCKED:
        return OAS_STMT_IS_ATTEMPT(stmt) ? 2 : 0;
    default:
        return 0;
    }
}

/* Whether somebody, this one or who made it wait, may not be told what became of an attempt. */
static int is_loss(const run_t *run, oas_trouble_t found)
{
    return found == OAS_TROUBLE_LOST || found == OAS_TROUBLE_DEADLINE ||
           (OAS_STMT_IS_ATTEMPT(run->stmt) &&
            (found == OAS_TROUBLE_CANCELLED || found == OAS_TROUBLE_LOCKED));
}

/* Leaves the connection so that it is whole for the next use, ours or another module's. */
static void leave_whole(oas_db_t *db, oas_conn_t *state, const run_t *run, oas_trouble_t found)
{
    if (is_loss(run, found))
        oas_gate_note_loss(&db->place);
    switch (found) {
    case OAS_TROUBLE_LOST:
    case OAS_TROUBLE_READ_ONLY: /* a new connection may find the new primary */
        oas_wire_abandon(db->conn);
        break;
    case OAS_TROUBLE_UNPREPARED:
        oas_conn_refresh(state, db->conn);
        break;
    case OAS_TROUBLE_LATE: /* its clock was set, or the network has become fast again */
        oas_conn_look_at_clock(state, db->conn);
        break;
    case OAS_TROUBLE_DEADLINE: /* unless it had little time because the request had used it up */
        if (db->spent < db->limit / 2)
            oas_gate_report_silence(&db->place, run->sent);
        break;
    default:
        oas_gate_report(&db->place, 1);
    }
}

/* Whether the time is up, or will be after a pause. */
static int is_late(const run_t *run, apr_interval_time_t pause)
{
    return oas_clock() + pause >= run->deadline;
}

/* Those that are in the pool may die together, and each looks alive until its backend has run: the
 * loss of one says nothing about the next. (Attempts have enough retries to pass them by.) */
static int is_one_of_many(const run_t *run, oas_trouble_t found)
{
    return found == OAS_TROUBLE_LOST && run->was_old && !OAS_STMT_IS_ATTEMPT(run->stmt);
}

/* Whether this statement is sent once more. */
static int once_more(run_t *run, oas_trouble_t found)
{
    if (run->seen[found] >= retries(found, run->stmt) || ++run->tries >= TRIES_MAX)
        return 0;
    run->seen[found] += !is_one_of_many(run, found);
    return !is_late(run, found == OAS_TROUBLE_LOCKED ? OAS_SETTLE_PAUSE : 0);
}

/* Where it connects anew, that takes as long as hosts are silent that come before the good one. It
 * does not count once, or no connection would ever be used where it takes longer than a statement
 * may. */
static apr_status_t connected(oas_db_t *db, run_t *run, oas_conn_t **state)
{
    apr_time_t since = oas_clock();
    PGconn *conn;
    apr_status_t rv;

    do {
        db->until = run->deadline;
        rv = oas_db_native(db, &conn);
        db->until = 0;
        if (rv == APR_SUCCESS)
            rv = check_schema(db, state);
    } while (rv == APR_EAGAIN && ++run->tries < TRIES_MAX);
    if (rv == APR_EAGAIN)
        return trouble(db, OAS_TROUBLE_LOST, NULL, NULL);
    if (rv != APR_SUCCESS)
        return rv;
    run->was_old = (*state)->made < run->began;
    if ((*state)->made > since && !run->connecting) {
        run->connecting = (*state)->made - since;
        run->deadline += run->connecting;
    }
    return APR_SUCCESS;
}

/* An attempt that may have been carried out is not given up while there is time: what the client
 * would ask for next could be taken for a replay. */
static int keep_trying(oas_db_t *db, const run_t *run)
{
    if (!run->uncertain || is_late(run, ATTEMPT_PAUSE))
        return 0;
    apr_sleep(ATTEMPT_PAUSE);
    db->failed = 0;
    return 1;
}

static apr_status_t run_statement(oas_db_t *db, run_t *run)
{
    for (;;) {
        oas_conn_t *state = NULL;
        oas_trouble_t found;
        apr_status_t rv = connected(db, run, &state);

        if (rv != APR_SUCCESS) {
            if (keep_trying(db, run))
                continue;
            return rv;
        }
        if (is_late(run, 0)) /* to send it would cost a good connection */
            return trouble(db, OAS_TROUBLE_DEADLINE, run->stmt->label, NULL);
        found = execute(db, state, run);
        leave_whole(db, state, run, found);
        if (found == OAS_TROUBLE_NONE)
            return APR_SUCCESS;
        run->uncertain |= OAS_STMT_IS_ATTEMPT(run->stmt) &&
                          (found == OAS_TROUBLE_LOST || found == OAS_TROUBLE_DEADLINE);
        if (!once_more(run, found) ||
            (found == OAS_TROUBLE_LOCKED && oas_settle_pause(db) != APR_SUCCESS))
            return trouble(db, found, run->stmt->label, run->sqlstate[0] ? run->sqlstate : NULL);
        oas_count(OAS_M_TROUBLES, (int)found, 0);
        oas_log(db->log, OAS_LOG_INFO, OAS_TAG(00216), APR_SUCCESS,
                "statement %s is sent again%s%s", run->stmt->label,
                run->sqlstate[0] ? " after SQLSTATE " : "", run->sqlstate);
    }
}

apr_status_t oas_db_run(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                        oas_rows_t **rows, apr_pool_t *pool)
{
    run_t run = {.stmt = &oas_statements[id], .params = params};
    apr_status_t rv;

    rv = oas_settle_before(db, run.stmt, params, pool);
    if (rv != APR_SUCCESS)
        return rv;
    run.began = oas_clock();
    run.deadline = run.began + db->limit - db->spent;
    rv = run_statement(db, &run);
    db->spent += oas_clock() - run.began - run.connecting;
    if (rv != APR_SUCCESS) {
        if (run.uncertain)
            oas_settle_later(db, run.stmt, params);
        return rv;
    }
    *rows = oas_rows_copy(run.result, pool);
    PQclear(run.result);
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

apr_status_t oas_db_run_list(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                             apr_array_header_t **out, apr_size_t size, oas_row_reader_t read,
                             apr_pool_t *pool)
{
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run(db, id, params, &rows, pool);

    if (rv == APR_SUCCESS && oas_rows_list(out, rows, 0, size, read, pool) > 0)
        rv = oas_db_unreadable(db, id);
    return rv;
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
