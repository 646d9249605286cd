/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <apr_strings.h>
#include "../../lib/base/error.h"
#include "../../lib/base/metrics.h"
#include "../../lib/base/model.h"
#include "unit.h"

#define CHILDREN 3

static oas_metrics_t *metrics;

static const char *statement(int id)
{
    return apr_psprintf(pool, "statement_%d", id);
}

static void tell_labels(int statements)
{
    oas_metrics_label(OAS_LABEL_ENDPOINT, (oas_label_values_t){OAS_EP_COUNT, statement});
    oas_metrics_label(OAS_LABEL_STATEMENT, (oas_label_values_t){statements, statement});
    oas_metrics_label(OAS_LABEL_TROUBLE, (oas_label_values_t){2, statement});
    oas_metrics_label(OAS_LABEL_ALG, (oas_label_values_t){2, statement});
}

static void make(void)
{
    unit_setup();
    tell_labels(5);
    ck_assert_int_eq(oas_metrics_create(&metrics, CHILDREN), APR_SUCCESS);
    oas_metrics_child(pool);
}

static void forget(void)
{
    unit_teardown();
    oas_metrics_forget(metrics);
}

/** What was read of one metric: the last line with these label values. */
typedef struct {
    const char *a, *b;
    int lines, found;
    oas_sample_t sample;
} seen_t;

static int same(const char *want, const char *value)
{
    return want == NULL || (value != NULL && strcmp(want, value) == 0);
}

static void see(void *baton, const oas_sample_t *sample)
{
    seen_t *seen = baton;

    seen->lines++;
    if (same(seen->a, sample->values[0]) && same(seen->b, sample->values[1])) {
        seen->found++;
        seen->sample = *sample;
    }
}

static seen_t look(oas_metric_id_t id, const char *a, const char *b)
{
    seen_t seen = {.a = a, .b = b};

    oas_metric_read(id, see, &seen);
    return seen;
}

static apr_int64_t value(oas_metric_id_t id, const char *a, const char *b)
{
    return look(id, a, b).sample.value;
}

START_TEST(nothing_is_counted_without_a_segment)
{
    ck_assert_int_eq(oas_metrics_on(), 0);
    oas_count(OAS_M_GRANTS, 0, 0);
    oas_observe(OAS_M_POOL_WAIT, 0, 5);
    oas_gauge_add(OAS_M_POOL_USED, 1);
    oas_gauge_set(OAS_M_PURGE_LAST, 0, 1);
    ck_assert_int_eq(oas_metrics_name(OAS_LABEL_OPTION, "x"), 0);
    ck_assert_int_eq(look(OAS_M_GRANTS, NULL, NULL).lines, 0);
    ck_assert_int_eq(oas_metrics_children(), 0);
}
END_TEST

START_TEST(counters_are_kept_by_their_labels)
{
    oas_count(OAS_M_GRANTS, OAS_METRIC_GRANT_REFRESH, 0);
    oas_count_many(OAS_M_GRANTS, OAS_METRIC_GRANT_REFRESH, 0, 41);
    oas_count(OAS_M_GRANTS, OAS_METRICS_NAMES + 1, 0);
    oas_count(OAS_M_GRANTS, -1, 0);
    oas_count(OAS_M_GRANTS, 0, 1);
    ck_assert_int_eq(value(OAS_M_GRANTS, "refresh_token", NULL), 42);
    ck_assert_int_eq(value(OAS_M_GRANTS, "client_credentials", NULL), 0);
    ck_assert_int_eq(look(OAS_M_GRANTS, NULL, NULL).lines, OAS_METRIC_GRANTS);
    oas_count(OAS_M_REQUESTS, OAS_EP_TOKEN, 4);
    ck_assert_int_eq(look(OAS_M_REQUESTS, NULL, NULL).lines, 1);
    ck_assert_int_eq(value(OAS_M_REQUESTS, statement(OAS_EP_TOKEN), "4xx"), 1);
}
END_TEST

