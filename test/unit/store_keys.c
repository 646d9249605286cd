/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring: what nodes are told, what is due when, and when a retired key goes. */
#include "../../lib/store/key.h"
#include "../../lib/base/words.h"
#include "store_db.h"

static const oas_bytes_t sealed = {(const unsigned char *)"not opened here", 15};

static void keys_setup(void)
{
    db_setup();
    cluster_sql(owner, "DELETE FROM oas_keys; DELETE FROM oas_clients");
}

/* Asks as a node whose longest token lives an hour and whose key set may be kept 300 s. */
static oas_keys_told_t ask(const char *have, const char *algs, apr_interval_time_t rotate)
{
    oas_keys_ask_t in = {.have = have,
                         .token = 3600,
                         .lead = apr_time_from_sec(310),
                         .rotate = rotate,
                         .ahead = apr_time_from_sec(86400)};
    oas_keys_told_t told;
    oas_words_t *words;

    ck_assert_int_eq(oas_words_parse(&words, algs, pool), APR_SUCCESS);
    in.algs = words;
    ck_assert_int_eq(oas_store_keys_follow(db, &in, &told, pool), APR_SUCCESS);
    return told;
}

static const char *due(const oas_keys_told_t *told)
{
    return apr_array_pstrcat(pool, told->due, '+');
}

static oas_key_outcome_t put(const char *kid, oas_key_state_t only)
{
    oas_key_outcome_t outcome;

    ck_assert_int_eq(oas_store_key_put(db, kid, "ES256", sealed, 0, only, &outcome, pool),
                     APR_SUCCESS);
    return outcome;
}

static oas_key_outcome_t activate(const char *kid, int early)
{
    oas_key_outcome_t outcome;

    ck_assert_int_eq(oas_store_key_activate(db, kid, early, &outcome, pool), APR_SUCCESS);
    return outcome;
}

static oas_key_outcome_t retire(const char *kid, int at_once)
{
    oas_key_outcome_t outcome;

    ck_assert_int_eq(oas_store_key_retire(db, kid, at_once, &outcome, pool), APR_SUCCESS);
    return outcome;
}

static oas_key_row_t find(const char *kid)
{
    const oas_key_row_t none = {.state = OAS_KEY_STATES};
    apr_array_header_t *keys;
    int i;

    ck_assert_int_eq(oas_store_key_list(db, &keys, pool), APR_SUCCESS);
    for (i = 0; i < keys->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(keys, i, oas_key_row_t).kid, kid))
            return APR_ARRAY_IDX(keys, i, oas_key_row_t);
    }
    return none;
}

START_TEST(first_keys_are_due_and_told_once)
{
    oas_keys_told_t told = ask(NULL, "ES256 RS256", 0), again;

    ck_assert_str_eq(due(&told), "first ES256+first RS256");
    ck_assert_int_eq(told.rows->nelts, 0);
    ck_assert_int_eq(put("a", OAS_KEY_NEXT), OAS_KEY_PUT_TAKEN);
    ck_assert_int_eq(put("a", OAS_KEY_ACTIVE), OAS_KEY_PUT_ACTIVE);
    ck_assert_int_eq(put("b", OAS_KEY_ACTIVE), OAS_KEY_PUT_TAKEN);
    ck_assert_int_eq(put("a", OAS_KEY_STATES), OAS_KEY_PUT_KNOWN);
    told = ask(told.ring, "ES256", 0);
    ck_assert_str_eq(due(&told), "");
    ck_assert_int_eq(told.rows->nelts, 1);
    ck_assert_int_eq(APR_ARRAY_IDX(told.rows, 0, oas_key_row_t).state, OAS_KEY_ACTIVE);
    ck_assert_mem_eq(APR_ARRAY_IDX(told.rows, 0, oas_key_row_t).sealed, sealed.data, sealed.len);
    again = ask(told.ring, "ES256", 0);
    ck_assert_ptr_null(again.rows);
    ck_assert_str_eq(again.ring, told.ring);
}
END_TEST

