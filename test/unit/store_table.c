/* SPDX-License-Identifier: Apache-2.0 */
/* Throttle, users and clients. */
#include <apr_strings.h>
#include "../../lib/store/client_admin.h"
#include "../../lib/store/throttle.h"
#include "../../lib/store/user.h"
#include "store_db.h"

static oas_throttle_attempt_t attempt_of(int pair, int account, int address)
{
    oas_throttle_attempt_t in;
    int i;

    for (i = 0; i < OAS_THROTTLE_KEYS; i++)
        fill_random(in.key[i], OAS_SHA256_LEN);
    in.limit[OAS_THROTTLE_PAIR] = pair;
    in.limit[OAS_THROTTLE_ACCOUNT] = account;
    in.limit[OAS_THROTTLE_ADDRESS] = address;
    in.max = apr_time_from_sec(900);
    return in;
}

static int attempt(const oas_throttle_attempt_t *in)
{
    int wait;

    ck_assert_int_eq(oas_store_throttle_attempt(db, in, &wait, pool), APR_SUCCESS);
    return wait;
}

static const char *counter(const oas_throttle_attempt_t *in, int key, const char *expression)
{
    return cluster_sql(owner, apr_psprintf(pool, "SELECT %s FROM oas_throttle WHERE key = '\\x%s'",
                                           expression,
                                           oas_hex_encode(pool, in->key[key], OAS_SHA256_LEN)));
}

static void set_counter(const oas_throttle_attempt_t *in, int key, const char *assignment)
{
    cluster_sql(owner,
                apr_psprintf(pool, "UPDATE oas_throttle SET %s WHERE key = '\\x%s'", assignment,
                             oas_hex_encode(pool, in->key[key], OAS_SHA256_LEN)));
}

START_TEST(test_waits_beyond_the_limit)
{
    oas_throttle_attempt_t in = attempt_of(3, 50, 100);
    int i, wait;

    for (i = 0; i < 4; i++) /* the fourth is beyond, but nobody waits yet */
        ck_assert_int_eq(attempt(&in), 0);
    wait = attempt(&in);
    ck_assert_int_ge(wait, 1);
    ck_assert_int_le(wait, 2);
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR, "failures"), "4"); /* not counted */
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_ADDRESS, "failures"), "4");
    /* each further failure doubles the wait, up to max */
    for (i = 2; i <= 12; i++) {
        set_counter(&in, OAS_THROTTLE_PAIR, "waiting_until = NULL");
        ck_assert_int_eq(attempt(&in), 0);
        wait = attempt(&in);
        ck_assert_int_le(wait, i < 10 ? 1 << i : 900);
        ck_assert_int_ge(wait, i < 10 ? (1 << i) - 1 : 899);
    }
}
END_TEST

START_TEST(test_any_counter_counts)
{
    oas_throttle_attempt_t in = attempt_of(10, 10, 0), other;

    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_ge(attempt(&in), 1);
    /* another pair and account from the same address waits as well */
    other = attempt_of(10, 10, 0);
    memcpy(other.key[OAS_THROTTLE_ADDRESS], in.key[OAS_THROTTLE_ADDRESS], OAS_SHA256_LEN);
    ck_assert_int_ge(attempt(&other), 1);
    memcpy(other.key[OAS_THROTTLE_PAIR], in.key[OAS_THROTTLE_PAIR], OAS_SHA256_LEN);
    fill_random(other.key[OAS_THROTTLE_ADDRESS], OAS_SHA256_LEN);
    ck_assert_int_eq(attempt(&other), 0);
}
END_TEST

START_TEST(test_counter_starts_again)
{
    oas_throttle_attempt_t in = attempt_of(1, 50, 100);

    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_ge(attempt(&in), 1);
    set_counter(&in, OAS_THROTTLE_PAIR,
                "waiting_until = NULL, last_failure = last_failure - interval '1801 seconds'");
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR, "failures"), "1");
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_ACCOUNT, "failures"), "3");
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR,
                             "purge_after >= last_failure + interval '900 seconds' AND "
                             "purge_after <= last_failure + interval '2 hours'"),
                     "t");
}
END_TEST

