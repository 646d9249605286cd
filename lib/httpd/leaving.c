/* SPDX-License-Identifier: Apache-2.0 */
#include "leaving.h"

#include <ap_mpm.h>
#include <http_main.h>
#include <scoreboard.h>
#include "log.h"
#include "request.h"

/** 1 when the whole server stops. A process that a graceful restart ends is followed by others. */
static int is_stopping(void)
{
    const global_score *global = ap_get_scoreboard_global();
    int state = AP_MPMQ_RUNNING, generation = 0;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING &&
           ap_mpm_query(AP_MPMQ_GENERATION, &generation) == APR_SUCCESS && global != NULL &&
           global->running_generation == generation;
}

/** 1 when the drain file of a virtual host is there. */
static int is_drained(const oas_tx_t *tx, const char *path)
{
    apr_status_t rv = APR_ENOENT;
    apr_finfo_t info;

    if (path != NULL) {
        rv = apr_stat(&info, path, APR_FINFO_TYPE, tx->pool);
    }
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        oas_log(tx->log, OAS_LOG_ERROR, OAS_TAG(01050), rv,
                "OAuth2ASDrainFile: httpd's processes cannot tell whether %s exists", path);
    }
    return rv == APR_SUCCESS;
}

const char *oas_leaving(oas_tx_t *tx)
{
    const request_rec *r = tx->host_baton;

    if (is_drained(tx, oas_server_config(r->server)->drain_file)) {
        return "drain file";
    }
    return is_stopping() ? "stopping" : NULL;
}

int oas_leaving_any(oas_tx_t *tx)
{
    const server_rec *s;

    for (s = ap_server_conf; s != NULL; s = s->next) {
        if (is_drained(tx, oas_server_config(s)->drain_file)) {
            return 1;
        }
    }
    return is_stopping();
}