START_TEST(a_next_key_waits_until_it_is_everywhere)
{
    put("a", OAS_KEY_STATES);
    ck_assert_int_eq(put("b", OAS_KEY_STATES), OAS_KEY_PUT_NEXT);
    ck_assert_int_eq(find("b").times.usable, 0);
    ck_assert_int_eq(activate("b", 0), OAS_KEY_EARLY); /* no node has it yet */
    ask(NULL, "ES256", 0);
    ck_assert_int_ge(find("b").times.usable, now() + 300);
    ck_assert_int_eq(activate("b", 0), OAS_KEY_EARLY);
    ck_assert_int_eq(retire("a", 0), OAS_KEY_EARLY);
    cluster_sql(owner, "UPDATE oas_keys SET usable_at = usable_at - interval '309 seconds'");
    ck_assert_int_eq(activate("b", 0), OAS_KEY_EARLY);
    cluster_sql(owner, "UPDATE oas_keys SET usable_at = usable_at - interval '1 second'");
    ck_assert_int_eq(activate("b", 0), OAS_KEY_ACTIVATED);
    ck_assert_int_eq(activate("b", 0), OAS_KEY_IS_ACTIVE);
    ck_assert_int_eq(activate("nobody", 0), OAS_KEY_UNKNOWN);
    ck_assert_int_eq(find("a").state, OAS_KEY_RETIRED);
}
END_TEST

/* Made while no node could reach the database: nobody has it in a cache, however old it is. */
START_TEST(a_next_key_is_new_when_the_first_node_is_told)
{
    put("a", OAS_KEY_STATES);
    put("b", OAS_KEY_STATES);
    cluster_sql(owner, "UPDATE oas_keys SET created_at = created_at - interval '1 hour'");
    ask(NULL, "ES256", 0);
    ck_assert_int_ge(find("b").times.usable, now() + 300);
    ck_assert_int_eq(activate("b", 0), OAS_KEY_EARLY);
}
END_TEST

/* Clients of two hours, and rows that count for no client, or not for this. */
static void add_clients(void)
{
    cluster_sql(owner,
                "INSERT INTO oas_clients (client_id, source, config_hash, metadata) VALUES "
                "('long', 'database', '', '{\"lifetimes_ms\": {\"access-token\": 7200000, "
                "\"session\": 999999999}}'), ('odd', 'database', '', '{\"lifetimes_ms\": "
                "{\"id-token\": \"x\"}}'), ('none', 'database', '', '{\"lifetimes_ms\": 7}'), "
                "('ever', 'database', '', '{\"lifetimes_ms\": {\"id-token\": 1e400}}'), "
                "('null', 'database', '', '{}')");
}

/* It has retired now, and its last token ends after so many seconds. */
static void expect_end(const char *kid, apr_int64_t seconds)
{
    ck_assert_int_eq(find(kid).state, OAS_KEY_RETIRED);
    ck_assert_int_ge(find(kid).times.ends, now() + seconds + 50);
    ck_assert_int_le(find(kid).times.ends, now() + seconds + 60);
}

START_TEST(a_retired_key_stays_until_its_last_token_has_ended)
{
    put("a", OAS_KEY_STATES);
    ask(NULL, "ES256", 0); /* tokens of an hour */
    put("b", OAS_KEY_STATES);
    add_clients();
    ck_assert_int_eq(activate("b", 1), OAS_KEY_ACTIVATED);
    expect_end("a", 7200);
    ck_assert_int_eq(ask(NULL, "ES256", 0).rows->nelts, 2);
    ck_assert_int_eq(activate("a", 0), OAS_KEY_ACTIVATED); /* all know it still */
    ck_assert_int_eq(find("a").times.ends, 0);
    ck_assert_int_eq(activate("b", 0), OAS_KEY_ACTIVATED);
    cluster_sql(owner, "UPDATE oas_keys SET ends_at = clock_timestamp() WHERE state = 'retired'");
    ck_assert_int_eq(activate("a", 0), OAS_KEY_UNKNOWN);
    ck_assert_int_eq(ask(NULL, "ES256", 0).rows->nelts, 1);
    ck_assert_int_eq(find("a").state, OAS_KEY_STATES);
}
END_TEST

