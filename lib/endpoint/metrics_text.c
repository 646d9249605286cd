/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_text.h"

#include <string.h>
#include <apr_strings.h>

#define PREFIX     "oauth2as_"
#define FIRST_SIZE (64 * 1024)
#define NUMBER_LEN 24

struct oas_metrics_text {
    apr_pool_t *pool;
    int open;
    char *data;
    apr_size_t len, size;
    const char *name; /* of the metric that is being written */
    oas_metric_kind_t kind;
};

/* The same numbers as oas_bucket_bounds, in seconds. */
static const char *const bounds[OAS_BUCKETS] = {
    "2.5e-05", "5e-05", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
    "0.025",   "0.05",  "0.1",    "0.25",    "0.5",    "1.0",   "2.5",    "5.0"};

oas_metrics_text_t *oas_metrics_text_create(int open, apr_pool_t *pool)
{
    oas_metrics_text_t *text = apr_pcalloc(pool, sizeof(*text));

    text->pool = pool;
    text->open = open;
    text->size = FIRST_SIZE;
    text->data = apr_palloc(pool, text->size);
    return text;
}

/* Room for `len` bytes more, and the end. */
static char *room(oas_metrics_text_t *text, apr_size_t len)
{
    if (text->len + len + 1 > text->size) {
        char *old = text->data;

        text->size = 2 * text->size + len;
        text->data = apr_palloc(text->pool, text->size);
        memcpy(text->data, old, text->len);
    }
    return text->data + text->len;
}

static void add(oas_metrics_text_t *text, const char *what)
{
    apr_size_t len = strlen(what);

    memcpy(room(text, len), what, len);
    text->len += len;
}

static void add_number(oas_metrics_text_t *text, apr_int64_t number)
{
    text->len += apr_snprintf(room(text, NUMBER_LEN), NUMBER_LEN, "%" APR_INT64_T_FMT, number);
}

/* Both formats escape backslash, quote and line feed in a label value. */
static void add_value(oas_metrics_text_t *text, const char *value)
{
    char *out = room(text, 2 * strlen(value));

    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n') {
            *out++ = '\\';
        }
        *out++ = *value == '\n' ? 'n' : *value;
    }
    text->len = out - text->data;
}

static void add_label(oas_metrics_text_t *text, const char *name, const char *value, int *count)
{
    add(text, (*count)++ == 0 ? "{" : ",");
    add(text, name);
    add(text, "=\"");
    add_value(text, value != NULL ? value : "");
    add(text, "\"");
}

static void begin(void *baton, const oas_metric_t *metric)
{
    static const char *const types[] = {[OAS_KIND_COUNTER] = "counter",
                                        [OAS_KIND_HISTOGRAM] = "histogram",
                                        [OAS_KIND_CHILD_GAUGE] = "gauge",
                                        [OAS_KIND_NODE_GAUGE] = "gauge"};
    oas_metrics_text_t *text = baton;
    const char *suffix = metric->kind == OAS_KIND_COUNTER ? "_total" : "";
    const char *family =
        apr_pstrcat(text->pool, PREFIX, metric->name, text->open ? "" : suffix, NULL);

    text->kind = metric->kind;
    text->name = apr_pstrcat(text->pool, PREFIX, metric->name, suffix, NULL);
    add(text, apr_pstrcat(text->pool, "# HELP ", family, " ", metric->help, "\n# TYPE ", family,
                          " ", types[metric->kind], "\n", NULL));
}

/* Name and labels of a line, and the blank before its number. */
static void add_head(oas_metrics_text_t *text, const char *const *labels, const char *suffix,
                     const char *bound)
{
    int count = 0;

    add(text, text->name);
    add(text, suffix);
    for (; *labels != NULL; labels += 2) {
        add_label(text, labels[0], labels[1], &count);
    }
    if (bound != NULL) {
        add_label(text, "le", bound, &count);
    }
    add(text, count > 0 ? "} " : " ");
}

static void add_number_line(oas_metrics_text_t *text, const char *const *labels, const char *suffix,
                            const char *bound, apr_int64_t number)
{
    add_head(text, labels, suffix, bound);
    add_number(text, number);
    add(text, "\n");
}

static void add_histogram(oas_metrics_text_t *text, const char *const *labels,
                          const oas_sample_t *sample)
{
    apr_uint64_t sum = 0;
    int i;

    for (i = 0; i < OAS_BUCKETS; i++) {
        sum += sample->buckets[i];
        add_number_line(text, labels, "_bucket", bounds[i], (apr_int64_t)sum);
    }
    add_number_line(text, labels, "_bucket", "+Inf", (apr_int64_t)sample->count);
    add_number_line(text, labels, "_count", NULL, (apr_int64_t)sample->count);
    add_head(text, labels, "_sum", NULL);
    add(text, apr_psprintf(text->pool, "%" APR_UINT64_T_FMT ".%06d\n",
                           sample->sum / APR_USEC_PER_SEC, (int)(sample->sum % APR_USEC_PER_SEC)));
}

static void line(void *baton, const char *const *labels, const oas_sample_t *sample)
{
    oas_metrics_text_t *text = baton;

    if (text->kind == OAS_KIND_HISTOGRAM) {
        add_histogram(text, labels, sample);
    } else {
        add_number_line(text, labels, "", NULL, sample->value);
    }
}

const oas_metrics_writer_t oas_metrics_text_writer = {begin, line};

const char *oas_metrics_text_end(oas_metrics_text_t *text)
{
    if (text->open) {
        add(text, "# EOF\n");
    }
    *room(text, 0) = '\0';
    return text->data;
}

const char *oas_metrics_text_type(int open)
{
    return open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                : "text/plain; version=0.0.4; charset=utf-8";
}
