/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <apr_strings.h>
#include "audit.h"
#include "error.h"
#include "metrics_table.h"
#include "shared.h"

#define SLOTS_MAX    64 /* children share them beyond that: it only costs speed */
#define CHILDREN_MAX 4096
#define HISTOGRAM    (OAS_BUCKETS + 2) /* its cells: buckets, the rest, the sum */
#define LINE         64                /* bytes that processors hand to each other */
#define UNSET        APR_INT64_MIN

typedef apr_uint64_t cell_t;

typedef struct {
    pid_t owner; /* 0: free */
    int gauges[OAS_M_COUNT];
} __attribute__((aligned(LINE))) child_t;

typedef struct {
    int count;
    char texts[OAS_METRICS_NAMES][OAS_METRICS_NAME_LEN];
} names_t;

/* What children write: numbers, by which nobody else finds his way. */
typedef struct {
    apr_int64_t gauges[OAS_M_COUNT][OAS_METRICS_NAMES];
    child_t child[]; /* behind them the slots */
} shared_t;

/* Private to each process, children have it as it was at their fork: the server's first process,
 * which may be root, goes by nothing that one of them could have changed. */
struct oas_metrics {
    apr_uint64_t layout; /* what the cells mean; before all that it decides about */
    apr_size_t size;     /* of the shared part */
    shared_t *shared;
    apr_time_t since;
    int children, slots;
    names_t names[2]; /* options, issuers */
};

/* Of this process. Written before requests come, except in the parent at a restart. */
static oas_metrics_t *segment;
static child_t *own_child;
static cell_t *own_slot;
static oas_label_values_t labels[OAS_LABEL_COUNT];
static int first_cell[OAS_M_COUNT]; /* in a slot */
static int dims[OAS_M_COUNT][2];
static apr_size_t slot_size; /* bytes */

static names_t *names_of(oas_label_t label)
{
    switch (label) {
    case OAS_LABEL_OPTION:
        return &segment->names[0];
    case OAS_LABEL_ISSUER:
        return &segment->names[1];
    default:
        return NULL;
    }
}

static const char *error_code(int id)
{
    return id == OAS_E_NONE ? NULL : oas_error_row(id)->code;
}

static const char *event_name(int id)
{
    return oas_audit_name(id);
}

void oas_metrics_label(oas_label_t label, oas_label_values_t values)
{
    labels[label] = values;
}

static int dim_of(oas_label_t label)
{
    if (label == OAS_LABEL_NONE) {
        return 1;
    }
    if (label == OAS_LABEL_OPTION || label == OAS_LABEL_ISSUER) {
        return OAS_METRICS_NAMES;
    }
    return labels[label].value != NULL ? labels[label].count : oas_label_texts(label)->count;
}

/* The text of a label value, or NULL: there is none such. */
static const char *value_of(oas_label_t label, int id)
{
    const names_t *names = names_of(label);

    if (names != NULL) {
        return id < names->count ? names->texts[id] : NULL;
    }
    return labels[label].value != NULL ? labels[label].value(id)
                                       : oas_label_texts(label)->texts[id];
}

static void hash_in(apr_uint64_t *hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        *hash = (*hash ^ (unsigned char)*text) * 0x100000001b3u; /* FNV-1a */
    }
    *hash = (*hash ^ 0xff) * 0x100000001b3u;
}

/* Where each cell is, and a number that changes when that does. */
static apr_uint64_t lay_out(void)
{
    apr_uint64_t hash = 0xcbf29ce484222325u ^ sizeof(struct oas_metrics) ^ sizeof(shared_t) << 24 ^
                        sizeof(child_t) << 40;
    int next = 0, id, i, n;

    oas_metrics_label(OAS_LABEL_ERROR, (oas_label_values_t){OAS_E_COUNT, error_code});
    oas_metrics_label(OAS_LABEL_EVENT, (oas_label_values_t){OAS_AUDIT_COUNT, event_name});
    for (id = 0; id < OAS_M_COUNT; id++) {
        const oas_metric_t *row = oas_metric(id);

        first_cell[id] = next;
        hash_in(&hash, row->name);
        for (i = 0; i < 2; i++) {
            dims[id][i] = dim_of(row->labels[i]);
            for (n = 0; n < dims[id][i] && labels[row->labels[i]].value != NULL; n++) {
                hash_in(&hash, labels[row->labels[i]].value(n));
            }
            hash = (hash ^ (apr_uint64_t)dims[id][i]) * 0x100000001b3u;
        }
        next += dims[id][0] * dims[id][1] * (row->kind == OAS_KIND_HISTOGRAM ? HISTOGRAM : 1);
    }
    slot_size = ((apr_size_t)next * sizeof(cell_t) + LINE - 1) / LINE * LINE;
    return hash;
}

/* What this configuration does not set is not shown. */
static void unset_gauges(void)
{
    int id, i;

    for (id = 0; id < OAS_M_COUNT; id++) {
        for (i = 0; i < OAS_METRICS_NAMES; i++) {
            __atomic_store_n(&segment->shared->gauges[id][i], UNSET, __ATOMIC_RELAXED);
        }
    }
}