/* Moves the counter's time back: `seconds` pass. */
static void pass(const oas_throttle_attempt_t *in, int key, double seconds)
{
    set_counter(in, key,
                apr_psprintf(pool,
                             "waiting_until = waiting_until - interval '%f seconds', "
                             "last_failure = last_failure - interval '%f seconds'",
                             seconds, seconds));
}

/* Of a hundred in 900 seconds one leaks every nine, of fifty one every 18, of ten one every 90. */
START_TEST(test_failures_leak)
{
    oas_throttle_attempt_t in = attempt_of(10, 50, 100);
    int i;

    for (i = 0; i < 6; i++)
        ck_assert_int_eq(attempt(&in), 0);
    for (i = 0; i < OAS_THROTTLE_KEYS; i++)
        pass(&in, i, 94.5);
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR, "failures"), "6");
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_ACCOUNT, "failures"), "2");
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_ADDRESS, "failures"), "1");
    pass(&in, OAS_THROTTLE_PAIR, 86); /* the 4.5 seconds of before are not lost: 90.5 */
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR, "failures"), "6");
}
END_TEST

/* Good sign-ins, which count and give back, do not hold up what leaks, and make no credit. */
START_TEST(test_good_sign_ins_do_not_stop_the_leak)
{
    oas_throttle_attempt_t in = attempt_of(1000, 1000, 10);
    int i;

    for (i = 0; i < 10; i++)
        ck_assert_int_eq(attempt(&in), 0);
    for (i = 0; i < 30; i++) { /* every half minute: 3.33 leak in 300 seconds, all in 900 */
        pass(&in, OAS_THROTTLE_ADDRESS, 30);
        ck_assert_int_eq(attempt(&in), 0);
        ck_assert_int_eq(oas_store_throttle_forgive(db, &in, pool), APR_SUCCESS);
        if (i == 10)
            ck_assert_str_eq(counter(&in, OAS_THROTTLE_ADDRESS, "failures"), "7");
    }
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_ADDRESS, "failures"), "0");
    for (i = 0; i < 11; i++)
        ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_ge(attempt(&in), 1);
}
END_TEST

/* As many guesses as one can, for six hours, as soon as the wait is over or a little later. */
static int guesses_in_six_hours(oas_throttle_attempt_t *in, int key, int later)
{
    int seconds = 0, guesses = 0, wait;

    fill_random(in->key[0], sizeof(in->key));
    while (seconds < 6 * 3600) {
        wait = attempt(in);
        guesses += wait == 0;
        wait = wait ? wait : later;
        seconds += wait;
        if (wait)
            pass(in, key, wait);
    }
    return guesses;
}

/* No more than whoever spends the free ones, pauses for a quarter of an hour, and so on: 24 times
 * ten, and ten at first. */
START_TEST(test_what_an_attacker_gets)
{
    oas_throttle_attempt_t in = attempt_of(10, 1000000, 1000000);
    static const int later[] = {0, 20, 60, 89};
    int guesses = guesses_in_six_hours(&in, OAS_THROTTLE_PAIR, later[_i]);

    ck_assert_int_ge(guesses, 230);
    ck_assert_int_le(guesses, 260);
}
END_TEST

START_TEST(test_one_counter_named_twice)
{
    oas_throttle_attempt_t in = attempt_of(3, 50, 3);

    memcpy(in.key[OAS_THROTTLE_ADDRESS], in.key[OAS_THROTTLE_PAIR], OAS_SHA256_LEN);
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR, "failures"), "2");
    ck_assert_int_eq(oas_store_throttle_forgive(db, &in, pool), APR_SUCCESS);
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR, "failures"), "1");
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_ACCOUNT, "failures"), "1");
}
END_TEST

