/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <config.h>
#include <string.h>
#include <openssl/crypto.h>
#include "../check/params.h"
#include "../jose/keyset.h"
#include "../reply/reply.h"
#include "metrics_text.h"
#include "pipeline.h"

/** Who is told, and what of. */
typedef struct {
    oas_tx_t *tx;
    const oas_metrics_writer_t *writer;
    void *baton;
    const oas_metric_t *metric;
} teller_t;

static void tell_value(const teller_t *teller, const char *const *labels, apr_int64_t value)
{
    const oas_sample_t sample = {.value = value};

    teller->writer->line(teller->baton, labels, &sample);
}

static void tell_number(const teller_t *teller, apr_int64_t value)
{
    static const char *const no_labels[] = {NULL};

    tell_value(teller, no_labels, value);
}

static void tell_build(teller_t *teller)
{
    const char *const labels[] = {"version", PACKAGE_VERSION, "openssl",
                                  OpenSSL_version(OPENSSL_VERSION_STRING), NULL};

    tell_value(teller, labels, 1);
}

static void tell_start(teller_t *teller)
{
    tell_number(teller, apr_time_sec(oas_metrics_since()));
}

static void tell_children(teller_t *teller)
{
    tell_number(teller, oas_metrics_children());
}

static void tell_draining(teller_t *teller)
{
    tell_number(teller, teller->tx->host->draining(teller->tx));
}

static void sum_up(void *baton, const oas_sample_t *sample)
{
    *(apr_int64_t *)baton += sample->value;
}

static void tell_database(teller_t *teller)
{
    apr_int64_t away = 0;

    oas_metric_read(OAS_M_POOLS_AWAY, sum_up, &away);
    tell_number(teller, away == 0);
}

static void key_states(void *baton, const char *issuer, const oas_keyset_t *keys)
{
    oas_key_info_t key;
    int i;

    for (i = 0; oas_keyset_info(keys, i, &key); i++) {
        const char *const labels[] = {"issuer", issuer,  "kid",   key.kid,
                                      "alg",    key.alg, "state", oas_key_state_names[key.state],
                                      NULL};

        tell_value(baton, labels, 1);
    }
}

static void tell_key_states(teller_t *teller)
{
    teller->tx->host->each_keys(teller->tx, key_states, teller);
}

static void conditions(void *baton, const char *issuer, const oas_keyset_t *keys)
{
    oas_keys_state_t i, state = oas_keyset_state(keys);

    for (i = 0; i < OAS_KEYS_STATES; i++) {
        const char *const labels[] = {"issuer", issuer, "state", oas_keys_state_names[i], NULL};

        tell_value(baton, labels, i == state);
    }
}

static void tell_conditions(teller_t *teller)
{
    teller->tx->host->each_keys(teller->tx, conditions, teller);
}

static void times_of(const teller_t *teller, const char *issuer, const oas_key_info_t *key)
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
            tell_value(teller, labels, rows[i].at);
        }
    }
}

static void key_times(void *baton, const char *issuer, const oas_keyset_t *keys)
{
    oas_key_info_t key;
    int i;

    for (i = 0; oas_keyset_info(keys, i, &key); i++) {
        if (key.times != NULL) {
            times_of(baton, issuer, &key);
        }
    }
}

static void tell_key_times(teller_t *teller)
{
    teller->tx->host->each_keys(teller->tx, key_times, teller);
}

#define STATE(name, help)                                                                          \
    {                                                                                              \
        name, OAS_KIND_NODE_GAUGE, {OAS_LABEL_NONE, OAS_LABEL_NONE}, help, 0                       \
    }

/** What is not counted but known at the moment of asking. */
static const struct {
    oas_metric_t metric;
    void (*tell)(teller_t *teller);
} states[] = {
    {STATE("build_info", "Versions of the module and of OpenSSL."), tell_build},
    {STATE("start_time_seconds", "When counting began, in seconds since 1970."), tell_start},
    {STATE("children", "Child processes of the node that are alive."), tell_children},
    {STATE("draining", "1 while the node is stopping or a drain file is there."), tell_draining},
    {STATE("database_up", "0 while the database is away for some child process."), tell_database},
    {STATE("keys_state", "1 in the state that each issuer's keys are in, as ready says."),
     tell_conditions},
    {STATE("key_info", "The keys of each issuer and what each is for."), tell_key_states},
    {STATE("key_timestamp_seconds", "The schedule of the keys in the database."), tell_key_times},
};

static void tell_sample(void *baton, const oas_sample_t *sample)
{
    const teller_t *teller = baton;
    const char *labels[2 * 2 + 1];
    int count = 0, i;

    for (i = 0; i < 2; i++) {
        if (sample->values[i] != NULL) {
            labels[count++] = oas_label_name(teller->metric->labels[i]);
            labels[count++] = sample->values[i];
        }
    }
    labels[count] = NULL;
    teller->writer->line(teller->baton, labels, sample);
}

static void begin(teller_t *teller, const oas_metric_t *metric)
{
    teller->metric = metric;
    teller->writer->begin(teller->baton, metric);
}

void oas_metrics_tell(oas_tx_t *tx, const oas_metrics_writer_t *writer, void *baton)
{
    teller_t teller = {.tx = tx, .writer = writer, .baton = baton};
    apr_size_t i;
    int id;

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        begin(&teller, &states[i].metric);
        states[i].tell(&teller);
    }
    for (id = 0; id < OAS_M_COUNT; id++) {
        begin(&teller, oas_metric(id));
        oas_metric_read(id, tell_sample, &teller);
    }
}

static oas_outcome_t respond_metrics(oas_tx_t *tx)
{
    int open = tx->request.accept != NULL &&
               strstr(tx->request.accept, "application/openmetrics-text") != NULL;
    oas_metrics_text_t *text = oas_metrics_text_create(open, tx->pool);

    oas_metrics_tell(tx, &oas_metrics_text_writer, text);
    oas_reply_text(tx, oas_metrics_text_type(open), oas_metrics_text_end(text));
    return OAS_ANSWERED;
}

const oas_step_t oas_metrics_steps[] = {
    {"check_method_get", oas_check_method_get, OAS_ALWAYS, "RFC 9110 9.3.1"},
    {"respond_metrics", respond_metrics, OAS_ALWAYS, "Prometheus text format 0.0.4"},
    {NULL, NULL, 0, NULL}};
