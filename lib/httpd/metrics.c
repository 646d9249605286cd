/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <string.h>
#include <ap_mpm.h>
#include <http_main.h>
#include "../base/metrics.h"
#include "../endpoint/endpoint.h"
#include "../jose/jwk.h"
#include "../store/metrics.h"
#include "keyring.h"
#include "request.h"

#define RETAINED    "oas_metrics"
#define OLD_PROCESS 16 /* children of the generation before that are still at it */

/** Requests that are for no endpoint, and answered here all the same. */
enum { LOGIN_OPTION = OAS_EP_COUNT, ABSENT, ENDPOINTS };

static const char *endpoint_name(int id)
{
    switch (id) {
    case LOGIN_OPTION:
        return "login-option";
    case ABSENT:
        return "absent";
    default:
        return oas_endpoint_name(id);
    }
}

static const char *alg_name(int id)
{
    return oas_alg_name(oas_alg_at(id));
}

static void tell_labels(void)
{
    int algs = 0;

    while (oas_alg_at(algs) != NULL) {
        algs++;
    }
    oas_metrics_label(OAS_LABEL_ENDPOINT, (oas_label_values_t){ENDPOINTS, endpoint_name});
    oas_metrics_label(OAS_LABEL_ALG, (oas_label_values_t){algs, alg_name});
    oas_store_metrics_labels();
}

static void name_issuer(oas_issuer_t *issuer)
{
    int i;

    issuer->metric = oas_metrics_name(OAS_LABEL_ISSUER, issuer->url);
    for (i = 0; i < issuer->login_options->nelts; i++) {
        oas_login_option_t *option = &APR_ARRAY_IDX(issuer->login_options, i, oas_login_option_t);

        option->metric = oas_metrics_name(OAS_LABEL_OPTION, option->id);
    }
}

static apr_status_t attach(int children)
{
    oas_metrics_t **kept = ap_retained_data_get(RETAINED);

    if (kept == NULL) {
        kept = ap_retained_data_create(RETAINED, sizeof(*kept));
    }
    if (*kept != NULL && oas_metrics_attach(*kept, children) != APR_SUCCESS) {
        oas_metrics_forget(*kept); /* another version of this module made it */
        *kept = NULL;
    }
    return *kept == NULL ? oas_metrics_create(kept, children) : APR_SUCCESS;
}

void oas_metrics_prepare(server_rec *main_server)
{
    apr_status_t rv;
    int children = 1;
    server_rec *s;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    tell_labels();
    rv = attach(children + OLD_PROCESS);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, main_server,
                     OAS_TAG(01120) ": no shared memory for metrics: nothing is counted");
        return;
    }
    for (s = main_server; s != NULL; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);

        if (config->issuer.url != NULL) {
            name_issuer(&config->issuer);
        }
    }
}

/** Where a request is counted; ENDPOINTS: nowhere. */
static int endpoint_of(const oas_request_state_t *state)
{
    if (state->claimed) {
        return (int)state->endpoint;
    }
    if (state->absent) {
        return ABSENT;
    }
    return state->tx != NULL ? LOGIN_OPTION : ENDPOINTS;
}

int oas_metrics_request(request_rec *r)
{
    const oas_request_state_t *state = ap_get_module_config(r->request_config, &oauth2as_module);
    int endpoint = state != NULL ? endpoint_of(state) : ENDPOINTS;

    if (endpoint == ENDPOINTS) {
        return DECLINED;
    }
    oas_count(OAS_M_REQUESTS, endpoint, r->status / 100);
    if (state->tx != NULL && state->tx->error != OAS_E_NONE) {
        oas_count(OAS_M_ERRORS, endpoint, (int)state->tx->error);
    }
    oas_observe(OAS_M_REQUEST_TIME, endpoint, apr_time_now() - r->request_time);
    return DECLINED;
}

/** 1 when a virtual host before this one is the same issuer (another port of it). */
static int seen_before(const server_rec *s)
{
    const char *url = oas_server_config(s)->issuer.url;
    const server_rec *other;

    for (other = ap_server_conf; other != s; other = other->next) {
        const char *known = oas_server_config(other)->issuer.url;

        if (known != NULL && strcmp(known, url) == 0) {
            return 1;
        }
    }
    return 0;
}

void oas_metrics_each_keys(oas_tx_t *tx,
                           void (*visit)(void *baton, const char *issuer,
                                         const struct oas_keyset *keys),
                           void *baton)
{
    server_rec *s;

    for (s = ap_server_conf; s != NULL; s = s->next) {
        oas_server_config_t *config = oas_server_config(s);

        if (config->issuer.url != NULL && !seen_before(s)) {
            visit(baton, config->issuer.url, oas_server_keys(config, tx->pool));
        }
    }
}
