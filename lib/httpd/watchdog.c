/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include <apr_hash.h>
#include <apr_optional.h>
#include <mod_watchdog.h>
#include "../store/client.h"
#include "database.h"

#define WATCHDOG_NAME "_oauth2as_"
#define FIRST_WAIT    apr_time_from_msec(500)
#define RETRY_WAIT    apr_time_from_sec(2) /* doubled each time */
#define RETRY_MAX     apr_time_from_sec(64)
#define AGAIN_WAIT    apr_time_from_sec(300) /* says that this node still has its clients */

/** The task of one server process and its children; written by one watchdog thread at a time. */
typedef struct {
    server_rec *main_server;
    ap_watchdog_t *watchdog;
    APR_OPTIONAL_FN_TYPE(ap_watchdog_set_callback_interval) * set_interval;
    apr_interval_time_t wait; /* until the next attempt */
    int warned;               /* all clients have been written once, conflicts were named */
} task_t;

/** @return 0 when the database was away and the rest has to wait */
static int sync_issuer(oas_server_config_t *config, int warned, apr_pool_t *pool)
{
    oas_db_t *db = oas_background_db(config, pool);
    int i;

    for (i = 0; i < config->clients->nelts; i++) {
        const oas_client_t *client =
            &APR_ARRAY_IDX(config->clients, i, oas_client_config_t *)->client;
        apr_status_t rv = oas_store_client_sync(db, client, pool);

        if (rv == APR_EEXIST && !warned) {
            oas_log(&config->log, OAS_LOG_WARNING, OAS_TAG(00341), APR_SUCCESS,
                    "client %s is in the database too; the one of the configuration counts",
                    client->client_id);
        } else if (rv != APR_SUCCESS && rv != APR_EEXIST) {
            return 0;
        }
    }
    return 1;
}

static int sync_all(server_rec *s, int warned, apr_pool_t *pool)
{
    int done = 1;

    for (; s != NULL; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);
        apr_pool_t *part;

        if (config->issuer.url == NULL || config->child == NULL ||
            apr_pool_create(&part, pool) != APR_SUCCESS) {
            continue;
        }
        done &= sync_issuer(config, warned, part);
        apr_pool_destroy(part);
    }
    return done;
}

/** Always succeeds: any other status would end the task for good. */
static apr_status_t run_task(int state, void *data, apr_pool_t *pool)
{
    task_t *task = data;
    int done;

    if (state != AP_WATCHDOG_STATE_RUNNING) {
        return APR_SUCCESS;
    }
    done = sync_all(task->main_server, task->warned, pool);
    task->set_interval(task->watchdog, done ? AGAIN_WAIT : task->wait, task, run_task);
    task->wait = done ? RETRY_WAIT : (task->wait < RETRY_MAX ? 2 * task->wait : RETRY_MAX);
    task->warned |= done;
    return APR_SUCCESS;
}

void oas_watchdog_register(apr_pool_t *pconf, server_rec *main_server)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add_callback =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    task_t *task = apr_pcalloc(pconf, sizeof(*task));
    apr_status_t rv = APR_ENOTIMPL;

    task->main_server = main_server;
    task->wait = RETRY_WAIT;
    task->set_interval = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_set_callback_interval);
    if (get_instance != NULL && add_callback != NULL && task->set_interval != NULL) {
        rv = get_instance(&task->watchdog, WATCHDOG_NAME, 0, 1, pconf);
        if (rv == APR_SUCCESS) {
            rv = add_callback(task->watchdog, FIRST_WAIT, task, run_task);
        }
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, main_server,
                     OAS_TAG(00342) ": mod_watchdog cannot be used; configured clients are not "
                                    "written to the database");
    }
}
