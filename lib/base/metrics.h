/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file metrics.h
 * What a node counts: a fixed table of counters, histograms and gauges, in memory that all child
 * processes of a server share, so that whichever child is asked answers for the whole node. Label
 * values come from tables and from the configuration, never from input.
 *
 * Counting is a relaxed atomic addition into the slot of this process, and nothing at all where
 * there is no segment (commands, unit tests). It never fails and never allocates.
 */
#ifndef OAS_BASE_METRICS_H
#define OAS_BASE_METRICS_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

/** Whose values an event may be counted under. The ids are indexes into the table named here. */
typedef enum {
    OAS_LABEL_NONE,
    OAS_LABEL_ENDPOINT,  /**< oas_endpoint_id_t; OAS_EP_COUNT: the Location of a login option */
    OAS_LABEL_STATUS,    /**< HTTP status / 100 */
    OAS_LABEL_ERROR,     /**< oas_error_id_t, shown by its wire code */
    OAS_LABEL_EVENT,     /**< oas_audit_event_t */
    OAS_LABEL_GRANT,     /**< oas_metric_grant_t */
    OAS_LABEL_REFRESH,   /**< oas_metric_refresh_t */
    OAS_LABEL_LOGIN,     /**< oas_metric_login_t */
    OAS_LABEL_DELIVERY,  /**< oas_metric_delivery_t */
    OAS_LABEL_REFUSAL,   /**< oas_metric_refusal_t */
    OAS_LABEL_STATEMENT, /**< oas_stmt_id_t */
    OAS_LABEL_TROUBLE,   /**< oas_trouble_t */
    OAS_LABEL_ALG,       /**< place in the table of algorithms (jose/jwk.h, oas_alg_index) */
    OAS_LABEL_OPTION,    /**< oas_metrics_name() of a login option's id */
    OAS_LABEL_ISSUER,    /**< oas_metrics_name() of an issuer */
    OAS_LABEL_COUNT
} oas_label_t;

/** The bit numbers of OAS_GRANT_ (model.h), and the front channel. */
typedef enum {
    OAS_METRIC_GRANT_CODE,
    OAS_METRIC_GRANT_REFRESH,
    OAS_METRIC_GRANT_CLIENT,
    OAS_METRIC_GRANT_PASSWORD,
    OAS_METRIC_GRANT_REALM,
    OAS_METRIC_GRANT_FRONT, /**< tokens for the browser (implicit, hybrid) */
    OAS_METRIC_GRANTS
} oas_metric_grant_t;

typedef enum {
    OAS_METRIC_ROTATED,
    OAS_METRIC_REPEATED, /**< inside the reuse window: the same answer */
    OAS_METRIC_REUSED,   /**< outside it: the family has ended */
    OAS_METRIC_KEPT,     /**< no rotation for this client: the token goes on */
    OAS_METRIC_REFUSED,
    OAS_METRIC_REFRESHES
} oas_metric_refresh_t;

typedef enum {
    OAS_METRIC_LOGIN_SUCCESS,
    OAS_METRIC_LOGIN_WRONG,
    OAS_METRIC_LOGIN_REFUSED,     /**< by the Location of the option */
    OAS_METRIC_LOGIN_THROTTLED,   /**< not even tried */
    OAS_METRIC_LOGIN_UNAVAILABLE, /**< no provider could tell */
    OAS_METRIC_LOGIN_BUSY,        /**< too many at once */
    OAS_METRIC_LOGINS
} oas_metric_login_t;

typedef enum {
    OAS_METRIC_DELIVERED,
    OAS_METRIC_DELIVERY_LATER,
    OAS_METRIC_DELIVERY_FAILED,
    OAS_METRIC_DELIVERIES
} oas_metric_delivery_t;

typedef enum {
    OAS_METRIC_POOL_FULL, /**< no connection came free in time */
    OAS_METRIC_POOL_AWAY, /**< the database is away, and somebody else is looking */
    OAS_METRIC_REFUSALS
} oas_metric_refusal_t;

/** The labels of each, in order, are in the table of metrics.c; so are its name and help. */
typedef enum {
    /* counters: oas_count, oas_count_many */
    OAS_M_REQUESTS,     /**< endpoint, status */
    OAS_M_ERRORS,       /**< endpoint, error */
    OAS_M_EVENTS,       /**< event */
    OAS_M_GRANTS,       /**< grant */
    OAS_M_REFRESHES,    /**< refresh */
    OAS_M_LOGINS,       /**< option, login */
    OAS_M_LOGOUTS,      /**< delivery */
    OAS_M_POOL_REFUSED, /**< refusal */
    OAS_M_TROUBLES,     /**< trouble */
    OAS_M_HASH_REFUSED,
    OAS_M_AUDIT_ELSEWHERE,
    OAS_M_PURGED, /**< issuer */
    /* histograms: oas_observe */
    OAS_M_REQUEST_TIME,   /**< endpoint */
    OAS_M_POOL_WAIT,      /**< every connection asked for, those that were free at once too */
    OAS_M_STATEMENT_TIME, /**< statement */
    OAS_M_SIGN_TIME,      /**< alg */
    OAS_M_HASH_WAIT,
    OAS_M_HASH_TIME,
    /* gauges of a child process: oas_gauge_add; shown as the sum of all living ones */
    OAS_M_POOL_SIZE,
    OAS_M_POOL_USED,
    OAS_M_POOL_WAITING,
    OAS_M_POOLS_AWAY, /**< pools whose database is away */
    OAS_M_HASH_RUNNING,
    OAS_M_HASH_WAITING,
    /* gauges of the node: oas_gauge_set */
    OAS_M_SCHEMA_VERSION, /**< issuer */
    OAS_M_PURGE_LAST,     /**< issuer; seconds since 1970 */
    OAS_M_PURGE_BACKLOG,  /**< issuer */
    OAS_M_LOGOUT_QUEUE,   /**< issuer */
    OAS_M_COUNT
} oas_metric_id_t;