/* It signed for a client that had a lifetime then. */
START_TEST(what_clients_had_counts)
{
    static const char *const changes[] = {
        "UPDATE oas_clients SET metadata = '{}'",
        "UPDATE oas_clients SET metadata = '{\"lifetimes_ms\": {\"access-token\": 1}}'",
        "DELETE FROM oas_clients",
        "SET search_path = pg_catalog; DELETE FROM public.oas_clients; RESET search_path"};
    int i;

    put("a", OAS_KEY_STATES);
    put("b", OAS_KEY_STATES);
    ask(NULL, "ES256", 0);
    add_clients();
    cluster_sql(owner, "UPDATE oas_clients SET config_hash = 'x'"); /* nothing of that */
    ck_assert_str_eq(cluster_sql(owner, "SELECT max(lifetime) FROM oas_keys"), "3600");
    cluster_sql(owner, changes[_i]);
    ck_assert_str_eq(cluster_sql(owner, "SELECT string_agg(lifetime::text, ' ') FROM oas_keys"),
                     "7200 7200"); /* the next one may sign before all have heard of it */
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(activate(i ? "a" : "b", 1), OAS_KEY_ACTIVATED);
        expect_end(i ? "b" : "a", 7200);
        ask(NULL, "ES256", 0);
    }
    put("c", OAS_KEY_STATES); /* of which nothing can be longer than the rest */
    ask(NULL, "ES256", 0);
    ck_assert_int_eq(activate("c", 1), OAS_KEY_ACTIVATED);
    ck_assert_int_eq(activate("b", 1), OAS_KEY_ACTIVATED);
    expect_end("c", 3600);
}
END_TEST

/* One that comes back has tokens of the time before it retired. */
START_TEST(what_clients_had_counts_for_a_key_that_comes_back)
{
    put("a", OAS_KEY_STATES);
    put("b", OAS_KEY_STATES);
    ask(NULL, "ES256", 0);
    add_clients();
    ck_assert_int_eq(activate("b", 1), OAS_KEY_ACTIVATED);
    cluster_sql(owner, "DELETE FROM oas_clients");
    ck_assert_int_eq(activate("a", 1), OAS_KEY_ACTIVATED);
    ck_assert_int_eq(activate("b", 1), OAS_KEY_ACTIVATED);
    expect_end("a", 7200);
}
END_TEST

START_TEST(the_longest_of_all_nodes_counts)
{
    put("a", OAS_KEY_STATES);
    put("b", OAS_KEY_STATES);
    ask(NULL, "ES256", 0);
    cluster_sql(owner, "UPDATE oas_keys SET lifetime = 9000, usable_at = created_at + interval "
                       "'1 day'"); /* another node has said so */
    ask(NULL, "ES256", 0);
    ck_assert_int_ge(find("b").times.usable, now() + 86000);
    ck_assert_int_eq(activate("b", 1), OAS_KEY_ACTIVATED);
    ck_assert_int_ge(find("a").times.ends, now() + 8990);
}
END_TEST

START_TEST(the_schedule)
{
    const apr_interval_time_t rotate = apr_time_from_sec(90 * 86400);
    oas_keys_told_t told;

    put("a", OAS_KEY_STATES);
    told = ask(NULL, "ES256", rotate);
    ck_assert_str_eq(due(&told), "");
    cluster_sql(owner, "UPDATE oas_keys SET activated_at = clock_timestamp() - interval '89 days'");
    told = ask(NULL, "ES256", rotate);
    ck_assert_str_eq(due(&told), "next ES256");
    told = ask(NULL, "ES256", 0);
    ck_assert_str_eq(due(&told), ""); /* only by hand here */
    ck_assert_int_eq(put("b", OAS_KEY_NEXT), OAS_KEY_PUT_NEXT);
    told = ask(NULL, "ES256", rotate);
    ck_assert_str_eq(due(&told), "");
    cluster_sql(owner, "UPDATE oas_keys SET activated_at = activated_at - interval '1 day'");
    told = ask(NULL, "ES256", rotate);
    ck_assert_str_eq(due(&told), ""); /* its time has come, but not everybody knows the next one */
    cluster_sql(owner, "UPDATE oas_keys SET published_at = published_at - interval '1 hour', "
                       "usable_at = usable_at - interval '1 hour' WHERE state = 'next'");
    told = ask(NULL, "ES256", rotate);
    ck_assert_str_eq(due(&told), "activate b ES256");
    ck_assert_int_eq(activate("b", 0), OAS_KEY_ACTIVATED);
    told = ask(NULL, "ES256", rotate);
    ck_assert_str_eq(due(&told), "");
}
END_TEST

