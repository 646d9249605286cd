/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <httpd.h>
#include <http_protocol.h>
#include <apr_optional_hooks.h>
#include <mod_status.h>
#include "../base/metrics.h"
#include "server_config.h"

/** What one page is made of. */
typedef struct {
    request_rec *r;
    const oas_metric_t *row;
} page_t;

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
static const char *key_of(const page_t *page, const oas_sample_t *sample)
{
    const char *a = sample->values[0], *b = sample->values[1];

    if (a == NULL) {
        return page->row->name;
    }
    return apr_pstrcat(page->r->pool, page->row->name, "[", a, b != NULL ? "," : "",
                       b != NULL ? b : "", "]", NULL);
}

/** One "Key: value" for each number, as scripts read ?auto. */
static void write_auto(void *baton, const oas_sample_t *sample)
{
    const page_t *page = baton;
    const char *key = key_of(page, sample);

    if (page->row->kind != OAS_KIND_HISTOGRAM) {
        ap_rprintf(page->r, "OAuth2AS %s: %" APR_INT64_T_FMT "\n", key, sample->value);
        return;
    }
    ap_rprintf(page->r, "OAuth2AS %s count: %" APR_UINT64_T_FMT "\n", key, sample->count);
    ap_rprintf(page->r, "OAuth2AS %s mean ms: %.3f\n", key, milliseconds(mean(sample)));
    ap_rprintf(page->r, "OAuth2AS %s p99 ms: %.3f\n", key, milliseconds(quantile(sample, 0.99)));
}

static void write_row(void *baton, const oas_sample_t *sample)
{
    page_t *page = baton;
    request_rec *r = page->r;
    const char *key = ap_escape_html(r->pool, key_of(page, sample));

    if (page->row->kind == OAS_KIND_HISTOGRAM) {
        ap_rprintf(r,
                   "<tr><td>%s</td><td align=\"right\">%" APR_UINT64_T_FMT
                   "</td><td align=\"right\">%.3f</td><td align=\"right\">%.3f</td>"
                   "<td align=\"right\">%.3f</td></tr>\n",
                   key, sample->count, milliseconds(mean(sample)),
                   milliseconds(quantile(sample, 0.5)), milliseconds(quantile(sample, 0.99)));
    } else {
        ap_rprintf(r, "<tr><td>%s</td><td align=\"right\">%" APR_INT64_T_FMT "</td></tr>\n", key,
                   sample->value);
    }
}

static int is_of(const oas_metric_t *row, int durations)
{
    return (row->kind == OAS_KIND_HISTOGRAM) == (durations != 0);
}

static void write_all(page_t *page, int durations,
                      void (*write)(void *baton, const oas_sample_t *sample))
{
    int id;

    for (id = 0; id < OAS_M_COUNT; id++) {
        page->row = oas_metric(id);
        if (is_of(page->row, durations)) {
            oas_metric_read(id, write, page);
        }
    }
}

static void write_tables(page_t *page)
{
    request_rec *r = page->r;

    ap_rputs("<hr />\n<h2>mod_oauth2as</h2>\n<p>Of this node since its counting began, with the "
             "numbers of all child processes.</p>\n<table border=\"1\">\n"
             "<tr><th>what</th><th>number</th></tr>\n",
             r);
    write_all(page, 0, write_row);
    ap_rputs("</table>\n<table border=\"1\">\n<tr><th>duration in ms</th><th>number</th>"
             "<th>mean</th><th>half within</th><th>99 % within</th></tr>\n",
             r);
    write_all(page, 1, write_row);
    ap_rputs("</table>\n", r);
}

static int write_status(request_rec *r, int flags)
{
    page_t page = {.r = r};

    if (oas_metrics_since() == 0) {
        return OK;
    }
    if (flags & AP_STATUS_SHORT) {
        write_all(&page, 0, write_auto);
        write_all(&page, 1, write_auto);
    } else {
        write_tables(&page);
    }
    return OK;
}

void oas_status_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, write_status, NULL, NULL, APR_HOOK_MIDDLE);
}