START_TEST(test_a_flood_that_waits_adds_nothing)
{
    oas_throttle_attempt_t in = attempt_of(5, 50, 0);
    long before;
    int i;

    ck_assert_int_eq(attempt(&in), 0); /* the first one from this address is one too many */
    before = atol(cluster_sql(owner, "SELECT count(*) FROM oas_throttle"));
    for (i = 0; i < 20; i++) {
        memset(in.key[OAS_THROTTLE_PAIR], 0x40 + i, OAS_SHA256_LEN);
        memset(in.key[OAS_THROTTLE_ACCOUNT], 0x80 + i, OAS_SHA256_LEN);
        ck_assert_int_gt(attempt(&in), 0);
    }
    ck_assert_int_eq(atol(cluster_sql(owner, "SELECT count(*) FROM oas_throttle")), before);
}
END_TEST

START_TEST(test_old_counters_go_away)
{
    oas_throttle_attempt_t in = attempt_of(5, 50, 100);

    cluster_sql(owner, "INSERT INTO oas_throttle (key, failures, last_failure, purge_after) "
                       "SELECT sha256(i::text::bytea), 1, now() - interval '1 day', "
                       "now() - interval '1 hour' FROM generate_series(1, 20) AS i");
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM oas_throttle WHERE purge_after < "
                                        "clock_timestamp()"),
                     "0");
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR, "failures"), "3");
}
END_TEST

START_TEST(test_forgive)
{
    oas_throttle_attempt_t in = attempt_of(0, 50, 100);

    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_eq(oas_store_throttle_forgive(db, &in, pool), APR_SUCCESS);
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_PAIR, "failures"), "0");
    ck_assert_int_eq(attempt(&in), 0);
    ck_assert_int_eq(oas_store_throttle_forgive(db, &in, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_throttle_forgive(db, &in, pool), APR_SUCCESS);
    ck_assert_str_eq(counter(&in, OAS_THROTTLE_ACCOUNT, "failures"), "0");
}
END_TEST

