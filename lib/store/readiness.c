/* SPDX-License-Identifier: Apache-2.0 */
#include "readiness.h"

#include <apr_thread_mutex.h>
#include "../base/clock.h"
#include "runner.h"

struct oas_readiness {
    apr_thread_mutex_t *mutex;
    oas_ready_t found;
    int away;         /* found so behind a gate that was shut */
    apr_time_t began; /* of the last probe, by oas_clock; 0: there was none */
    int probing;
};

static const oas_ready_t of_trouble[OAS_TROUBLE_COUNT] = {
    [OAS_TROUBLE_NONE] = OAS_READY_YES,
    [OAS_TROUBLE_GATE] = OAS_READY_YES,
    [OAS_TROUBLE_BORROW] = OAS_READY_UNREACHABLE,
    [OAS_TROUBLE_DRIVER] = OAS_READY_UNREACHABLE,
    [OAS_TROUBLE_RESET] = OAS_READY_UNREACHABLE,
    [OAS_TROUBLE_LOST] = OAS_READY_UNREACHABLE,
    [OAS_TROUBLE_DEADLINE] = OAS_READY_UNREACHABLE,
    [OAS_TROUBLE_CANCELLED] = OAS_READY_UNREACHABLE,
    [OAS_TROUBLE_LOCKED] = OAS_READY_UNREACHABLE,
    [OAS_TROUBLE_LATE] = OAS_READY_UNREACHABLE,
    [OAS_TROUBLE_READ_ONLY] = OAS_READY_READ_ONLY,
    [OAS_TROUBLE_SCHEMA] = OAS_READY_SCHEMA,
    [OAS_TROUBLE_ISSUER] = OAS_READY_ISSUER,
    [OAS_TROUBLE_PRIVILEGE] = OAS_READY_PRIVILEGE,
};

apr_status_t oas_readiness_create(oas_readiness_t **out, apr_pool_t *pool)
{
    *out = apr_pcalloc(pool, sizeof(**out));
    return apr_thread_mutex_create(&(*out)->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

static oas_ready_t probe(oas_db_t *db, apr_pool_t *pool)
{
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_PROBE, NULL, &rows, pool);
    oas_ready_t found;

    if (rv == APR_SUCCESS)
        return oas_cell_true(rows, 0, 0) ? OAS_READY_YES : OAS_READY_READ_ONLY;
    found = of_trouble[oas_db_trouble(db)];
    return found == OAS_READY_UNKNOWN ? OAS_READY_REFUSED : found;
}

static int is_away(const oas_db_t *db)
{
    return oas_db_gate(db) && oas_gate_is_away(oas_db_gate(db));
}

/* Probes, and keeps what was found. */
static oas_ready_t look(oas_readiness_t *readiness, int claimed, oas_db_t *db, apr_pool_t *pool)
{
    int away = is_away(db);
    oas_ready_t found = probe(db, pool);

    apr_thread_mutex_lock(readiness->mutex);
    readiness->found = found;
    readiness->away = found == OAS_READY_UNREACHABLE && (away || is_away(db));
    if (claimed)
        readiness->probing = 0;
    apr_thread_mutex_unlock(readiness->mutex);
    return found;
}

/* 1: the next probe is this one's, since the last one began so long ago. Mutex held. */
static int claim(oas_readiness_t *readiness, apr_interval_time_t interval)
{
    apr_time_t now = oas_clock();

    if (readiness->probing || (readiness->began && now - readiness->began < interval))
        return 0;
    readiness->probing = 1;
    readiness->began = now;
    return 1;
}

oas_ready_t oas_readiness_ask(oas_readiness_t *readiness, oas_db_t *db, apr_pool_t *pool)
{
    oas_ready_t found;
    int mine, outdated;

    apr_thread_mutex_lock(readiness->mutex);
    found = readiness->found;
    outdated = readiness->away && !is_away(db); /* others have found it back */
    mine = claim(readiness, outdated ? 0 : OAS_READY_INTERVAL);
    if (!mine && readiness->probing && oas_clock() - readiness->began >= OAS_READY_PATIENCE)
        found = OAS_READY_UNREACHABLE;
    apr_thread_mutex_unlock(readiness->mutex);
    if (!mine && !outdated)
        return found;
    return look(readiness, mine, db, pool);
}

oas_ready_t oas_readiness_look(oas_readiness_t *readiness, oas_db_t *db, apr_pool_t *pool)
{
    int mine;

    apr_thread_mutex_lock(readiness->mutex);
    mine = claim(readiness, 0);
    apr_thread_mutex_unlock(readiness->mutex);
    return mine ? look(readiness, 1, db, pool) : OAS_READY_UNKNOWN;
}
