/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <openssl/crypto.h>
#include "../check/params.h"
#include "../jose/keyset.h"
#include "../reply/reply.h"
#include "metrics_text.h"
#include "pipeline.h"

static const char *const no_labels[] = {NULL};

static void add_node(oas_tx_t *tx, oas_metrics_text_t *text)
{
    const char *const build[] = {"version", PACKAGE_VERSION, "openssl",
                                 OpenSSL_version(OPENSSL_VERSION_STRING), NULL};

    oas_metrics_text_gauge(text, "build_info", "Versions of the module and of OpenSSL.");
    oas_metrics_text_line(text, build, 1);
    oas_metrics_text_gauge(text, "start_time_seconds",
                           "When counting began, in seconds since 1970.");
    oas_metrics_text_line(text, no_labels, apr_time_sec(oas_metrics_since()));
    oas_metrics_text_gauge(text, "children", "Child processes of the node that are alive.");
    oas_metrics_text_line(text, no_labels, oas_metrics_children());
    oas_metrics_text_gauge(text, "draining",
                           "1 while the node is stopping or its drain file is there.");
    oas_metrics_text_line(text, no_labels, tx->host->leaving(tx) != NULL);
}

static void sum_up(void *baton, const oas_sample_t *sample)
{
    *(apr_int64_t *)baton += sample->value;
}

static void add_database(oas_metrics_text_t *text)
{
    apr_int64_t away = 0;

    oas_metric_read(OAS_M_POOLS_AWAY, sum_up, &away);
    oas_metrics_text_gauge(text, "database_up",
                           "0 while the database is away for some child process.");
    oas_metrics_text_line(text, no_labels, away == 0);
}

static void add_states(void *baton, const char *issuer, const oas_keyset_t *keys)
{
    oas_key_info_t key;
    int i;

    for (i = 0; oas_keyset_info(keys, i, &key); i++) {
        const char *const labels[] = {"issuer", issuer,  "kid",   key.kid,
                                      "alg",    key.alg, "state", oas_key_state_names[key.state],
                                      NULL};

        oas_metrics_text_line(baton, labels, 1);
    }
}

static void add_times_of(oas_metrics_text_t *text, const char *issuer, const oas_key_info_t *key)
{
    const oas_key_times_t *times = key->times;
    const struct {
        const char *event;
        apr_int64_t at;
    } rows[] = {{"created", times->created},
                {"usable", times->usable},
                {"activated", times->activated},
                {"retired", times->retired},
                {"ends", times->ends}};
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const labels[] = {"issuer", issuer,  "kid",         key->kid, "alg",
                                      key->alg, "event", rows[i].event, NULL};

        if (rows[i].at != 0) {
            oas_metrics_text_line(text, labels, rows[i].at);
        }
    }
}

static void add_times(void *baton, const char *issuer, const oas_keyset_t *keys)
{
    oas_key_info_t key;
    int i;

    for (i = 0; oas_keyset_info(keys, i, &key); i++) {
        if (key.times != NULL) {
            add_times_of(baton, issuer, &key);
        }
    }
}

static void add_keys(oas_tx_t *tx, oas_metrics_text_t *text)
{
    oas_metrics_text_gauge(text, "key_info", "The keys of each issuer and what each is for.");
    tx->host->each_keys(tx, add_states, text);
    oas_metrics_text_gauge(text, "key_timestamp_seconds",
                           "The schedule of the keys in the database.");
    tx->host->each_keys(tx, add_times, text);
}

static oas_outcome_t respond_metrics(oas_tx_t *tx)
{
    int open = tx->request.accept != NULL &&
               strstr(tx->request.accept, "application/openmetrics-text") != NULL;
    oas_metrics_text_t *text = oas_metrics_text_create(open, tx->pool);

    add_node(tx, text);
    add_database(text);
    add_keys(tx, text);
    oas_metrics_text_counted(text);
    oas_reply_text(tx, oas_metrics_text_type(open), oas_metrics_text_end(text));
    return OAS_ANSWERED;
}

const oas_step_t oas_metrics_steps[] = {
    {"check_method_get", oas_check_method_get, OAS_ALWAYS, "RFC 9110 9.3.1"},
    {"respond_metrics", respond_metrics, OAS_ALWAYS, "Prometheus text format 0.0.4"},
    {NULL, NULL, 0, NULL}};
