/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <ap_mpm.h>
#include "../base/metrics.h"
#include "../endpoint/endpoint.h"
#include "../jose/jwk.h"
#include "../store/metrics.h"

#define RETAINED    "oas_metrics"
#define OLD_PROCESS 16 /* children of the generation before that are still at it */

static const char *endpoint_name(int id)
{
    return id == OAS_EP_COUNT ? "login-option" : oas_endpoint_name(id);
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
    oas_metrics_label(OAS_LABEL_ENDPOINT, (oas_label_values_t){OAS_EP_COUNT + 1, endpoint_name});
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