START_TEST(keys_end_by_hand)
{
    put("a", OAS_KEY_STATES);
    ask(NULL, "ES256", 0);
    ck_assert_int_eq(retire("a", 0), OAS_KEY_NEEDED);
    ck_assert_int_eq(retire("a", 1), OAS_KEY_NEEDED);
    put("b", OAS_KEY_STATES);
    ck_assert_int_eq(retire("b", 0), OAS_KEY_WITHDRAWN);
    put("c", OAS_KEY_STATES);
    ck_assert_int_eq(retire("a", 1), OAS_KEY_REMOVED); /* stolen: whatever it costs */
    ck_assert_int_eq(find("a").state, OAS_KEY_STATES);
    ck_assert_int_eq(find("c").state, OAS_KEY_ACTIVE);
    ck_assert_int_eq(retire("nobody", 0), OAS_KEY_UNKNOWN);
}
END_TEST

START_TEST(sealed_anew_by_one)
{
    const oas_bytes_t other = {(const unsigned char *)"other", 5};
    apr_int64_t version;

    put("a", OAS_KEY_STATES);
    version = find("a").version;
    ck_assert_int_eq(oas_store_key_reseal(db, "a", version, other, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_key_reseal(db, "a", version, other, pool), APR_ENOENT);
    ck_assert_uint_eq(find("a").sealed_len, 5);
}
END_TEST

START_TEST(nodes_are_told_of_a_row_that_was_changed_by_hand)
{
    static const char *const changes[] = {
        "sealed = 'x'", "state = 'retired', ends_at = now() + interval '1 day'", "kid = 'c'"};
    const char *ring;
    apr_size_t i;

    put("a", OAS_KEY_STATES);
    ring = ask(NULL, "ES256", 0).ring;
    for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        oas_keys_told_t told;

        cluster_sql(owner, apr_pstrcat(pool, "UPDATE oas_keys SET ", changes[i], NULL));
        told = ask(ring, "ES256", 0);
        ck_assert_str_ne(told.ring, ring);
        ck_assert_ptr_nonnull(told.rows);
        ring = told.ring;
    }
}
END_TEST

START_TEST(bounds)
{
    const oas_bytes_t huge = {apr_pcalloc(pool, OAS_SEALED_KEY_MAX + 1), OAS_SEALED_KEY_MAX + 1};
    oas_key_outcome_t outcome;
    oas_keys_told_t told;
    apr_array_header_t *keys;

    ck_assert_int_eq(oas_store_key_put(db, "h", "ES256", huge, 0, OAS_KEY_STATES, &outcome, pool),
                     APR_ENOSPC);
    cluster_sql(owner, "INSERT INTO oas_keys (kid, alg, state, sealed, created_at, activated_at, "
                       "ends_at) SELECT 'r' || i, 'ES256', 'retired', 'x', now(), now(), now() + "
                       "interval '1 day' FROM generate_series(1, 24) AS i");
    ck_assert_int_eq(put("a", OAS_KEY_STATES), OAS_KEY_PUT_FULL);
    told = ask(NULL, "ES256", 0);
    ck_assert_int_eq(told.rows->nelts, 24);
    ck_assert_str_eq(due(&told), "full ES256"); /* so that nobody makes one in vain */
    cluster_sql(owner, "UPDATE oas_keys SET alg = 'toolonganame' WHERE kid = 'r1'");
    ck_assert_int_eq(oas_store_key_list(db, &keys, pool), APR_SUCCESS);
    ck_assert_int_eq(keys->nelts, 23); /* the others are read all the same */
    ck_assert_int_eq(cluster_log_count(), 1);
    ck_assert_int_eq(ask(NULL, "ES256", 0).rows->nelts, 23);
    cluster_log_clear();
}
END_TEST

Suite *store_keys_suite(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keyring");

    tcase_add_checked_fixture(tcase, keys_setup, db_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, first_keys_are_due_and_told_once);
    tcase_add_test(tcase, a_next_key_waits_until_it_is_everywhere);
    tcase_add_test(tcase, a_next_key_is_new_when_the_first_node_is_told);
    tcase_add_test(tcase, a_retired_key_stays_until_its_last_token_has_ended);
    tcase_add_loop_test(tcase, what_clients_had_counts, 0, 4);
    tcase_add_test(tcase, what_clients_had_counts_for_a_key_that_comes_back);
    tcase_add_test(tcase, the_longest_of_all_nodes_counts);
    tcase_add_test(tcase, the_schedule);
    tcase_add_test(tcase, keys_end_by_hand);
    tcase_add_test(tcase, sealed_anew_by_one);
    tcase_add_test(tcase, nodes_are_told_of_a_row_that_was_changed_by_hand);
    tcase_add_test(tcase, bounds);
    suite_add_tcase(suite, tcase);
    return suite;
}