static cell_t *slot_at(int i)
{
    return (cell_t *)((char *)&segment->shared->child[segment->children] +
                      (apr_size_t)(i % segment->slots) * slot_size);
}

apr_status_t oas_metrics_create(oas_metrics_t **out, int children)
{
    oas_metrics_t *made = calloc(1, sizeof(*made));
    int i;

    *out = NULL;
    if (made == NULL) {
        return APR_ENOMEM;
    }
    made->layout = lay_out();
    made->since = apr_time_now();
    made->children = children < CHILDREN_MAX ? children : CHILDREN_MAX;
    made->slots = made->children < SLOTS_MAX ? made->children : SLOTS_MAX;
    made->size = sizeof(shared_t) + (apr_size_t)made->children * sizeof(child_t) +
                 (apr_size_t)made->slots * slot_size;
    for (i = 0; i < 2; i++) {
        apr_cpystrn(made->names[i].texts[0], "other", OAS_METRICS_NAME_LEN);
        made->names[i].count = 1;
    }
    made->shared = oas_shared_map(made->size);
    if (made->shared == NULL) {
        apr_status_t rv = APR_FROM_OS_ERROR(errno);

        free(made);
        return rv;
    }
    segment = made;
    unset_gauges();
    *out = segment;
    return APR_SUCCESS;
}

apr_status_t oas_metrics_attach(oas_metrics_t *metrics, int children)
{
    if (metrics->layout != lay_out() ||
        metrics->children < (children < CHILDREN_MAX ? children : CHILDREN_MAX)) {
        return APR_EINVAL;
    }
    segment = metrics;
    unset_gauges();
    return APR_SUCCESS;
}

void oas_metrics_forget(oas_metrics_t *metrics)
{
    if (segment == metrics) {
        segment = NULL;
        own_child = NULL;
        own_slot = NULL;
    }
    munmap(metrics->shared, metrics->size);
    free(metrics);
}

/* A process that was killed has not given its place back. All of a server's are of one user, so what
 * may not be sent a signal is somebody else's with the same number. */
static int is_gone(pid_t owner)
{
    return owner == 0 || kill(owner, 0) != 0;
}

static apr_status_t give_back(void *data)
{
    child_t *child = data;

    own_child = NULL;
    __atomic_store_n(&child->owner, 0, __ATOMIC_RELEASE);
    return APR_SUCCESS;
}

