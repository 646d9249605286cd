/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery.h"

#include "../endpoint/backchannel.h"
#include "audit_log.h"
#include "database.h"
#include "keyring.h"
#include "shift.h"

#define WATCHDOG_NAME "_oauth2as_logout_"
#define TASK_NOTE     "oas_delivery_task"
#define FIRST_WAIT    apr_time_from_msec(500)
#define IDLE_WAIT     apr_time_from_msec(300)
#define BUSY_WAIT     apr_time_from_msec(200) /* new ones are looked for while others are under way */
#define RETRY_WAIT    apr_time_from_sec(1)    /* the database is away; doubled each time */
#define RETRY_MAX     apr_time_from_sec(8)

/** Of one server process and its children. */
typedef struct {
    oas_shift_t *shift;
    server_rec *main_server;
    ap_watchdog_t *watchdog;
    oas_watchdog_fns_t fns;
    apr_interval_time_t retry;
    oas_delivery_t *delivery; /* of this child */
} task_t;

/** What stands for a request of an issuer where there is none. */
static oas_tx_t *make_tx(server_rec *s, apr_pool_t *pool)
{
    oas_server_config_t *config = oas_server_config(s);
    oas_tx_t *tx = apr_pcalloc(pool, sizeof(*tx));

    tx->pool = pool;
    tx->issuer = &config->issuer;
    tx->keys = oas_server_keys(config, pool);
    tx->host = oas_background_host();
    tx->host_baton = s;
    tx->log = &config->log;
    tx->request_id = "-";
    tx->db = oas_background_db(config, pool);
    tx->clients = config->client_cache;
    tx->salts = config->salts;
    return tx;
}

/** Takes what is due, of all issuers. @return 0: a database could not be asked */
static int begin_all(const task_t *task, apr_pool_t *pool)
{
    int good = 1;
    server_rec *s;

    for (s = task->main_server; s != NULL && oas_shift_is_open(task->shift); s = s->next) {
        const oas_server_config_t *config = oas_server_config(s);
        apr_pool_t *part;

        if (config->issuer.url == NULL || config->child == NULL ||
            apr_pool_create(&part, pool) != APR_SUCCESS) {
            continue;
        }
        good &= oas_delivery_begin(task->delivery, make_tx(s, part), s) == APR_SUCCESS;
        apr_pool_destroy(part);
    }
    return good;
}

static void settle(const task_t *task, server_rec *s, apr_pool_t *pool)
{
    apr_pool_t *part;

    if (apr_pool_create(&part, pool) == APR_SUCCESS) {
        oas_delivery_settle(task->delivery, make_tx(s, part));
        apr_pool_destroy(part);
    }
}

/** Until nothing is under way and nothing is due. @return as begin_all */
static int deliver(const task_t *task, apr_pool_t *pool)
{
    server_rec *s;
    int good;

    do {
        good = begin_all(task, pool);
        s = oas_delivery_next(task->delivery, BUSY_WAIT);
        for (; s != NULL; s = oas_delivery_next(task->delivery, 0)) {
            settle(task, s, pool);
        }
    } while (oas_delivery_count(task->delivery) > 0 && oas_shift_is_open(task->shift));
    while ((s = oas_delivery_give_up(task->delivery)) != NULL) {
        settle(task, s, pool); /* this process ends; the next one sends it */
    }
    return good;
}

static apr_interval_time_t next_wait(task_t *task, int good)
{
    apr_interval_time_t wait = task->retry;

    if (good) {
        task->retry = RETRY_WAIT;
        return IDLE_WAIT;
    }
    task->retry = wait < RETRY_MAX ? 2 * wait : RETRY_MAX;
    return wait;
}

/** Always succeeds: any other status would end the task for good. */
static apr_status_t run_task(int state, void *data, apr_pool_t *pool)
{
    task_t *task = data;

    if (state != AP_WATCHDOG_STATE_RUNNING || !oas_shift_enter(task->shift)) {
        return APR_SUCCESS;
    }
    task->fns.set_interval(task->watchdog, next_wait(task, deliver(task, pool)), task, run_task);
    oas_shift_leave(task->shift);
    return APR_SUCCESS;
}

void oas_delivery_child(apr_pool_t *pchild, server_rec *main_server)
{
    void *found = NULL;
    task_t *task;

    apr_pool_userdata_get(&found, TASK_NOTE, main_server->process->pconf);
    task = found;
    if (task == NULL) {
        return;
    }
    if (oas_delivery_create(&task->delivery, pchild) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, main_server,
                     OAS_TAG(00973) ": clients are not told by this process that sessions end: "
                                    "libcurl is out of memory");
        return;
    }
    oas_shift_begin(task->shift, pchild);
}

void oas_delivery_register(apr_pool_t *pconf, server_rec *main_server)
{
    task_t *task = apr_pcalloc(pconf, sizeof(*task));
    apr_status_t rv = oas_watchdog_find(&task->fns);

    task->main_server = main_server;
    task->retry = RETRY_WAIT;
    if (rv == APR_SUCCESS) {
        rv = oas_shift_create(&task->shift, pconf);
    }
    if (rv == APR_SUCCESS) {
        rv = task->fns.get_instance(&task->watchdog, WATCHDOG_NAME, 0, 1, pconf);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_userdata_setn(task, TASK_NOTE, NULL, pconf);
        rv = task->fns.add_callback(task->watchdog, FIRST_WAIT, task, run_task);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, main_server,
                     OAS_TAG(00974) ": mod_watchdog cannot be used; clients are not told that "
                                    "sessions end (OAuth2ASBackchannelLogoutURI)");
    }
}
