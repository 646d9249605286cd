/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_table.h"

const apr_interval_time_t oas_bucket_bounds[OAS_BUCKETS] = {
    25,    50,    100,    250,    500,    1000,    2500,    5000,   10000,
    25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000};

static const oas_metric_t metrics[OAS_M_COUNT] = {
    [OAS_M_REQUESTS] = {"requests",
                        OAS_KIND_COUNTER,
                        {OAS_LABEL_ENDPOINT, OAS_LABEL_STATUS},
                        "Requests answered, by endpoint and class of the HTTP status.",
                        1},
    [OAS_M_ERRORS] = {"errors",
                      OAS_KIND_COUNTER,
                      {OAS_LABEL_ENDPOINT, OAS_LABEL_ERROR},
                      "Requests answered with an OAuth error, by its code.",
                      1},
    [OAS_M_EVENTS] = {"events",
                      OAS_KIND_COUNTER,
                      {OAS_LABEL_EVENT, OAS_LABEL_NONE},
                      "Lines of the audit log, by event.",
                      0},
    [OAS_M_GRANTS] = {"grants",
                      OAS_KIND_COUNTER,
                      {OAS_LABEL_GRANT, OAS_LABEL_NONE},
                      "Times that tokens were issued, by grant type.",
                      0},
    [OAS_M_REFRESHES] = {"refreshes",
                         OAS_KIND_COUNTER,
                         {OAS_LABEL_REFRESH, OAS_LABEL_NONE},
                         "Refresh tokens used, by what came of it.",
                         0},
    [OAS_M_LOGINS] = {"logins",
                      OAS_KIND_COUNTER,
                      {OAS_LABEL_OPTION, OAS_LABEL_LOGIN},
                      "Attempts to sign in, by login option and what came of it.",
                      1},
    [OAS_M_LOGOUTS] = {"logout_deliveries",
                       OAS_KIND_COUNTER,
                       {OAS_LABEL_DELIVERY, OAS_LABEL_NONE},
                       "Attempts to tell an application that a session has ended.",
                       0},
    [OAS_M_POOL_REFUSED] = {"pool_refused",
                            OAS_KIND_COUNTER,
                            {OAS_LABEL_REFUSAL, OAS_LABEL_NONE},
                            "Requests that got no database connection.",
                            0},
    [OAS_M_TROUBLES] = {"database_troubles",
                        OAS_KIND_COUNTER,
                        {OAS_LABEL_TROUBLE, OAS_LABEL_NONE},
                        "What went wrong with the database, retried statements included.",
                        0},
    [OAS_M_HASH_REFUSED] = {"hasher_refused",
                            OAS_KIND_COUNTER,
                            {OAS_LABEL_NONE, OAS_LABEL_NONE},
                            "Passwords not hashed, because too many were waiting.",
                            0},
    [OAS_M_AUDIT_ELSEWHERE] =
        {"audit_elsewhere",
         OAS_KIND_COUNTER,
         {OAS_LABEL_NONE, OAS_LABEL_NONE},
         "Lines of the audit log that could not be written and went to the error log.",
         0},
    [OAS_M_PURGED] = {"purged_rows",
                      OAS_KIND_COUNTER,
                      {OAS_LABEL_ISSUER, OAS_LABEL_NONE},
                      "Rows that had ended and were deleted by this node.",
                      1},
    [OAS_M_REQUEST_TIME] = {"request_duration_seconds",
                            OAS_KIND_HISTOGRAM,
                            {OAS_LABEL_ENDPOINT, OAS_LABEL_NONE},
                            "Time from the request's first line to its answer.",
                            1},
    [OAS_M_POOL_WAIT] = {"pool_wait_seconds",
                         OAS_KIND_HISTOGRAM,
                         {OAS_LABEL_NONE, OAS_LABEL_NONE},
                         "Wait for a place in the pool of database connections.",
                         0},
    [OAS_M_STATEMENT_TIME] = {"statement_duration_seconds",
                              OAS_KIND_HISTOGRAM,
                              {OAS_LABEL_STATEMENT, OAS_LABEL_NONE},
                              "Time from sending a statement to its whole answer.",
                              1},
    [OAS_M_SIGN_TIME] = {"sign_duration_seconds",
                         OAS_KIND_HISTOGRAM,
                         {OAS_LABEL_ALG, OAS_LABEL_NONE},
                         "Time to sign a token.",
                         1},
    [OAS_M_HASH_WAIT] = {"hasher_wait_seconds",
                         OAS_KIND_HISTOGRAM,
                         {OAS_LABEL_NONE, OAS_LABEL_NONE},
                         "Wait of a password before it was hashed.",
                         0},
    [OAS_M_HASH_TIME] = {"hash_duration_seconds",
                         OAS_KIND_HISTOGRAM,
                         {OAS_LABEL_NONE, OAS_LABEL_NONE},
                         "Time to hash a password.",
                         0},
    [OAS_M_POOL_SIZE] = {"pool_size",
                         OAS_KIND_CHILD_GAUGE,
                         {OAS_LABEL_NONE, OAS_LABEL_NONE},
                         "Database connections that the node may use.",
                         0},
    [OAS_M_POOL_USED] = {"pool_used",
                         OAS_KIND_CHILD_GAUGE,
                         {OAS_LABEL_NONE, OAS_LABEL_NONE},
                         "Database connections in use.",
                         0},
    [OAS_M_POOL_WAITING] = {"pool_waiting",
                            OAS_KIND_CHILD_GAUGE,
                            {OAS_LABEL_NONE, OAS_LABEL_NONE},
                            "Requests that wait for a database connection.",
                            0},
    [OAS_M_POOLS_AWAY] = {"pools_away",
                          OAS_KIND_CHILD_GAUGE,
                          {OAS_LABEL_NONE, OAS_LABEL_NONE},
                          "Child processes whose database is away.",
                          0},
    [OAS_M_HASH_RUNNING] = {"hasher_running",
                            OAS_KIND_CHILD_GAUGE,
                            {OAS_LABEL_NONE, OAS_LABEL_NONE},
                            "Passwords being hashed.",
                            0},
    [OAS_M_HASH_WAITING] = {"hasher_waiting",
                            OAS_KIND_CHILD_GAUGE,
                            {OAS_LABEL_NONE, OAS_LABEL_NONE},
                            "Passwords that wait to be hashed.",
                            0},
    [OAS_M_SCHEMA_VERSION] = {"schema_version",
                              OAS_KIND_NODE_GAUGE,
                              {OAS_LABEL_ISSUER, OAS_LABEL_NONE},
                              "Version of the schema that the node has found.",
                              1},
    [OAS_M_PURGE_LAST] = {"purge_last_timestamp_seconds",
                          OAS_KIND_NODE_GAUGE,
                          {OAS_LABEL_ISSUER, OAS_LABEL_NONE},
                          "When no row that had ended was left last, on any node.",
                          1},
    [OAS_M_PURGE_BACKLOG] =
        {"purge_backlog_rows",
         OAS_KIND_NODE_GAUGE,
         {OAS_LABEL_ISSUER, OAS_LABEL_NONE},
         "Rows that have ended and wait to be deleted, up to 10000 of each table.",
         1},
    [OAS_M_LOGOUT_QUEUE] = {"logout_queue",
                            OAS_KIND_NODE_GAUGE,
                            {OAS_LABEL_ISSUER, OAS_LABEL_NONE},
                            "Logouts that applications have not been told of yet, up to 10000.",
                            1},
};