START_TEST(errors_of_one_code_are_one_line)
{
    oas_count(OAS_M_ERRORS, OAS_EP_TOKEN, OAS_E_REFRESH_INVALID);
    oas_count(OAS_M_ERRORS, OAS_EP_TOKEN, OAS_E_CODE_INVALID);
    oas_count(OAS_M_ERRORS, OAS_EP_TOKEN, OAS_E_CLIENT_AUTH);
    oas_count(OAS_M_ERRORS, OAS_EP_TOKEN, OAS_E_NONE);
    ck_assert_int_eq(look(OAS_M_ERRORS, NULL, NULL).lines, 2);
    ck_assert_int_eq(look(OAS_M_ERRORS, NULL, "invalid_grant").found, 1);
    ck_assert_int_eq(value(OAS_M_ERRORS, NULL, "invalid_grant"), 2);
    ck_assert_int_eq(value(OAS_M_ERRORS, NULL, "invalid_client"), 1);
}
END_TEST

START_TEST(a_duration_is_in_the_first_bucket_that_holds_it)
{
    seen_t seen;

    oas_observe(OAS_M_STATEMENT_TIME, 2, oas_bucket_bounds[3]);
    oas_observe(OAS_M_STATEMENT_TIME, 2, oas_bucket_bounds[3] + 1);
    oas_observe(OAS_M_STATEMENT_TIME, 2, oas_bucket_bounds[OAS_BUCKETS - 1] + 1);
    oas_observe(OAS_M_STATEMENT_TIME, 2, -5);
    seen = look(OAS_M_STATEMENT_TIME, "statement_2", NULL);
    ck_assert_int_eq(seen.lines, 1);
    ck_assert_uint_eq(seen.sample.buckets[0], 1);
    ck_assert_uint_eq(seen.sample.buckets[3], 1);
    ck_assert_uint_eq(seen.sample.buckets[4], 1);
    ck_assert_uint_eq(seen.sample.buckets[OAS_BUCKETS], 1);
    ck_assert_uint_eq(seen.sample.count, 4);
    ck_assert_uint_eq(seen.sample.sum,
                      2 * oas_bucket_bounds[3] + oas_bucket_bounds[OAS_BUCKETS - 1] + 2);
}
END_TEST

START_TEST(gauges_of_the_node_are_shown_once_set)
{
    int issuer = oas_metrics_name(OAS_LABEL_ISSUER, "https://login.example.com/");

    ck_assert_int_eq(issuer, 1);
    ck_assert_int_eq(oas_metrics_name(OAS_LABEL_ISSUER, "https://login.example.com/"), 1);
    ck_assert_int_eq(look(OAS_M_PURGE_BACKLOG, NULL, NULL).lines, 0);
    oas_gauge_set(OAS_M_PURGE_BACKLOG, issuer, 0);
    ck_assert_int_eq(look(OAS_M_PURGE_BACKLOG, "https://login.example.com/", NULL).lines, 1);
    ck_assert_int_eq(oas_metrics_attach(metrics, CHILDREN), APR_SUCCESS);
    ck_assert_int_eq(look(OAS_M_PURGE_BACKLOG, NULL, NULL).lines, 0);
    ck_assert_int_eq(oas_metrics_name(OAS_LABEL_ISSUER, "https://login.example.com/"), 1);
}
END_TEST

START_TEST(names_that_find_no_room_are_other)
{
    int i;

    for (i = 1; i < OAS_METRICS_NAMES; i++) {
        ck_assert_int_eq(oas_metrics_name(OAS_LABEL_OPTION, statement(i)), i);
    }
    ck_assert_int_eq(oas_metrics_name(OAS_LABEL_OPTION, "one more"), 0);
    ck_assert_int_eq(oas_metrics_name(OAS_LABEL_OPTION, statement(7)), 7);
    oas_count(OAS_M_LOGINS, 0, OAS_METRIC_LOGIN_WRONG);
    ck_assert_int_eq(value(OAS_M_LOGINS, "other", "wrong"), 1);
}
END_TEST