/** Adds one. @param a,b the ids of its labels, 0 for those it has not; one that is out of range
 * is not counted. */
void oas_count(oas_metric_id_t id, int a, int b);

/** Adds n. */
void oas_count_many(oas_metric_id_t id, int a, int b, apr_uint64_t n);

/** Adds one duration to a histogram. */
void oas_observe(oas_metric_id_t id, int a, apr_interval_time_t microseconds);

/** Moves a gauge of this process. What goes up must come down: in the same process. */
void oas_gauge_add(oas_metric_id_t id, int n);

/** Sets a gauge of the node. */
void oas_gauge_set(oas_metric_id_t id, int a, apr_int64_t value);

/** 1 where somebody counts: what is worth measuring only then. */
int oas_metrics_on(void);

/* ---- setting it up: httpd/metrics.c ---- */

/** A table of label values. */
typedef struct {
    int count;
    const char *(*value)(
        int id); /**< equal texts of a second label are shown as one; NULL: none such */
} oas_label_values_t;

/** Tells the values of a label that belongs to a room above; before oas_metrics_create. */
void oas_metrics_label(oas_label_t label, oas_label_values_t values);

typedef struct oas_metrics oas_metrics_t;

/**
 * Makes a segment for up to `children` processes and attaches to it. It outlives pools: it is meant
 * to be kept over restarts. Only numbers are shared memory; names and sizes are this process's own,
 * so that no child can make the process that starts them write or unmap elsewhere.
 */
apr_status_t oas_metrics_create(oas_metrics_t **out, int children);

/** Attaches to a segment that was kept; gauges of the node are to be set anew. @return APR_EINVAL:
 * it was made for other tables or fewer children (nothing is attached) */
apr_status_t oas_metrics_attach(oas_metrics_t *metrics, int children);

/** Unmaps a segment here; other processes go on with it. */
void oas_metrics_forget(oas_metrics_t *metrics);

/** Takes a slot for this process; given back when the pool goes. In child_init. */
void oas_metrics_child(apr_pool_t *pchild);

/** The id of a text from the configuration, for OAS_LABEL_OPTION and OAS_LABEL_ISSUER: the same
 * for the same text as long as the segment lives. Only while nobody else does, in post_config.
 * 0, "other", when there is no room (or no segment). */
int oas_metrics_name(oas_label_t label, const char *text);
#define OAS_METRICS_NAMES    32 /**< per label, "other" included */
#define OAS_METRICS_NAME_LEN 256

/* ---- reading it ---- */

typedef enum {
    OAS_KIND_COUNTER,
    OAS_KIND_HISTOGRAM,
    OAS_KIND_CHILD_GAUGE,
    OAS_KIND_NODE_GAUGE
} oas_metric_kind_t;

typedef struct {
    const char *name; /**< without prefix and, for counters, without "_total" */
    oas_metric_kind_t kind;
    oas_label_t labels[2];
    const char *help;
    int sparse; /**< 1: only what has happened is shown */
} oas_metric_t;

/** The row of a metric. */
const oas_metric_t *oas_metric(oas_metric_id_t id);

/** What a label is called. */
const char *oas_label_name(oas_label_t label);

#define OAS_BUCKETS 17
/** Upper bounds in microseconds; behind the last comes everything longer. */
extern const apr_interval_time_t oas_bucket_bounds[OAS_BUCKETS];

/** One line of a metric. */
typedef struct {
    const char *values[2];                 /**< of its labels; NULL where it has none */
    apr_int64_t value;                     /**< of counters and gauges */
    apr_uint64_t buckets[OAS_BUCKETS + 1]; /**< of histograms; each for itself */
    apr_uint64_t count;                    /**< of histograms */
    apr_uint64_t sum;                      /**< of histograms, microseconds */
} oas_sample_t;

/** Reads all lines of a metric, one after the other. Nothing where there is no segment. */
void oas_metric_read(oas_metric_id_t id, void (*line)(void *baton, const oas_sample_t *sample),
                     void *baton);

/** How many child processes live, and when the segment was made (counting began). */
int oas_metrics_children(void);
apr_time_t oas_metrics_since(void);

#endif