static const char *const label_names[OAS_LABEL_COUNT] = {
    [OAS_LABEL_ENDPOINT] = "endpoint", [OAS_LABEL_STATUS] = "status",
    [OAS_LABEL_ERROR] = "error",       [OAS_LABEL_EVENT] = "event",
    [OAS_LABEL_GRANT] = "grant_type",  [OAS_LABEL_REFRESH] = "outcome",
    [OAS_LABEL_LOGIN] = "outcome",     [OAS_LABEL_DELIVERY] = "outcome",
    [OAS_LABEL_REFUSAL] = "reason",    [OAS_LABEL_STATEMENT] = "statement",
    [OAS_LABEL_TROUBLE] = "trouble",   [OAS_LABEL_ALG] = "alg",
    [OAS_LABEL_OPTION] = "option",     [OAS_LABEL_ISSUER] = "issuer",
};

static const char *const statuses[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
static const char *const grants[OAS_METRIC_GRANTS] = {
    [OAS_METRIC_GRANT_CODE] = "authorization_code",   [OAS_METRIC_GRANT_REFRESH] = "refresh_token",
    [OAS_METRIC_GRANT_CLIENT] = "client_credentials", [OAS_METRIC_GRANT_PASSWORD] = "password",
    [OAS_METRIC_GRANT_REALM] = "password_realm",      [OAS_METRIC_GRANT_FRONT] = "front_channel",
};
static const char *const refreshes[OAS_METRIC_REFRESHES] = {
    [OAS_METRIC_ROTATED] = "rotated", [OAS_METRIC_REPEATED] = "repeated",
    [OAS_METRIC_REUSED] = "reused",   [OAS_METRIC_KEPT] = "kept",
    [OAS_METRIC_REFUSED] = "refused",
};
static const char *const logins[OAS_METRIC_LOGINS] = {
    [OAS_METRIC_LOGIN_SUCCESS] = "success",         [OAS_METRIC_LOGIN_WRONG] = "wrong",
    [OAS_METRIC_LOGIN_REFUSED] = "refused",         [OAS_METRIC_LOGIN_THROTTLED] = "throttled",
    [OAS_METRIC_LOGIN_UNAVAILABLE] = "unavailable", [OAS_METRIC_LOGIN_BUSY] = "busy",
};
static const char *const deliveries[OAS_METRIC_DELIVERIES] = {
    [OAS_METRIC_DELIVERED] = "delivered",
    [OAS_METRIC_DELIVERY_LATER] = "later",
    [OAS_METRIC_DELIVERY_FAILED] = "failed",
};
static const char *const refusals[OAS_METRIC_REFUSALS] = {
    [OAS_METRIC_POOL_FULL] = "full",
    [OAS_METRIC_POOL_AWAY] = "away",
};

#define TEXTS(array)                                                                               \
    {                                                                                              \
        array, (int)(sizeof(array) / sizeof(array[0]))                                             \
    }

static const oas_label_texts_t texts[OAS_LABEL_COUNT] = {
    [OAS_LABEL_STATUS] = TEXTS(statuses),     [OAS_LABEL_GRANT] = TEXTS(grants),
    [OAS_LABEL_REFRESH] = TEXTS(refreshes),   [OAS_LABEL_LOGIN] = TEXTS(logins),
    [OAS_LABEL_DELIVERY] = TEXTS(deliveries), [OAS_LABEL_REFUSAL] = TEXTS(refusals),
};

const oas_metric_t *oas_metric(oas_metric_id_t id)
{
    return &metrics[id];
}

const char *oas_label_name(oas_label_t label)
{
    return label_names[label];
}

const oas_label_texts_t *oas_label_texts(oas_label_t label)
{
    return &texts[label];
}