/** Counts in a child process that ends in a way. */
static void in_child(int how)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        apr_pool_t *own;

        apr_pool_create(&own, NULL);
        oas_metrics_child(own);
        oas_count(OAS_M_GRANTS, OAS_METRIC_GRANT_CODE, 0);
        oas_gauge_add(OAS_M_POOL_USED, 3);
        if (how == SIGKILL) {
            raise(SIGKILL);
        }
        apr_pool_destroy(own);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(how == SIGKILL ? WTERMSIG(status) : WEXITSTATUS(status), how);
}

START_TEST(what_children_counted_stays_and_their_gauges_go)
{
    int i;

    oas_gauge_add(OAS_M_POOL_USED, 1);
    for (i = 0; i < 2 * CHILDREN; i++) {
        in_child(i % 2 ? SIGKILL : 0);
    }
    ck_assert_int_eq(value(OAS_M_GRANTS, "authorization_code", NULL), 2 * CHILDREN);
    ck_assert_int_eq(value(OAS_M_POOL_USED, NULL, NULL), 1);
    ck_assert_int_eq(oas_metrics_children(), 1);
}
END_TEST

START_TEST(a_process_without_a_place_of_its_own_counts_too)
{
    apr_pool_t *own[CHILDREN];
    int i;

    for (i = 0; i < CHILDREN; i++) {
        apr_pool_create(&own[i], pool);
        oas_metrics_child(own[i]); /* as if they were others: this process takes all places */
    }
    in_child(0);
    ck_assert_int_eq(value(OAS_M_GRANTS, "authorization_code", NULL), 1);
    ck_assert_int_eq(oas_metrics_children(), CHILDREN);
}
END_TEST

START_TEST(a_segment_of_other_tables_is_not_taken)
{
    tell_labels(6);
    ck_assert_int_eq(oas_metrics_attach(metrics, CHILDREN), APR_EINVAL);
    tell_labels(5);
    ck_assert_int_eq(oas_metrics_attach(metrics, CHILDREN + 1), APR_EINVAL);
    ck_assert_int_eq(oas_metrics_attach(metrics, CHILDREN), APR_SUCCESS);
}
END_TEST

/** The first process, which may be root, attaches, names and forgets at each restart. */
START_TEST(what_a_hostile_child_wrote_leads_nobody_astray)
{
    static const int bytes[] = {0x00, 0x01, 0x7f, 0xff};

    ck_assert_int_eq(oas_metrics_name(OAS_LABEL_OPTION, "password"), 1);
    unit_hostile_child(bytes[_i]);
    ck_assert_int_eq(oas_metrics_attach(metrics, CHILDREN), APR_SUCCESS);
    ck_assert_int_eq(oas_metrics_name(OAS_LABEL_OPTION, "password"), 1);
    ck_assert_int_eq(oas_metrics_name(OAS_LABEL_OPTION, "kerberos"), 2);
    ck_assert_int_eq(look(OAS_M_PURGE_BACKLOG, NULL, NULL).lines, 0);
    oas_count(OAS_M_LOGINS, 2, OAS_METRIC_LOGIN_WRONG);
    ck_assert_int_eq(look(OAS_M_LOGINS, "kerberos", "wrong").found, 1);
    in_child(0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *without = unit_case(suite, "without");
    TCase *with = tcase_create("with");

    tcase_add_test(without, nothing_is_counted_without_a_segment);
    tcase_add_checked_fixture(with, make, forget);
    tcase_add_test(with, counters_are_kept_by_their_labels);
    tcase_add_test(with, errors_of_one_code_are_one_line);
    tcase_add_test(with, a_duration_is_in_the_first_bucket_that_holds_it);
    tcase_add_test(with, gauges_of_the_node_are_shown_once_set);
    tcase_add_test(with, names_that_find_no_room_are_other);
    tcase_add_test(with, what_children_counted_stays_and_their_gauges_go);
    tcase_add_test(with, a_process_without_a_place_of_its_own_counts_too);
    tcase_add_test(with, a_segment_of_other_tables_is_not_taken);
    tcase_add_loop_test(with, what_a_hostile_child_wrote_leads_nobody_astray, 0, 4);
    suite_add_tcase(suite, with);
    return unit_run(suite);
}
