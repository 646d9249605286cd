/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include "../store/readiness.h"
#include "../store/undo_area.h"
#include "database.h"
#include "retained.h"
#include "shift.h"

#define LOOK_WAIT apr_time_from_msec(100)
#define TASK_NOTE "oas_recovery_tasks"
#define RETAINED  "oas_undo"

/** What each child does for an issuer when there is reason to. */
typedef struct {
    const char *watchdog;
    int (*is_wanted)(oas_server_config_t *config);
    void (*run)(oas_server_config_t *config, apr_pool_t *pool);
} job_t;

typedef struct {
    const job_t *job;
    oas_shift_t *shift;
    server_rec *main_server;
} task_t;

static void probe(oas_server_config_t *config, apr_pool_t *pool)
{
    oas_readiness_look(config->readiness, oas_probing_db(config, pool), pool);
    if (!oas_database_away(config)) {
        oas_log(&config->log, OAS_LOG_INFO, OAS_TAG(01320), APR_SUCCESS,
                "the database can be reached again");
    }
}

static void settle(oas_server_config_t *config, apr_pool_t *pool)
{
    oas_db_settle(oas_background_db(config, pool));
}

/** Each has a thread: a database that is silent holds up whoever probes it, and nobody else. */
static const job_t jobs[] = {{"_oauth2as_probe_", oas_database_turn, probe},
                             {"_oauth2as_settle_", oas_database_unsettled, settle}};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

static void run_job(const job_t *job, server_rec *s, apr_pool_t *pool)
{
    oas_server_config_t *config = oas_server_config(s);
    apr_pool_t *part;

    if (config->issuer.url == NULL || config->child == NULL || !job->is_wanted(config) ||
        apr_pool_create(&part, pool) != APR_SUCCESS) {
        return;
    }
    job->run(config, part);
    apr_pool_destroy(part);
}

/** Always succeeds: any other status would end the task for good. */
static apr_status_t run_task(int state, void *data, apr_pool_t *pool)
{
    task_t *task = data;
    server_rec *s;

    if (state != AP_WATCHDOG_STATE_RUNNING || !oas_shift_enter(task->shift)) {
        return APR_SUCCESS;
    }
    for (s = task->main_server; s != NULL && oas_shift_is_open(task->shift); s = s->next) {
        run_job(task->job, s, pool);
    }
    oas_shift_leave(task->shift);
    return APR_SUCCESS;
}

void oas_recovery_child(apr_pool_t *pchild, server_rec *main_server)
{
    void *tasks = NULL;
    apr_size_t i;

    apr_pool_userdata_get(&tasks, TASK_NOTE, main_server->process->pconf);
    for (i = 0; i < JOBS && tasks != NULL; i++) {
        oas_shift_begin(((task_t *)tasks)[i].shift, pchild);
    }
}

/** Each issuer has an area, since each has a database. */
static void share_lists(server_rec *main_server)
{
    int missing = 0;
    server_rec *s;

    for (s = main_server; s != NULL; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);

        if (config->issuer.url == NULL) {
            continue;
        }
        config->undo_area = oas_retained_area(RETAINED, config->issuer.url, oas_undo_area_size());
        if (config->undo_area != NULL && oas_undo_area_prepare(config->undo_area) != APR_SUCCESS) {
            config->undo_area = NULL;
        }
        missing |= config->undo_area == NULL;
    }
    if (missing) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     OAS_TAG(01250) ": no shared memory for what nobody could be told of: a child "
                                    "process that ends takes with it what it has not undone");
    }
}

static apr_status_t add_task(task_t *task, apr_pool_t *pconf)
{
    ap_watchdog_t *watchdog;
    oas_watchdog_fns_t fns;
    apr_status_t rv = oas_watchdog_find(&fns);

    if (rv == APR_SUCCESS) {
        rv = oas_shift_create(&task->shift, pconf);
    }
    if (rv == APR_SUCCESS) { /* no singleton: each child has a thread of its own */
        rv = fns.get_instance(&watchdog, task->job->watchdog, 0, 0, pconf);
    }
    return rv == APR_SUCCESS ? fns.add_callback(watchdog, LOOK_WAIT, task, run_task) : rv;
}

void oas_recovery_register(apr_pool_t *pconf, server_rec *main_server)
{
    task_t *tasks = apr_pcalloc(pconf, JOBS * sizeof(*tasks));
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    share_lists(main_server);
    for (i = 0; i < JOBS && rv == APR_SUCCESS; i++) {
        tasks[i].job = &jobs[i];
        tasks[i].main_server = main_server;
        rv = add_task(&tasks[i], pconf);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_userdata_setn(tasks, TASK_NOTE, NULL, pconf);
    } else {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, rv, main_server,
            OAS_TAG(01144) ": mod_watchdog cannot be used; what nobody could be told of is undone "
                           "only when its client asks this node again, and a child process finds "
                           "out that the database is back only when it is asked");
    }
}