START_TEST(test_users)
{
    oas_db_t *tool = cluster_db(cluster_connect(pool, cluster_params(1), 0), NULL, NULL, pool);
    apr_array_header_t *list;
    oas_user_t user;

    ck_assert_int_eq(oas_store_user_load(db, "carol", &user, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_user_add(tool, "carol", "$y$hash", "{\"name\":\"Carol\"}", pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_store_user_add(tool, "carol", "$y$other", "{}", pool), APR_EEXIST);
    ck_assert_int_eq(oas_store_user_load(db, "carol", &user, pool), APR_SUCCESS);
    ck_assert_str_eq(user.name, "carol");
    ck_assert_str_eq(user.password_hash, "$y$hash");
    ck_assert_int_eq(user.locked, 0);
    ck_assert_ptr_nonnull(strstr(user.claims, "Carol"));
    ck_assert_int_eq((int)strlen(user.created), 20);
    ck_assert_int_eq(user.created[19], 'Z');
    ck_assert_int_eq(oas_store_user_passwd(tool, "carol", "$y$new", pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_user_lock(tool, "carol", 1, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_user_load(db, "carol", &user, pool), APR_SUCCESS);
    ck_assert_str_eq(user.password_hash, "$y$new");
    ck_assert_int_eq(user.locked, 1);
    ck_assert_int_eq(oas_store_user_passwd(tool, "nobody", "$y$new", pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_user_lock(tool, "nobody", 1, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_user_list(tool, &list, pool), APR_SUCCESS);
    ck_assert_int_ge(list->nelts, 1);
    ck_assert_ptr_null(APR_ARRAY_IDX(list, 0, oas_user_t).password_hash);
    /* the role of httpd reads users and changes none */
    ck_assert_int_eq(oas_store_user_lock(db, "carol", 0, pool), OAS_DB_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(cluster_log_last(), "privileges"));
    cluster_log_clear();
}
END_TEST

static oas_client_t *configured(const char *id, const char *name)
{
    oas_client_t *client = apr_pcalloc(pool, sizeof(*client));
    unsigned char hash[OAS_SHA256_LEN];
    int i;

    client->client_id = id;
    client->name = name;
    client->id_token_alg = "RS256";
    client->auth_methods = OAS_AUTH_NONE;
    for (i = 0; i < OAS_LIFETIME_COUNT; i++)
        client->lifetimes[i] = OAS_LIFETIME_UNSET;
    client->config_json = oas_client_to_json(client, pool);
    oas_sha256(client->config_json, strlen(client->config_json), hash);
    client->config_hash = oas_hex_encode(pool, hash, sizeof(hash));
    return client;
}

START_TEST(test_clients)
{
    oas_client_t *out;

    ck_assert_int_eq(oas_store_client_load(db, "c1", &out, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_client_sync(db, configured("c1", "One"), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_load(db, "c1", &out, pool), APR_SUCCESS);
    ck_assert_str_eq(out->name, "One");
    cluster_sql(owner, "UPDATE oas_clients SET updated_at = '2000-01-01' WHERE client_id = 'c1'");
    ck_assert_int_eq(oas_store_client_sync(db, configured("c1", "One"), pool), APR_SUCCESS);
    ck_assert_str_eq(cluster_sql(owner, "SELECT updated_at < '2001-01-01' FROM oas_clients WHERE "
                                        "client_id = 'c1'"),
                     "t");
    ck_assert_int_eq(oas_store_client_sync(db, configured("c1", "Two"), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_load(db, "c1", &out, pool), APR_SUCCESS);
    ck_assert_str_eq(out->name, "Two");
    /* a node notes its clients once a minute, and one missed minute ends nothing */
    cluster_sql(owner, "UPDATE oas_clients SET seen_at = seen_at - interval '31 seconds' "
                       "WHERE client_id = 'c1'");
    ck_assert_int_eq(oas_store_client_sync(db, configured("c1", "Two"), pool), APR_SUCCESS);
    ck_assert_str_eq(cluster_sql(owner, "SELECT seen_at > clock_timestamp() - interval '30 "
                                        "seconds' FROM oas_clients WHERE client_id = 'c1'"),
                     "t");
    cluster_sql(owner, "UPDATE oas_clients SET seen_at = seen_at - interval '150 seconds' "
                       "WHERE client_id = 'c1'");
    ck_assert_int_eq(oas_store_client_load(db, "c1", &out, pool), APR_SUCCESS);
    /* a client that no node has configured any more ends */
    cluster_sql(owner, "UPDATE oas_clients SET seen_at = seen_at - interval '181 seconds' "
                       "WHERE client_id = 'c1'");
    ck_assert_int_eq(oas_store_client_load(db, "c1", &out, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_client_sync(db, configured("c1", "Two"), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_load(db, "c1", &out, pool), APR_SUCCESS);

    cluster_sql(owner, "UPDATE oas_clients SET disabled = true WHERE client_id = 'c1'");
    ck_assert_int_eq(oas_store_client_load(db, "c1", &out, pool), APR_ENOENT);
    cluster_sql(owner, "UPDATE oas_clients SET disabled = false, source = 'database' WHERE "
                       "client_id = 'c1'");
    ck_assert_int_eq(oas_store_client_sync(db, configured("c1", "Three"), pool), APR_EEXIST);
    ck_assert_int_eq(oas_store_client_load(db, "c1", &out, pool), APR_SUCCESS);
    ck_assert_str_eq(out->name, "Two");
    /* a row that says something else than its key */
    cluster_sql(owner, "UPDATE oas_clients SET client_id = 'c2' WHERE client_id = 'c1'");
    ck_assert_int_eq(oas_store_client_load(db, "c2", &out, pool), APR_EGENERAL);
    ck_assert_ptr_nonnull(strstr(cluster_log_last(), "cannot read"));
    cluster_log_clear();
}
END_TEST

static const char *metadata_of(const char *name)
{
    return apr_psprintf(pool, "{\"client_id\": \"mine\", \"client_name\": \"%s\"}", name);
}

/* What an administrator keeps: of two who change the same state one wins, and configured clients
 * are none of theirs. */
START_TEST(test_administered_clients)
{
    oas_client_entry_t entry;
    apr_array_header_t *list;

    ck_assert_int_eq(oas_store_client_show(db, "mine", &entry, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_client_add(db, "mine", metadata_of("A"), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_add(db, "mine", metadata_of("B"), pool), APR_EEXIST);
    ck_assert_int_eq(oas_store_client_show(db, "mine", &entry, pool), APR_SUCCESS);
    ck_assert_str_eq(entry.name, "A");
    ck_assert_int_eq(oas_store_client_change(db, "mine", metadata_of("B"), entry.metadata, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_change(db, "mine", metadata_of("C"), entry.metadata, pool),
                     APR_ENOENT);
    ck_assert_int_eq(oas_store_client_disable(db, "mine", 1, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_show(db, "mine", &entry, pool), APR_SUCCESS);
    ck_assert_str_eq(entry.name, "B");
    ck_assert_int_eq(entry.disabled && !entry.served && !entry.configured, 1);
    ck_assert_int_eq(entry.secrets, 0);

    ck_assert_int_eq(oas_store_client_sync(db, configured("theirs", "One"), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_show(db, "theirs", &entry, pool), APR_SUCCESS);
    ck_assert_int_eq(entry.configured && entry.served, 1);
    ck_assert_int_eq(oas_store_client_change(db, "theirs", metadata_of("X"), entry.metadata, pool),
                     APR_ENOENT);
    ck_assert_int_eq(oas_store_client_add(db, "theirs", metadata_of("X"), pool), APR_EEXIST);
    ck_assert_int_eq(oas_store_client_disable(db, "nobody's", 1, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_clients_list(db, "mine", 1, &list, pool), APR_SUCCESS);
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, oas_client_entry_t).client_id, "theirs");
    cluster_sql(owner, "DELETE FROM oas_clients WHERE client_id IN ('mine', 'theirs')");
}
END_TEST

/* What an administrator says of a configured client outlives what nodes write of it. */
START_TEST(test_disabled_configured_client)
{
    oas_client_entry_t entry;
    oas_client_t *out;

    ck_assert_int_eq(oas_store_client_sync(db, configured("theirs", "One"), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_disable(db, "theirs", 1, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_load(db, "theirs", &out, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_client_sync(db, configured("theirs", "Two"), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_show(db, "theirs", &entry, pool), APR_SUCCESS);
    ck_assert_str_eq(entry.name, "Two");
    ck_assert_int_eq(entry.configured && entry.disabled && !entry.served, 1);
    ck_assert_int_eq(oas_store_client_load(db, "theirs", &out, pool), APR_ENOENT);
    ck_assert_int_eq(oas_store_client_disable(db, "theirs", 0, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_client_load(db, "theirs", &out, pool), APR_SUCCESS);
    ck_assert_str_eq(out->name, "Two");
    cluster_sql(owner, "DELETE FROM oas_clients WHERE client_id = 'theirs'");
}
END_TEST

Suite *store_table_suite(void)
{
    Suite *suite = suite_create("tables");
    TCase *tcase = db_case(suite, "tables");

    tcase_add_test(tcase, test_waits_beyond_the_limit);
    tcase_add_test(tcase, test_any_counter_counts);
    tcase_add_test(tcase, test_counter_starts_again);
    tcase_add_test(tcase, test_failures_leak);
    tcase_add_test(tcase, test_good_sign_ins_do_not_stop_the_leak);
    tcase_add_loop_test(tcase, test_what_an_attacker_gets, 0, 4);
    tcase_add_test(tcase, test_one_counter_named_twice);
    tcase_add_test(tcase, test_a_flood_that_waits_adds_nothing);
    tcase_add_test(tcase, test_old_counters_go_away);
    tcase_add_test(tcase, test_forgive);
    tcase_add_test(tcase, test_users);
    tcase_add_test(tcase, test_clients);
    tcase_add_test(tcase, test_administered_clients);
    tcase_add_test(tcase, test_disabled_configured_client);
    return suite;
}
