/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include <apr_hash.h>
#include "../base/json.h"
#include "../base/metrics.h"
#include "../store/client.h"
#include "../store/measure.h"
#include "../store/purge.h"
#include "audit_log.h"
#include "database.h"
#include "shift.h"

#define WATCHDOG_NAME "_oauth2as_"
#define FIRST_WAIT    apr_time_from_msec(500)
#define RETRY_WAIT    apr_time_from_sec(2) /* doubled each time */
#define RETRY_MAX     apr_time_from_sec(64)
#define MORE_WAIT     apr_time_from_msec(100)
#define SHIFT_NOTE    "oas_watchdog_shift"
#define PURGE_BATCHES 20 /* of one issuer in one run: its connection is not ours alone */

/* Each run gives the connection back after every statement: under MPM prefork it may be the only
 * one that requests of this process have. */

/** How far a task got. A run over all issuers ends as its worst part. */
typedef enum { ALL_DONE, MORE_TO_DO, DATABASE_AWAY } progress_t;

typedef struct task task_t;

/** What is done for each issuer, again and again. */
typedef struct {
    progress_t (*run)(const task_t *task, server_rec *s, oas_db_t *db, apr_pool_t *pool);
    apr_interval_time_t again; /**< after all is done */
} job_t;

/** A job of one server process and its children; written by one watchdog thread at a time. */
struct task {
    const job_t *job;
    oas_shift_t *shift;
    server_rec *main_server;
    ap_watchdog_t *watchdog;
    oas_watchdog_fns_t fns;
    apr_interval_time_t retry; /* the wait after the next failure */
    int done_once;
};

/** Writes configured clients to the clients table, and says that this node still has them. */
static progress_t sync_clients(const task_t *task, server_rec *s, oas_db_t *db, apr_pool_t *pool)
{
    const oas_server_config_t *config = oas_server_config(s);
    int i;

    for (i = 0; i < config->clients->nelts && oas_shift_is_open(task->shift); i++) {
        const oas_client_t *client =
            &APR_ARRAY_IDX(config->clients, i, oas_client_config_t *)->client;
        apr_status_t rv = oas_store_client_sync(db, client, pool);

        oas_db_release(db);
        if (rv == APR_EEXIST && !task->done_once) {
            oas_log(&config->log, OAS_LOG_WARNING, OAS_TAG(00341), APR_SUCCESS,
                    "client %s is in the database too; the one of the configuration counts",
                    client->client_id);
        } else if (rv != APR_SUCCESS && rv != APR_EEXIST) {
            return DATABASE_AWAY;
        }
    }
    return ALL_DONE;
}

/** Deletes what has ended. The store logs what goes wrong. */
static progress_t purge(const task_t *task, server_rec *s, oas_db_t *db, apr_pool_t *pool)
{
    int total = 0, deleted = 0, more = 1;
    int i;

    for (i = 0; i < PURGE_BATCHES && more && oas_shift_is_open(task->shift); i++) {
        apr_pool_t *part;
        apr_status_t rv = apr_pool_create(&part, pool);

        more = 0;
        if (rv == APR_SUCCESS) {
            rv = oas_store_purge(db, OAS_PURGE_BATCH, &deleted, &more, part);
            apr_pool_destroy(part);
            oas_db_release(db);
        }
        if (rv != APR_SUCCESS) {
            return DATABASE_AWAY;
        }
        total += deleted > 0 ? deleted : 0;
        more &= deleted >= 0; /* another node is at it */
    }
    oas_count_many(OAS_M_PURGED, oas_server_config(s)->issuer.metric, 0, (apr_uint64_t)total);
    if (total > 0) {
        oas_log(&oas_server_config(s)->log, OAS_LOG_DEBUG, OAS_TAG(00386), APR_SUCCESS,
                "%d rows that had ended were deleted", total);
    }
    return more ? MORE_TO_DO : ALL_DONE;
}

static void tell_limited(server_rec *s, int ended, apr_pool_t *pool)
{
    const oas_server_config_t *config = oas_server_config(s);
    oas_members_t *more = oas_members_create(pool);

    oas_log(&config->log, OAS_LOG_INFO, OAS_TAG(00387), APR_SUCCESS,
            "%d families of refresh tokens were ended, the oldest of those who had more than %d",
            ended, config->issuer.refresh_limit);
    oas_members_integer(more, "count", ended);
    oas_audit_background(s, OAS_AUDIT_REVOKE, "limit", more, pool);
}

