/* SPDX-License-Identifier: Apache-2.0 */
#include "backchannel.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/audit.h"
#include "../base/json.h"
#include "../base/metrics.h"
#include "../check/client.h"
#include "../check/salt.h"
#include "../fetch/post.h"
#include "../issue/logout_token.h"
#include "../store/logout.h"

/* One that is under way; with a pool of its own. */
typedef struct item {
    apr_pool_t *pool;
    oas_logout_t logout;
    void *source;
    struct item *next;
} item_t;

struct oas_delivery {
    apr_pool_t *pool;
    oas_posts_t *posts;
    item_t *items;
    item_t *current; /* between next and settle */
    oas_post_result_t result;
    int given_up;
};

apr_status_t oas_delivery_create(oas_delivery_t **out, apr_pool_t *pool)
{
    *out = apr_pcalloc(pool, sizeof(**out));
    (*out)->pool = pool;
    return oas_posts_create(&(*out)->posts, pool);
}

static void tell(oas_tx_t *tx, const oas_logout_t *logout, oas_metric_delivery_t outcome,
                 const char *why)
{
    const char *result = outcome == OAS_METRIC_DELIVERED ? "delivered" : "failed";
    oas_members_t *more = oas_members_create(tx->pool);

    oas_count(OAS_M_LOGOUTS, (int)outcome, 0);
    oas_members_string(more, "client_id", logout->client_id);
    oas_members_string(more, "sub", logout->sub);
    oas_members_string(more, "sid", logout->sid);
    oas_members_string(more, "result", result);
    oas_members_integer(more, "attempts", logout->attempts);
    oas_audit(tx, OAS_AUDIT_BACKCHANNEL_LOGOUT, why, more);
}

/* It was delivered, or never will be. */
static apr_status_t finish(oas_tx_t *tx, const oas_logout_t *logout)
{
    apr_status_t rv = oas_store_logout_done(tx->db, logout->id, tx->pool);

    return rv == APR_ENOENT ? APR_SUCCESS : rv;
}

static apr_status_t fail(oas_tx_t *tx, const oas_logout_t *logout, const char *why)
{
    oas_log(tx->log, OAS_LOG_WARNING, OAS_TAG(00967), APR_SUCCESS,
            "client %s is not told that session %s has ended, after %d attempts: %s",
            logout->client_id, logout->sid, logout->attempts, why);
    tell(tx, logout, OAS_METRIC_DELIVERY_FAILED, why);
    return finish(tx, logout);
}

static apr_interval_time_t delay_after(int attempts)
{
    apr_interval_time_t delay = OAS_DELIVERY_RETRY;

    for (; attempts > 1 && delay < OAS_DELIVERY_RETRY_MAX; attempts--) {
        delay *= 2;
    }
    return delay < OAS_DELIVERY_RETRY_MAX ? delay : OAS_DELIVERY_RETRY_MAX;
}

static apr_status_t try_later(oas_tx_t *tx, const oas_logout_t *logout, const char *why)
{
    apr_interval_time_t delay = delay_after(logout->attempts);
    apr_status_t rv;

    if (logout->now + apr_time_sec(delay + OAS_POST_TIME) >= logout->expires) {
        return fail(tx, logout, why);
    }
    oas_count(OAS_M_LOGOUTS, OAS_METRIC_DELIVERY_LATER, 0);
    oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00968), APR_SUCCESS,
            "client %s could not be told that session %s has ended, attempt %d: %s; again in "
            "%" APR_TIME_T_FMT " s",
            logout->client_id, logout->sid, logout->attempts, why, apr_time_sec(delay));
    rv = oas_store_logout_later(tx->db, logout->id, delay, tx->pool);
    return rv == APR_ENOENT ? APR_SUCCESS : rv;
}

static item_t *new_item(oas_delivery_t *delivery, const oas_logout_t *logout, void *source)
{
    apr_pool_t *pool;
    item_t *item;

    if (apr_pool_create(&pool, delivery->pool) != APR_SUCCESS) {
        return NULL;
    }
    item = apr_pcalloc(pool, sizeof(*item));
    item->pool = pool;
    item->source = source;
    item->logout = *logout;
    item->logout.client_id = apr_pstrdup(pool, logout->client_id);
    item->logout.sid = apr_pstrdup(pool, logout->sid);
    item->logout.sub = apr_pstrdup(pool, logout->sub);
    return item;
}

