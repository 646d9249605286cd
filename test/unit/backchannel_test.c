/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries of logouts, with a queue and a network of the test's own; and logout tokens. */
#include "unit.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/json.h"
#include "../../lib/endpoint/backchannel.h"
#include "../../lib/fetch/post.h"
#include "../../lib/issue/logout_token.h"
#include "../../lib/jose/jwt.h"
#include "../../lib/store/client.h"
#include "../../lib/store/logout.h"
#include "fake_tx.h"

#define NOW 1800000000

/* What the queue holds, and what it was told. */
static struct {
    int due; /* logouts that the next claim gives */
    oas_logout_t sample;
    int asked, extra; /* extra: of those that are given */
    oas_logouts_claim_t want;
    int done, later;
    apr_interval_time_t delay;
    apr_status_t status;
} queue;

/* What the network was given, and what it says of it. */
static struct {
    int begun, running;
    void *batons[OAS_DELIVERIES_MAX];
    const char *url, *body;
    int ended;
    apr_status_t status;
    int answer;
    apr_status_t begins;
} net;

apr_status_t __wrap_oas_store_logouts_claim(oas_db_t *db, const oas_logouts_claim_t *want,
                                            apr_array_header_t **out, apr_pool_t *p);
apr_status_t __wrap_oas_store_logout_done(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                          apr_pool_t *p);
apr_status_t __wrap_oas_store_logout_later(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                           apr_interval_time_t delay, apr_pool_t *p);
apr_status_t __wrap_oas_store_client_load(oas_db_t *db, const char *client_id, oas_client_t **out,
                                          apr_pool_t *p);
void __wrap_oas_db_release(oas_db_t *db);
apr_status_t __wrap_oas_posts_add(oas_posts_t *posts, const oas_issuer_t *issuer, const char *url,
                                  const char *body, void *baton, const char **why, apr_pool_t *p);
int __wrap_oas_posts_count(const oas_posts_t *posts);
void __wrap_oas_posts_wait(oas_posts_t *posts, apr_interval_time_t time);
int __wrap_oas_posts_take(oas_posts_t *posts, oas_post_result_t *out);

apr_status_t __wrap_oas_store_logouts_claim(oas_db_t *db, const oas_logouts_claim_t *want,
                                            apr_array_header_t **out, apr_pool_t *p)
{
    *out = apr_array_make(p, 4, sizeof(oas_logout_t));
    queue.asked++;
    queue.want = *want;
    ck_assert_int_gt(want->lease, OAS_POST_TIME); /* or two nodes would send the same */
    for (; queue.due > 0 && (*out)->nelts < want->max; queue.due--) {
        queue.sample.extra = (*out)->nelts < queue.extra;
        APR_ARRAY_PUSH(*out, oas_logout_t) = queue.sample;
    }
    return queue.status;
}

apr_status_t __wrap_oas_store_logout_done(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                          apr_pool_t *p)
{
    ck_assert_mem_eq(id, queue.sample.id, OAS_ID_LEN);
    queue.done++;
    return queue.status;
}

apr_status_t __wrap_oas_store_logout_later(oas_db_t *db, const unsigned char id[OAS_ID_LEN],
                                           apr_interval_time_t delay, apr_pool_t *p)
{
    queue.later++;
    queue.delay = delay;
    return queue.status;
}

apr_status_t __wrap_oas_store_client_load(oas_db_t *db, const char *client_id, oas_client_t **out,
                                          apr_pool_t *p)
{
    return queue.status != APR_SUCCESS ? queue.status : APR_ENOENT;
}

void __wrap_oas_db_release(oas_db_t *db)
{
}

apr_status_t __wrap_oas_posts_add(oas_posts_t *posts, const oas_issuer_t *issuer, const char *url,
                                  const char *body, void *baton, const char **why, apr_pool_t *p)
{
    *why = "the network of the test says so";
    if (net.begins == APR_SUCCESS) {
        net.batons[net.begun++] = baton;
        net.running++;
        net.url = url;
        net.body = apr_pstrdup(pool, body);
    }
    return net.begins;
}

int __wrap_oas_posts_count(const oas_posts_t *posts)
{
    return net.running;
}

void __wrap_oas_posts_wait(oas_posts_t *posts, apr_interval_time_t time)
{
}

int __wrap_oas_posts_take(oas_posts_t *posts, oas_post_result_t *out)
{
    if (net.ended == 0) {
        return 0;
    }
    memset(out, 0, sizeof(*out));
    out->baton = net.batons[--net.ended];
    out->status = net.status;
    out->answer = net.answer;
    out->why = net.status != APR_SUCCESS ? "no answer in time" : NULL;
    net.running--;
    return 1;
}

