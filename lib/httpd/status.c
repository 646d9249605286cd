/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <httpd.h>
#include <http_protocol.h>
#include <apr_optional_hooks.h>
#include <mod_status.h>
#include "../endpoint/metrics.h"
#include "log.h"
#include "request.h"

/** What one page is made of. */
typedef struct page page_t;
struct page {
    request_rec *r;
    int durations; /* 1: of these, 0: of all others */
    void (*write)(const page_t *page, const char *key, const oas_sample_t *sample);
    const oas_metric_t *metric;
};

static double milliseconds(double microseconds)
{
    return microseconds / 1000;
}

/** The upper bound of the bucket in which this share of all is reached; what is longer than the
 * longest bound counts as that. */
static double quantile(const oas_sample_t *sample, double share)
{
    apr_uint64_t sum = 0;
    int i;

    for (i = 0; i < OAS_BUCKETS - 1; i++) {
        sum += sample->buckets[i];
        if ((double)sum >= share * (double)sample->count) {
            break;
        }
    }
    return (double)oas_bucket_bounds[i];
}

static double mean(const oas_sample_t *sample)
{
    return sample->count > 0 ? (double)sample->sum / (double)sample->count : 0;
}

/** "name[value,value]" */
static const char *key_of(const page_t *page, const char *const *labels)
{
    apr_pool_t *pool = page->r->pool;
    const char *key = page->metric->name, *before = "[";

    if (*labels == NULL) {
        return key;
    }
    for (; *labels != NULL; labels += 2) {
        key = apr_pstrcat(pool, key, before, labels[1] != NULL ? labels[1] : "", NULL);
        before = ",";
    }
    return apr_pstrcat(pool, key, "]", NULL);
}

static int is_duration(const oas_metric_t *metric)
{
    return metric->kind == OAS_KIND_HISTOGRAM;
}

/** One "Key: value" for each number, as scripts read ?auto. */
static void write_auto(const page_t *page, const char *key, const oas_sample_t *sample)
{
    request_rec *r = page->r;

    if (!is_duration(page->metric)) {
        ap_rprintf(r, "OAuth2AS %s: %" APR_INT64_T_FMT "\n", key, sample->value);
        return;
    }
    ap_rprintf(r, "OAuth2AS %s count: %" APR_UINT64_T_FMT "\n", key, sample->count);
    ap_rprintf(r, "OAuth2AS %s mean ms: %.3f\n", key, milliseconds(mean(sample)));
    ap_rprintf(r, "OAuth2AS %s p99 ms: %.3f\n", key, milliseconds(quantile(sample, 0.99)));
}

static void write_row(const page_t *page, const char *key, const oas_sample_t *sample)
{
    request_rec *r = page->r;
    const char *shown = ap_escape_html(r->pool, key);

    if (!is_duration(page->metric)) {
        ap_rprintf(r, "<tr><td>%s</td><td align=\"right\">%" APR_INT64_T_FMT "</td></tr>\n", shown,
                   sample->value);
        return;
    }
    ap_rprintf(r,
               "<tr><td>%s</td><td align=\"right\">%" APR_UINT64_T_FMT
               "</td><td align=\"right\">%.3f</td><td align=\"right\">%.3f</td>"
               "<td align=\"right\">%.3f</td></tr>\n",
               shown, sample->count, milliseconds(mean(sample)),
               milliseconds(quantile(sample, 0.5)), milliseconds(quantile(sample, 0.99)));
}

static void begin(void *baton, const oas_metric_t *metric)
{
    page_t *page = baton;

    page->metric = metric;
}

static void line(void *baton, const char *const *labels, const oas_sample_t *sample)
{
    const page_t *page = baton;

    if (is_duration(page->metric) == page->durations) {
        page->write(page, key_of(page, labels), sample);
    }
}

static void write_all(page_t *page, int durations)
{
    static const oas_metrics_writer_t writer = {begin, line};
    request_rec *r = page->r;
    oas_log_t log;
    oas_tx_t tx = {.pool = r->pool, .host = &oas_host, .host_baton = r, .log = &log};

    oas_log_to_server(&log, r->server);
    page->durations = durations;
    oas_metrics_tell(&tx, &writer, page);
}

static void write_tables(page_t *page)
{
    request_rec *r = page->r;

    ap_rputs("<hr />\n<h2>mod_oauth2as</h2>\n<p>Of this node since its counting began, with the "
             "numbers of all child processes; times in seconds since 1970.</p>\n"
             "<table border=\"1\">\n<tr><th>what</th><th>number</th></tr>\n",
             r);
    write_all(page, 0);
    ap_rputs("</table>\n<table border=\"1\">\n<tr><th>duration in ms</th><th>number</th>"
             "<th>mean</th><th>half within</th><th>99 % within</th></tr>\n",
             r);
    write_all(page, 1);
    ap_rputs("</table>\n", r);
}

static int write_status(request_rec *r, int flags)
{
    page_t page = {.r = r, .write = flags & AP_STATUS_SHORT ? write_auto : write_row};

    if (oas_metrics_since() == 0) {
        return OK;
    }
    if (flags & AP_STATUS_SHORT) {
        write_all(&page, 0);
        write_all(&page, 1);
    } else {
        write_tables(&page);
    }
    return OK;
}

void oas_status_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, write_status, NULL, NULL, APR_HOOK_MIDDLE);
}
