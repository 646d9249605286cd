/* SPDX-License-Identifier: Apache-2.0 */
#include "settle.h"

#include "../store/undo_area.h"
#include "database.h"
#include "retained.h"
#include "shift.h"

#define WATCHDOG_NAME "_oauth2as_settle_"
#define LOOK_WAIT     apr_time_from_msec(100)
#define TASK_NOTE     "oas_settle_task"
#define RETAINED      "oas_undo"

typedef struct {
    oas_shift_t *shift;
    server_rec *main_server;
} task_t;

static void settle(server_rec *s, apr_pool_t *pool)
{
    oas_server_config_t *config = oas_server_config(s);
    apr_pool_t *part;

    if (config->issuer.url == NULL || config->child == NULL || !oas_database_unsettled(config) ||
        apr_pool_create(&part, pool) != APR_SUCCESS) {
        return;
    }
    oas_db_settle(oas_background_db(config, part));
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
        settle(s, pool);
    }
    oas_shift_leave(task->shift);
    return APR_SUCCESS;
}

void oas_settle_child(apr_pool_t *pchild, server_rec *main_server)
{
    void *task = NULL;

    apr_pool_userdata_get(&task, TASK_NOTE, main_server->process->pconf);
    if (task != NULL) {
        oas_shift_begin(((task_t *)task)->shift, pchild);
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

void oas_settle_register(apr_pool_t *pconf, server_rec *main_server)
{
    task_t *task = apr_pcalloc(pconf, sizeof(*task));
    ap_watchdog_t *watchdog = NULL;
    oas_watchdog_fns_t fns;
    apr_status_t rv = oas_watchdog_find(&fns);

    share_lists(main_server);
    task->main_server = main_server;
    if (rv == APR_SUCCESS) {
        rv = oas_shift_create(&task->shift, pconf);
    }
    if (rv == APR_SUCCESS) { /* no singleton: each child has a thread of its own */
        rv = fns.get_instance(&watchdog, WATCHDOG_NAME, 0, 0, pconf);
    }
    if (rv == APR_SUCCESS) {
        rv = fns.add_callback(watchdog, LOOK_WAIT, task, run_task);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_userdata_setn(task, TASK_NOTE, NULL, pconf);
    } else {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, rv, main_server,
            OAS_TAG(01144) ": mod_watchdog cannot be used; what nobody could be told of is "
                           "undone only when its client asks this node again");
    }
}