static oas_delivery_t *delivery;
static oas_tx_t *tx;
static oas_client_t *client;
static const char *audited, *logged;
static int source;

static void audit(oas_tx_t *from, const char *line)
{
    audited = apr_pstrdup(pool, line);
}

static void keep_line(void *baton, oas_log_level_t level, apr_status_t status, const char *text)
{
    logged = apr_psprintf(pool, "%d %s", level, text);
}

static const oas_host_t host = {.audit = audit};
static const oas_log_t log_lines = {OAS_LOG_TRACE, keep_line, NULL};

static oas_keyset_t *make_keys(void)
{
    oas_keyset_t *keys = oas_keyset_create(pool);
    oas_jwk_t *jwk;

    ck_assert_int_eq(oas_jwk_create(&jwk, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_keyset_add(keys, jwk, oas_alg_find("EdDSA"), OAS_KEY_ACTIVE), APR_SUCCESS);
    return keys;
}

static void setup(void)
{
    unit_setup();
    memset(&queue, 0, sizeof(queue));
    memset(&net, 0, sizeof(net));
    memset(queue.sample.id, 0xa5, OAS_ID_LEN);
    queue.sample.client_id = "app";
    queue.sample.sid = "the-session";
    queue.sample.sub = "oauth2as|alice";
    queue.sample.attempts = 1;
    queue.sample.now = NOW;
    queue.sample.expires = NOW + 7200;
    net.answer = 200;
    audited = logged = NULL;
    tx = fake_tx(pool);
    client = (oas_client_t *)tx->client;
    client->backchannel_logout_uri = "https://app.example/logout";
    client->id_token_alg = "EdDSA";
    tx->keys = make_keys();
    tx->client = NULL;
    tx->host = &host;
    tx->log = &log_lines;
    ck_assert_int_eq(oas_delivery_create(&delivery, pool), APR_SUCCESS);
}

/* One logout, sent and answered. */
static void deliver(void)
{
    queue.due = 1;
    ck_assert_int_eq(oas_delivery_begin(delivery, tx, &source), APR_SUCCESS);
    ck_assert_int_eq(net.begun, 1);
    net.ended = 1;
    ck_assert_ptr_eq(oas_delivery_next(delivery, 0), &source);
    oas_delivery_settle(delivery, tx);
    ck_assert_ptr_null(oas_delivery_next(delivery, 0));
    ck_assert_int_eq(oas_delivery_count(delivery), 0);
    ck_assert_ptr_null(oas_delivery_give_up(delivery));
}

static const struct {
    apr_status_t status;
    int answer, attempts;
    apr_int64_t left; /* seconds of the queue */
    int delivered, final;
    int delay; /* seconds, of what is tried again */
} outcomes[] = {
    {APR_SUCCESS, 200, 1, 7200, 1, 1, 0},    {APR_SUCCESS, 204, 1, 7200, 1, 1, 0},
    {APR_SUCCESS, 299, 9, 7200, 1, 1, 0},    {APR_SUCCESS, 400, 1, 7200, 0, 1, 0},
    {APR_SUCCESS, 302, 1, 7200, 0, 0, 1},    {APR_SUCCESS, 401, 2, 7200, 0, 0, 2},
    {APR_SUCCESS, 404, 3, 7200, 0, 0, 4},    {APR_SUCCESS, 500, 10, 7200, 0, 0, 512},
    {APR_SUCCESS, 503, 11, 7200, 0, 0, 900}, {APR_SUCCESS, 503, 2000000, 7200, 0, 0, 900},
    {APR_TIMEUP, 0, 1, 7200, 0, 0, 1},       {APR_EACCES, 0, 4, 7200, 0, 0, 8},
    {APR_EGENERAL, 0, 5, 7200, 0, 0, 16},    {APR_SUCCESS, 500, 11, 905, 0, 1, 0},
    {APR_SUCCESS, 500, 11, 906, 0, 0, 900},  {APR_TIMEUP, 0, 1, 6, 0, 1, 0},
    {APR_SUCCESS, 500, 11, -900, 0, 1, 0},
};

START_TEST(outcome)
{
    net.status = outcomes[_i].status;
    net.answer = outcomes[_i].answer;
    queue.sample.attempts = outcomes[_i].attempts;
    queue.sample.expires = NOW + outcomes[_i].left;
    deliver();
    ck_assert_int_eq(queue.done, outcomes[_i].final);
    ck_assert_int_eq(queue.later, !outcomes[_i].final);
    if (!outcomes[_i].final) {
        ck_assert_int_eq(queue.delay, apr_time_from_sec(outcomes[_i].delay));
        ck_assert_ptr_null(audited);
        ck_assert_int_eq(logged[0] - '0', OAS_LOG_INFO);
        return;
    }
    ck_assert_ptr_nonnull(strstr(audited, outcomes[_i].delivered ? "\"delivered\"" : "\"failed\""));
    ck_assert_ptr_nonnull(strstr(audited, "\"event\":\"backchannel_logout\""));
    ck_assert_ptr_nonnull(strstr(audited, "\"client_id\":\"app\""));
    ck_assert_ptr_nonnull(strstr(audited, "\"sid\":\"the-session\""));
    ck_assert_int_eq(logged == NULL, outcomes[_i].delivered);
    ck_assert(logged == NULL || logged[0] - '0' == OAS_LOG_WARNING);
}
END_TEST

START_TEST(whoever_cannot_be_told)
{
    queue.due = 1;
    queue.sample.client_id = "gone";
    ck_assert_int_eq(oas_delivery_begin(delivery, tx, &source), APR_SUCCESS);
    ck_assert_int_eq(queue.done, 1); /* no client any more */
    queue.due = 1;
    queue.sample.client_id = "app";
    client->backchannel_logout_uri = NULL; /* one of the front channel */
    ck_assert_int_eq(oas_delivery_begin(delivery, tx, &source), APR_SUCCESS);
    ck_assert_int_eq(queue.done, 2);
    ck_assert_ptr_null(audited);
    ck_assert_ptr_null(logged);
    queue.due = 1;
    client->backchannel_logout_uri = "https://app.example/logout";
    client->id_token_alg = "RS256"; /* its key was taken away: another node may have it */
    ck_assert_int_eq(oas_delivery_begin(delivery, tx, &source), APR_SUCCESS);
    ck_assert_int_eq(queue.done, 2);
    ck_assert_int_eq(queue.later, 1);
    ck_assert_ptr_null(audited);
    ck_assert_ptr_nonnull(strstr(logged, "cannot be signed"));
    queue.due = 1;
    client->id_token_alg = "EdDSA";
    net.begins = APR_EINVAL;
    ck_assert_int_eq(oas_delivery_begin(delivery, tx, &source), APR_SUCCESS);
    ck_assert_int_eq(queue.done, 3);
    ck_assert_int_eq(net.begun, 0);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
    queue.due = 3 * OAS_DELIVERIES_MAX;
    oas_delivery_begin(delivery, tx, &source);
    ck_assert_int_eq(queue.want.max, OAS_DELIVERIES_MAX);
    ck_assert_int_eq(queue.want.per_client, OAS_DELIVERIES_PER_CLIENT);
    ck_assert_int_eq(oas_delivery_count(delivery), OAS_DELIVERIES_MAX);
    oas_delivery_begin(delivery, tx, &source);
    ck_assert_int_eq(queue.asked, 1); /* nothing is claimed that could not be sent */
    net.ended = 1;
    net.batons[0] = net.batons[OAS_DELIVERIES_MAX / 2];
    ck_assert_ptr_eq(oas_delivery_next(delivery, 0), &source);
    oas_delivery_settle(delivery, tx);
    net.begun--;
    oas_delivery_begin(delivery, tx, &source);
    ck_assert_int_eq(queue.want.max, 1);
}
END_TEST

START_TEST(half_the_room_is_for_clients_that_answer)
{
    queue.due = 40;
    queue.extra = 30;
    oas_delivery_begin(delivery, tx, &source);
    ck_assert_int_eq(queue.want.extra, OAS_DELIVERIES_MAX / 2);
    oas_delivery_begin(delivery, tx, &source);
    ck_assert_int_eq(queue.want.max, OAS_DELIVERIES_MAX - 40);
    ck_assert_int_eq(queue.want.extra, OAS_DELIVERIES_MAX / 2 - 30);
    net.ended = 1; /* an extra one: the first that was begun */
    ck_assert_ptr_eq(oas_delivery_next(delivery, 0), &source);
    oas_delivery_settle(delivery, tx);
    oas_delivery_begin(delivery, tx, &source);
    ck_assert_int_eq(queue.want.extra, OAS_DELIVERIES_MAX / 2 - 29);
}
END_TEST

START_TEST(what_is_given_up_is_due_at_once)
{
    int i;

    queue.due = 3;
    oas_delivery_begin(delivery, tx, &source);
    for (i = 0; oas_delivery_give_up(delivery) != NULL; i++) {
        oas_delivery_settle(delivery, tx);
    }
    ck_assert_int_eq(i, 3);
    ck_assert_int_eq(queue.later, 3);
    ck_assert_int_eq(queue.delay, 0);
    ck_assert_int_eq(queue.done, 0);
    ck_assert_ptr_null(audited);
}
END_TEST

START_TEST(database_is_away)
{
    queue.status = OAS_DB_UNAVAILABLE;
    queue.due = 1;
    queue.sample.client_id = "gone";
    ck_assert_int_eq(oas_delivery_begin(delivery, tx, &source), OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(queue.done, 0);
    queue.status = APR_SUCCESS;
    queue.due = 1;
    queue.sample.client_id = "app";
    oas_delivery_begin(delivery, tx, &source);
    queue.status = OAS_DB_UNAVAILABLE; /* it was delivered, which cannot be written down */
    net.ended = 1;
    oas_delivery_next(delivery, 0);
    ck_assert_int_eq(oas_delivery_settle(delivery, tx), OAS_DB_UNAVAILABLE);
    queue.status = APR_ENOENT; /* somebody else has done it */
    queue.due = 1;
    net.begun = 0;
    queue.status = APR_SUCCESS;
    oas_delivery_begin(delivery, tx, &source);
    queue.status = APR_ENOENT;
    net.ended = 1;
    oas_delivery_next(delivery, 0);
    ck_assert_int_eq(oas_delivery_settle(delivery, tx), APR_SUCCESS);
}
END_TEST

START_TEST(token_is_of_the_specification)
{
    static const char *const names[] = {"iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"};
    const json_t *events;
    oas_jws_t *jws;
    json_t *claims;
    apr_size_t i;

    deliver();
    ck_assert_str_eq(net.url, "https://app.example/logout");
    ck_assert_int_eq(strncmp(net.body, "logout_token=", 13), 0);
    ck_assert_ptr_null(strpbrk(net.body + 13, "%+&="));
    ck_assert_int_eq(oas_jws_parse(&jws, net.body + 13, strlen(net.body + 13), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_jws_verify_own(jws, tx->keys), APR_SUCCESS);
    ck_assert_str_eq(jws->typ, "logout+jwt");
    ck_assert_int_eq(oas_jwt_claims(&claims, jws, pool), APR_SUCCESS);
    ck_assert_uint_eq(json_object_size(claims), sizeof(names) / sizeof(names[0])); /* no nonce */
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_ptr_nonnull(json_object_get(claims, names[i]));
    }
    ck_assert_str_eq(oas_json_string(claims, "aud"), "app");
    ck_assert_str_eq(oas_json_string(claims, "sid"), "the-session");
    ck_assert_str_eq(oas_json_string(claims, "sub"), "oauth2as|alice");
    ck_assert_int_eq(json_integer_value(json_object_get(claims, "iat")), NOW);
    ck_assert_int_eq(json_integer_value(json_object_get(claims, "exp")), NOW + 120);
    events = json_object_get(claims, "events");
    ck_assert(json_is_object(
        json_object_get(events, "http://schemas.openid.net/event/backchannel-logout")));
}
END_TEST

/* A client with pairwise subjects is told of no other name. */
START_TEST(token_is_pairwise)
{
    static const unsigned char salt[32] = {1};
    const char *text;
    oas_jws_t *jws;
    json_t *claims;

    client->sector = "app.example";
    ck_assert_int_eq(oas_logout_token(&text, tx, client, &queue.sample), APR_EGENERAL);
    tx->salt = salt;
    ck_assert_int_eq(oas_logout_token(&text, tx, client, &queue.sample), APR_SUCCESS);
    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_jwt_claims(&claims, jws, pool), APR_SUCCESS);
    ck_assert_uint_eq(strlen(oas_json_string(claims, "sub")), 43);
    ck_assert_ptr_null(strstr((const char *)jws->payload.data, "alice"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backchannel");
    TCase *tcase = tcase_create("delivery");

    tcase_add_checked_fixture(tcase, setup, unit_teardown);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, outcome, 0, sizeof(outcomes) / sizeof(outcomes[0]));
    tcase_add_test(tcase, whoever_cannot_be_told);
    tcase_add_test(tcase, no_more_than_there_is_room_for);
    tcase_add_test(tcase, half_the_room_is_for_clients_that_answer);
    tcase_add_test(tcase, what_is_given_up_is_due_at_once);
    tcase_add_test(tcase, database_is_away);
    tcase_add_test(tcase, token_is_of_the_specification);
    tcase_add_test(tcase, token_is_pairwise);
    return unit_run(suite);
}