/** Ends the oldest families of those who have too many (OAuth2ASRefreshLimit). */
static progress_t limit_families(const task_t *task, server_rec *s, oas_db_t *db, apr_pool_t *pool)
{
    const oas_server_config_t *config = oas_server_config(s);
    int ended = 0;

    if (oas_store_limit_families(db, config->issuer.refresh_limit, &ended, pool) != APR_SUCCESS) {
        return DATABASE_AWAY;
    }
    if (ended > 0) {
        tell_limited(s, ended, pool);
    }
    return ALL_DONE;
}

/** Sets the gauges that only the database knows, so that nobody waits for it who reads them. */
static progress_t measure(const task_t *task, server_rec *s, oas_db_t *db, apr_pool_t *pool)
{
    int issuer = oas_server_config(s)->issuer.metric;
    oas_measured_t measured;

    if (oas_store_measure(db, &measured, pool) != APR_SUCCESS) {
        return DATABASE_AWAY;
    }
    oas_gauge_set(OAS_M_SCHEMA_VERSION, issuer, measured.schema_version);
    oas_gauge_set(OAS_M_LOGOUT_QUEUE, issuer, measured.logouts);
    oas_gauge_set(OAS_M_PURGE_BACKLOG, issuer, measured.due);
    if (measured.purged != 0) {
        oas_gauge_set(OAS_M_PURGE_LAST, issuer, measured.purged);
    }
    return ALL_DONE;
}

static const job_t jobs[] = {{sync_clients, apr_time_from_sec(60)},
                             {purge, apr_time_from_sec(10)},
                             {limit_families, apr_time_from_sec(10)},
                             {measure, apr_time_from_sec(15)}};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

static progress_t run_all(const task_t *task, apr_pool_t *pool)
{
    progress_t worst = ALL_DONE;
    server_rec *s;

    for (s = task->main_server; s != NULL && oas_shift_is_open(task->shift); s = s->next) {
        oas_server_config_t *config = oas_server_config(s);
        progress_t progress;
        apr_pool_t *part;

        if (config->issuer.url == NULL || config->child == NULL ||
            apr_pool_create(&part, pool) != APR_SUCCESS) {
            continue;
        }
        progress = task->job->run(task, s, oas_background_db(config, part), part);
        worst = progress > worst ? progress : worst;
        apr_pool_destroy(part);
    }
    return worst;
}

/** How long to wait after a run, and what to remember of it. */
static apr_interval_time_t next_wait(task_t *task, progress_t progress)
{
    apr_interval_time_t wait = task->retry;

    if (progress == DATABASE_AWAY) {
        task->retry = wait < RETRY_MAX ? 2 * wait : RETRY_MAX;
        return wait;
    }
    task->retry = RETRY_WAIT;
    task->done_once = 1;
    return progress == MORE_TO_DO ? MORE_WAIT : task->job->again;
}

/** Always succeeds: any other status would end the task for good. */
static apr_status_t run_task(int state, void *data, apr_pool_t *pool)
{
    task_t *task = data;

    if (state != AP_WATCHDOG_STATE_RUNNING || !oas_shift_enter(task->shift)) {
        return APR_SUCCESS;
    }
    task->fns.set_interval(task->watchdog, next_wait(task, run_all(task, pool)), task, run_task);
    oas_shift_leave(task->shift);
    return APR_SUCCESS;
}

void oas_watchdog_child(apr_pool_t *pchild, server_rec *main_server)
{
    void *shift = NULL;

    apr_pool_userdata_get(&shift, SHIFT_NOTE, main_server->process->pconf);
    oas_shift_begin(shift, pchild);
}

void oas_watchdog_register(apr_pool_t *pconf, server_rec *main_server)
{
    ap_watchdog_t *watchdog = NULL;
    oas_watchdog_fns_t fns;
    oas_shift_t *shift = NULL;
    apr_status_t rv = oas_watchdog_find(&fns);
    apr_size_t i;

    if (rv == APR_SUCCESS) {
        rv = oas_shift_create(&shift, pconf);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_userdata_setn(shift, SHIFT_NOTE, NULL, pconf);
        rv = fns.get_instance(&watchdog, WATCHDOG_NAME, 0, 1, pconf);
    }
    for (i = 0; i < JOBS && rv == APR_SUCCESS; i++) {
        task_t *task = apr_pcalloc(pconf, sizeof(*task));

        task->job = &jobs[i];
        task->shift = shift;
        task->main_server = main_server;
        task->watchdog = watchdog;
        task->fns = fns;
        task->retry = RETRY_WAIT;
        rv = fns.add_callback(watchdog, FIRST_WAIT, task, run_task);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, main_server,
                     OAS_TAG(00342) ": mod_watchdog cannot be used; configured clients are not "
                                    "written to the database, and what has ended is not deleted");
    }
}