void oas_metrics_child(apr_pool_t *pchild)
{
    pid_t me = getpid();
    int i;

    if (segment == NULL) {
        return;
    }
    for (i = 0; i < segment->children; i++) {
        child_t *child = &segment->shared->child[i];
        pid_t owner = __atomic_load_n(&child->owner, __ATOMIC_ACQUIRE);

        if (is_gone(owner) && __atomic_compare_exchange_n(&child->owner, &owner, me, 0,
                                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            memset(child->gauges, 0, sizeof(child->gauges));
            own_child = child;
            apr_pool_cleanup_register(pchild, child, give_back, apr_pool_cleanup_null);
            break;
        }
    }
    own_slot = slot_at(i);
}

int oas_metrics_name(oas_label_t label, const char *text)
{
    names_t *names = segment != NULL ? names_of(label) : NULL;
    int i;

    if (names == NULL || strlen(text) >= OAS_METRICS_NAME_LEN) {
        return 0;
    }
    for (i = 1; i < names->count; i++) {
        if (strcmp(names->texts[i], text) == 0) {
            return i;
        }
    }
    if (i == OAS_METRICS_NAMES) {
        return 0;
    }
    apr_cpystrn(names->texts[i], text, OAS_METRICS_NAME_LEN);
    names->count = i + 1;
    return i;
}

int oas_metrics_on(void)
{
    return own_slot != NULL;
}

/* ---- counting ---- */

static void add(cell_t *cell, apr_uint64_t n)
{
    __atomic_fetch_add(cell, n, __ATOMIC_RELAXED);
}

static int in_range(oas_metric_id_t id, int a, int b)
{
    return a >= 0 && a < dims[id][0] && b >= 0 && b < dims[id][1];
}

void oas_count_many(oas_metric_id_t id, int a, int b, apr_uint64_t n)
{
    if (own_slot != NULL && in_range(id, a, b)) {
        add(&own_slot[first_cell[id] + a * dims[id][1] + b], n);
    }
}

void oas_count(oas_metric_id_t id, int a, int b)
{
    oas_count_many(id, a, b, 1);
}

void oas_observe(oas_metric_id_t id, int a, apr_interval_time_t microseconds)
{
    apr_interval_time_t time = microseconds > 0 ? microseconds : 0; /* clocks are set back */
    cell_t *cells;
    int i = 0;

    if (own_slot == NULL || !in_range(id, a, 0)) {
        return;
    }
    cells = &own_slot[first_cell[id] + a * HISTOGRAM];
    while (i < OAS_BUCKETS && time > oas_bucket_bounds[i]) {
        i++;
    }
    add(&cells[i], 1);
    add(&cells[OAS_BUCKETS + 1], (apr_uint64_t)time);
}

void oas_gauge_add(oas_metric_id_t id, int n)
{
    if (own_child != NULL) {
        __atomic_fetch_add(&own_child->gauges[id], n, __ATOMIC_RELAXED);
    }
}

void oas_gauge_set(oas_metric_id_t id, int a, apr_int64_t value)
{
    if (segment != NULL && in_range(id, a, 0)) {
        __atomic_store_n(&segment->shared->gauges[id][a], value, __ATOMIC_RELAXED);
    }
}

/* ---- reading ---- */

static apr_uint64_t sum_cells(int cell)
{
    apr_uint64_t sum = 0;
    int i;

    for (i = 0; i < segment->slots; i++) {
        sum += __atomic_load_n(&slot_at(i)[cell], __ATOMIC_RELAXED);
    }
    return sum;
}

static apr_int64_t sum_children(oas_metric_id_t id)
{
    apr_int64_t sum = 0;
    int i;

    for (i = 0; i < segment->children; i++) {
        const child_t *child = &segment->shared->child[i];

        if (!is_gone(__atomic_load_n(&child->owner, __ATOMIC_ACQUIRE))) {
            sum += __atomic_load_n(&child->gauges[id], __ATOMIC_RELAXED);
        }
    }
    return sum;
}

/* Adds the cells of one pair of label ids to the line. */
static void add_cells(oas_metric_id_t id, int a, int b, oas_sample_t *line)
{
    int cell = first_cell[id] + a * dims[id][1] + b;
    int i;

    switch (oas_metric(id)->kind) {
    case OAS_KIND_COUNTER:
        line->value += (apr_int64_t)sum_cells(cell);
        break;
    case OAS_KIND_HISTOGRAM:
        cell = first_cell[id] + a * HISTOGRAM;
        for (i = 0; i <= OAS_BUCKETS; i++) {
            line->buckets[i] += sum_cells(cell + i);
            line->count += sum_cells(cell + i);
        }
        line->sum += sum_cells(cell + OAS_BUCKETS + 1);
        break;
    case OAS_KIND_CHILD_GAUGE:
        line->value = sum_children(id);
        break;
    case OAS_KIND_NODE_GAUGE:
        line->value = __atomic_load_n(&segment->shared->gauges[id][a], __ATOMIC_RELAXED);
        break;
    }
}

/* The first id whose text is the same; -1: it has none. */
static int first_alike(oas_label_t label, int id)
{
    const char *text = label == OAS_LABEL_NONE ? "" : value_of(label, id);
    int i;

    if (text == NULL || label == OAS_LABEL_NONE) {
        return text == NULL ? -1 : id;
    }
    for (i = 0; i < id; i++) {
        const char *other = value_of(label, i);

        if (other != NULL && strcmp(other, text) == 0) {
            return i;
        }
    }
    return id;
}

static void read_line(oas_metric_id_t id, int a, int b, oas_sample_t *line)
{
    const oas_metric_t *row = oas_metric(id);
    int other;

    memset(line, 0, sizeof(*line));
    line->values[0] = row->labels[0] != OAS_LABEL_NONE ? value_of(row->labels[0], a) : NULL;
    line->values[1] = row->labels[1] != OAS_LABEL_NONE ? value_of(row->labels[1], b) : NULL;
    add_cells(id, a, b, line);
    for (other = b + 1; other < dims[id][1]; other++) {
        if (first_alike(row->labels[1], other) == b) {
            add_cells(id, a, other, line);
        }
    }
}

static int is_shown(const oas_metric_t *row, const oas_sample_t *sample)
{
    if (row->kind == OAS_KIND_NODE_GAUGE) {
        return sample->value != UNSET;
    }
    return !row->sparse || sample->value != 0 || sample->count != 0;
}

void oas_metric_read(oas_metric_id_t id, void (*line)(void *baton, const oas_sample_t *sample),
                     void *baton)
{
    const oas_metric_t *row = oas_metric(id);
    oas_sample_t sample;
    int a, b;

    for (a = 0; segment != NULL && a < dims[id][0]; a++) {
        for (b = 0; b < dims[id][1] && first_alike(row->labels[0], a) == a; b++) {
            if (first_alike(row->labels[1], b) != b) {
                continue;
            }
            read_line(id, a, b, &sample);
            if (is_shown(row, &sample)) {
                line(baton, &sample);
            }
        }
    }
}

int oas_metrics_children(void)
{
    int count = 0, i;

    for (i = 0; segment != NULL && i < segment->children; i++) {
        count += !is_gone(__atomic_load_n(&segment->shared->child[i].owner, __ATOMIC_ACQUIRE));
    }
    return count;
}

apr_time_t oas_metrics_since(void)
{
    return segment != NULL ? segment->since : 0;
}
