/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include "../issue/keyring.h"
#include "audit_log.h"
#include "database.h"
#include "retained.h"
#include "shift.h"

#define WATCHDOG_NAME "_oauth2as_keys_"
#define TASK_NOTE     "oas_keyring_task"
#define RETAINED      "oas_keyring"
#define LOOK_WAIT     apr_time_from_sec(1) /* at what another process has been told */

/** Of one server process and its children. */
typedef struct {
    oas_shift_t *shift;
    server_rec *main_server;
} task_t;

static void follow(oas_server_config_t *config, apr_pool_t *pool)
{
    oas_tx_t *tx = apr_pcalloc(pool, sizeof(*tx));

    tx->pool = pool;
    tx->issuer = &config->issuer;
    tx->host = oas_background_host();
    tx->host_baton = config->server;
    tx->log = &config->log;
    tx->request_id = "-";
    tx->db = oas_background_db(config, pool);
    oas_keyring_follow(config->keyring, tx); /* the store has said what went wrong */
}

static void look(oas_server_config_t *config, apr_pool_t *pool)
{
    oas_keyring_adopt(config->keyring, pool);
    if (oas_keyring_turn(config->keyring)) {
        follow(config, pool);
    }
}

static void look_all(const task_t *task, apr_pool_t *pool)
{
    server_rec *s;

    for (s = task->main_server; s != NULL && oas_shift_is_open(task->shift); s = s->next) {
        oas_server_config_t *config = oas_server_config(s);
        apr_pool_t *part;

        if (config->keyring != NULL && apr_pool_create(&part, pool) == APR_SUCCESS) {
            look(config, part);
            apr_pool_destroy(part);
        }
    }
}

/** Always succeeds: any other status would end the task for good. */
static apr_status_t run_task(int state, void *data, apr_pool_t *pool)
{
    const task_t *task = data;

    if (state == AP_WATCHDOG_STATE_RUNNING && oas_shift_enter(task->shift)) {
        look_all(task, pool);
        oas_shift_leave(task->shift);
    }
    return APR_SUCCESS;
}

/** One in each process, unlike the other tasks: each has keys of its own. */
static apr_status_t add_task(apr_pool_t *pconf, server_rec *main_server)
{
    task_t *task = apr_pcalloc(pconf, sizeof(*task));
    ap_watchdog_t *watchdog;
    oas_watchdog_fns_t fns;
    apr_status_t rv = oas_watchdog_find(&fns);

    task->main_server = main_server;
    if (rv == APR_SUCCESS) {
        rv = oas_shift_create(&task->shift, pconf);
    }
    if (rv == APR_SUCCESS) {
        rv = fns.get_instance(&watchdog, WATCHDOG_NAME, 0, 0, pconf);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_userdata_setn(task, TASK_NOTE, NULL, pconf);
        rv = fns.add_callback(watchdog, LOOK_WAIT, task, run_task);
    }
    return rv;
}

apr_status_t oas_keyring_register(apr_pool_t *pconf, server_rec *main_server)
{
    apr_status_t rv = APR_SUCCESS;
    int rings = 0;
    server_rec *s;

    for (s = main_server; s != NULL; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);

        if (config->issuer.url == NULL || config->issuer.signing.ring == NULL) {
            continue;
        }
        rings++;
        config->keyring_area =
            oas_retained_area(RETAINED, config->issuer.url, oas_keyring_area_size());
        rv = config->keyring_area != NULL ? rv : APR_ENOMEM;
    }
    if (rings > 0 && rv == APR_SUCCESS) {
        rv = add_task(pconf, main_server);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, main_server,
                     OAS_TAG(01076) ": the keyring cannot be followed");
    }
    return rv;
}

static void open_keyring(oas_server_config_t *config, apr_pool_t *pchild)
{
    apr_pool_t *pool;
    apr_status_t rv = apr_pool_create(&pool, pchild);

    if (rv == APR_SUCCESS) {
        rv = oas_keyring_create(&config->keyring, &config->issuer, config->keyring_area,
                                &config->log, pchild);
    }
    if (rv != APR_SUCCESS) {
        config->keyring = NULL;
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, config->server,
                     OAS_TAG(01077) ": no memory for the keyring");
        return;
    }
    if (!oas_keyring_adopt(config->keyring, pool)) {
        follow(config, pool);
    }
    apr_pool_destroy(pool);
}

void oas_keyring_child(apr_pool_t *pchild, server_rec *main_server)
{
    void *task = NULL;
    server_rec *s;

    apr_pool_userdata_get(&task, TASK_NOTE, main_server->process->pconf);
    if (task == NULL) {
        return;
    }
    for (s = main_server; s != NULL; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);

        if (config->keyring_area != NULL && config->child != NULL) {
            open_keyring(config, pchild);
        }
    }
    oas_shift_begin(((task_t *)task)->shift, pchild);
}

const struct oas_keyset *oas_server_keys(const oas_server_config_t *config, apr_pool_t *pool)
{
    if (config->issuer.signing.ring == NULL) {
        return config->issuer.signing.keys;
    }
    return config->keyring != NULL ? oas_keyring_get(config->keyring, pool) : NULL;
}