/* Puts it on its way; NULL, or why that cannot be. */
static const char *send_one(oas_delivery_t *delivery, oas_tx_t *tx, const char *uri,
                            const char *token, const oas_logout_t *logout, void *source)
{
    const char *why = "no memory";
    item_t *item = new_item(delivery, logout, source);

    if (item == NULL) {
        return why;
    }
    if (oas_posts_add(delivery->posts, tx->issuer, uri,
                      apr_pstrcat(item->pool, "logout_token=", token, NULL), item, &why,
                      item->pool) != APR_SUCCESS) {
        apr_pool_destroy(item->pool);
        return why;
    }
    item->next = delivery->items;
    delivery->items = item;
    return NULL;
}

static apr_status_t begin_one(oas_delivery_t *delivery, oas_tx_t *tx, const oas_logout_t *logout,
                              void *source)
{
    const oas_client_t *client = NULL;
    apr_status_t rv = oas_client_find(tx, logout->client_id, &client);
    const char *token, *why;

    if (rv != APR_SUCCESS && rv != APR_ENOENT) {
        return rv;
    }
    if (rv == APR_ENOENT || client->backchannel_logout_uri == NULL) {
        return finish(tx, logout); /* removed meanwhile */
    }
    rv = oas_salt_for(tx, client);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (oas_logout_token(&token, tx, client, logout) != APR_SUCCESS) {
        return try_later(tx, logout, "its logout token cannot be signed here");
    }
    why = send_one(delivery, tx, client->backchannel_logout_uri, token, logout, source);
    return why == NULL ? APR_SUCCESS : fail(tx, logout, why);
}

static int extra_count(const oas_delivery_t *delivery)
{
    const item_t *item;
    int n = 0;

    for (item = delivery->items; item != NULL; item = item->next) {
        n += item->logout.extra;
    }
    return n;
}

apr_status_t oas_delivery_begin(oas_delivery_t *delivery, oas_tx_t *tx, void *source)
{
    const oas_logouts_claim_t want = {.max = OAS_DELIVERIES_MAX - oas_delivery_count(delivery),
                                      .extra = OAS_DELIVERIES_EXTRA - extra_count(delivery),
                                      .per_client = OAS_DELIVERIES_PER_CLIENT,
                                      .lease = OAS_DELIVERY_LEASE};
    apr_array_header_t *due;
    apr_status_t rv;
    int i;

    if (want.max <= 0 || tx->keys == NULL) {
        return APR_SUCCESS;
    }
    rv = oas_store_logouts_claim(tx->db, &want, &due, tx->pool);
    for (i = 0; rv == APR_SUCCESS && i < due->nelts; i++) {
        rv = begin_one(delivery, tx, &APR_ARRAY_IDX(due, i, oas_logout_t), source);
    }
    oas_db_release(tx->db);
    return rv;
}

int oas_delivery_count(const oas_delivery_t *delivery)
{
    return oas_posts_count(delivery->posts);
}

void *oas_delivery_next(oas_delivery_t *delivery, apr_interval_time_t time)
{
    if (!oas_posts_take(delivery->posts, &delivery->result)) {
        oas_posts_wait(delivery->posts, time);
        if (!oas_posts_take(delivery->posts, &delivery->result)) {
            return NULL;
        }
    }
    delivery->given_up = 0;
    delivery->current = delivery->result.baton;
    return delivery->current->source;
}

void *oas_delivery_give_up(oas_delivery_t *delivery)
{
    if (delivery->items == NULL) {
        return NULL;
    }
    delivery->given_up = 1;
    delivery->current = delivery->items;
    return delivery->current->source;
}

static apr_status_t judge(oas_delivery_t *delivery, oas_tx_t *tx)
{
    const oas_post_result_t *result = &delivery->result;
    const oas_logout_t *logout = &delivery->current->logout;
    const char *why;

    if (delivery->given_up) {
        return oas_store_logout_later(tx->db, logout->id, 0, tx->pool);
    }
    if (result->answer >= 200 && result->answer < 300) {
        tell(tx, logout, OAS_METRIC_DELIVERED, NULL);
        return finish(tx, logout);
    }
    why = result->answer != 0 ? apr_psprintf(tx->pool, "the answer has status %d", result->answer)
                              : result->why;
    return result->answer == 400 ? fail(tx, logout, why) : try_later(tx, logout, why);
}

apr_status_t oas_delivery_settle(oas_delivery_t *delivery, oas_tx_t *tx)
{
    item_t **at = &delivery->items;
    item_t *item = delivery->current;
    apr_status_t rv = judge(delivery, tx);

    oas_db_release(tx->db);
    while (*at != item) {
        at = &(*at)->next;
    }
    *at = item->next;
    delivery->current = NULL;
    apr_pool_destroy(item->pool);
    return rv;
}
