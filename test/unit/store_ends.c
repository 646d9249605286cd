/* SPDX-License-Identifier: Apache-2.0 */
/* Grants without a code, and how sessions, users, ids and rows end. */
#include <apr_strings.h>
#include "../../lib/store/jti.h"
#include "../../lib/store/purge.h"
#include "../../lib/store/user.h"
#include "../../lib/store/grant_admin.h"
#include "store_db.h"

static oas_session_t session;
static oas_grant_t grant;
static oas_refresh_child_t children[1];

static oas_refresh_t family_in(const oas_session_new_t *login)
{
    oas_code_put_t code = new_code(login);

    new_children(children, 1);
    return start_family_bound(&code, children, 1, NULL, &grant);
}

static const char *reason(const unsigned char *grant_id)
{
    return cluster_sql(owner,
                       apr_psprintf(pool,
                                    "SELECT coalesce(revoked_reason, '-') FROM oas_grants WHERE "
                                    "grant_id = '%s'",
                                    oas_hex_encode(pool, grant_id, OAS_ID_LEN)));
}

static apr_status_t live(const unsigned char *grant_id)
{
    return oas_store_grant_load(db, grant_id, &grant, pool);
}

START_TEST(test_grant_without_code)
{
    oas_session_new_t login = open_session("file|front", &session);
    oas_code_put_t in = new_code(&login);
    oas_code_put_outcome_t outcome;

    in.with_code = 0;
    ck_assert_int_eq(oas_store_code_put(db, &in, &outcome, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(outcome, OAS_CODE_PUT);
    ck_assert_str_eq(grant.sub, "file|front");
    ck_assert_str_eq(grant.sid, session.id);
    ck_assert_str_eq(grant.nonce, "n-1");
    ck_assert_str_eq(oas_words_join(grant.scopes, pool), "openid email");
    ck_assert(grant.auth_time == session.auth_time);
    ck_assert_int_eq(grant.offline, 0);
    ck_assert_int_eq(live(in.grant_id), APR_ENOENT); /* only an ID token left: nothing lives */
    ck_assert_int_eq(oas_store_code_put(db, &in, &outcome, &grant, pool), APR_SUCCESS);
    ck_assert_str_eq(grant.sub, "file|front");
    in.client_id = "other";
    ck_assert_int_eq(oas_store_code_put(db, &in, &outcome, &grant, pool), APR_EEXIST);

    in = new_code(&login);
    in.with_code = 0;
    in.activate = 1;
    ck_assert_int_eq(put_code(&in), OAS_CODE_PUT);
    ck_assert_int_eq(live(in.grant_id), APR_SUCCESS);
    ck_assert_str_eq(cell_of_grant("count(*)", "oas_codes", in.grant_id), "0");
}
END_TEST

START_TEST(test_grant_with_code_and_token)
{
    oas_session_new_t login = open_session("file|hybrid", &session);
    oas_code_put_t in = new_code(&login);
    oas_code_redeem_t token = redeem_for(&in);

    in.activate = 1;
    ck_assert_int_eq(put_code(&in), OAS_CODE_PUT);
    ck_assert_int_eq(live(in.grant_id), APR_SUCCESS);
    ck_assert_int_eq(redeem(&token, &grant), OAS_REDEEM_DONE);
    ck_assert_str_eq(grant.nonce, "n-1");
    fill_random(token.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&token, &grant), OAS_REDEEM_REPLAYED);
    ck_assert_int_eq(live(in.grant_id), APR_ENOENT); /* what left the front channel ends too */
}
END_TEST

/* A session with a token of the front channel, a code that waits, and a family. */
static void fill_session(const oas_session_new_t *login, oas_code_put_t *front,
                         oas_code_put_t *waiting, oas_refresh_t *family)
{
    *front = new_code(login);
    front->with_code = 0;
    front->activate = 1;
    put_code(front);
    *waiting = new_code(login);
    put_code(waiting);
    *family = family_in(login);
}

START_TEST(test_session_end_takes_what_is_online)
{
    oas_session_new_t login = open_session("file|logout", &session);
    oas_code_put_t front, waiting;
    oas_code_redeem_t token;
    oas_refresh_t family;

    fill_session(&login, &front, &waiting, &family);
    token = redeem_for(&waiting);
    ck_assert_int_eq(oas_store_session_end(db, login.session_id, login.secret_hash, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(reason(front.grant_id), "session ended");
    ck_assert_int_eq(live(front.grant_id), APR_ENOENT);
    ck_assert_int_eq(redeem(&token, &grant), OAS_REDEEM_REVOKED);
    ck_assert_int_eq(live(family.grant_id), APR_SUCCESS);
}
END_TEST

START_TEST(test_another_subject_takes_what_is_online)
{
    oas_session_new_t login = open_session("file|first", &session), next = new_login("file|next");
    oas_code_put_t front, waiting;
    oas_refresh_t family;

    fill_session(&login, &front, &waiting, &family);
    next.old_session_id = login.session_id;
    next.old_secret_hash = login.secret_hash;
    ck_assert_int_eq(oas_store_session_open(db, &next, &session, pool), APR_SUCCESS);
    ck_assert_str_eq(reason(front.grant_id), "session ended");
    ck_assert_str_eq(reason(waiting.grant_id), "session ended");
    ck_assert_int_eq(live(family.grant_id), APR_SUCCESS);
    /* the same subject again: all goes on */
    login = next;
    fill_session(&login, &front, &waiting, &family);
    next = new_login("file|next");
    next.old_session_id = login.session_id;
    next.old_secret_hash = login.secret_hash;
    ck_assert_int_eq(oas_store_session_open(db, &next, &session, pool), APR_SUCCESS);
    ck_assert_int_eq(live(front.grant_id), APR_SUCCESS);
}
END_TEST

/* What is over for a user of the built-in provider after `end`, and for nobody else. */
static void end_user(const char *name,
                     apr_status_t (*end)(oas_db_t *tool, const char *name, int again),
                     const char *why)
{
    oas_db_t *tool = cluster_db(cluster_connect(pool, cluster_params(1), 0), NULL, NULL, pool);
    oas_code_put_t front[2], waiting[2];
    oas_session_new_t login[2];
    oas_refresh_t family[2];
    int i;

    ck_assert_int_eq(oas_store_user_add(tool, name, "$y$hash", "{}", pool), APR_SUCCESS);
    for (i = 0; i < 2; i++) {
        login[i] = i ? new_login(apr_pstrcat(pool, "file|", name, NULL)) : new_builtin_login(name);
        login[i].name = name;
        ck_assert_int_eq(oas_store_session_open(db, &login[i], &session, pool), APR_SUCCESS);
        fill_session(&login[i], &front[i], &waiting[i], &family[i]);
    }
    ck_assert_int_eq(end(tool, name, 0), APR_SUCCESS);
    ck_assert_int_eq(oas_store_session_load(db, login[0].session_id, login[0].secret_hash, "shop",
                                            "", apr_time_from_sec(600), &session, pool),
                     APR_ENOENT);
    ck_assert_str_eq(reason(front[0].grant_id), why);
    ck_assert_str_eq(reason(waiting[0].grant_id), why);
    ck_assert_str_eq(reason(family[0].grant_id), why);
    ck_assert_int_eq(live(front[1].grant_id), APR_SUCCESS);
    ck_assert_int_eq(live(family[1].grant_id), APR_SUCCESS);
    ck_assert_int_eq(oas_store_session_load(db, login[1].session_id, login[1].secret_hash, "shop",
                                            "", apr_time_from_sec(600), &session, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(end(tool, name, 1), APR_SUCCESS);
    ck_assert_int_eq(end(tool, "nobody", 0), APR_ENOENT);
}

static apr_status_t change_password(oas_db_t *tool, const char *name, int again)
{
    (void)again;
    return oas_store_user_passwd(tool, name, "$y$new", pool);
}

static apr_status_t lock_user(oas_db_t *tool, const char *name, int again)
{
    return oas_store_user_lock(tool, name, !again, pool);
}

START_TEST(test_password_change_ends_all)
{
    end_user("erik", change_password, "password changed");
}
END_TEST

START_TEST(test_lock_ends_all)
{
    end_user("frida", lock_user, "user locked");
}
END_TEST

START_TEST(test_locked_user_gets_nothing)
{
    oas_db_t *tool = cluster_db(cluster_connect(pool, cluster_params(1), 0), NULL, NULL, pool);
    oas_session_new_t login = new_builtin_login("gustav");
    oas_code_put_t code, late;
    oas_code_redeem_t token;

    ck_assert_int_eq(oas_store_user_add(tool, "gustav", "$y$hash", "{}", pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_session_open(db, &login, &session, pool), APR_SUCCESS);
    code = new_code(&login);
    late = new_code(&login);
    token = redeem_for(&code);
    ck_assert_int_eq(put_code(&code), OAS_CODE_PUT);
    /* a session and a code that a lock did not find */
    cluster_sql(owner, "UPDATE oas_users SET locked = true WHERE name = 'gustav'");
    ck_assert_int_eq(put_code(&late), OAS_CODE_SESSION_GONE);
    ck_assert_int_eq(redeem(&token, &grant), OAS_REDEEM_REVOKED);
    ck_assert_str_eq(reason(code.grant_id), "subject is locked or gone");
}
END_TEST

START_TEST(test_jti_is_used_once)
{
    unsigned char key[OAS_SHA256_LEN], first[OAS_ID_LEN], second[OAS_ID_LEN];
    apr_int64_t soon = now() + 60;

    fill_random(key, sizeof(key));
    fill_random(first, sizeof(first));
    fill_random(second, sizeof(second));
    ck_assert_int_eq(oas_store_jti_use(db, key, soon, first, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_jti_use(db, key, soon, first, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_jti_use(db, key, soon, second, pool), APR_EEXIST);
    key[0] ^= 1;
    ck_assert_int_eq(oas_store_jti_use(db, key, now() - 1, first, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_jti_use(db, key, soon, second, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_jti_use(db, key, soon, first, pool), APR_EEXIST);
}
END_TEST

START_TEST(test_jti_is_revoked)
{
    apr_int64_t clock;
    int revoked;

    ck_assert_int_eq(oas_store_jti_load(db, "t-1", &revoked, &clock, pool), APR_SUCCESS);
    ck_assert_int_eq(revoked, 0);
    ck_assert(clock >= now() - 1 && clock <= now());
    ck_assert_int_eq(oas_store_jti_revoke(db, "t-1", now() + 60, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_jti_revoke(db, "t-1", now() + 60, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_jti_load(db, "t-1", &revoked, &clock, pool), APR_SUCCESS);
    ck_assert_int_eq(revoked, 1);
    ck_assert_int_eq(oas_store_jti_load(db, "t-2", &revoked, &clock, pool), APR_SUCCESS);
    ck_assert_int_eq(revoked, 0);
}
END_TEST

static int purge(int batch, int *more)
{
    int deleted;

    ck_assert_int_eq(oas_store_purge(db, batch, &deleted, more, pool), APR_SUCCESS);
    return deleted;
}

static void purge_all(void)
{
    int more = 1;

    while (more)
        ck_assert_int_ge(purge(OAS_PURGE_BATCH, &more), 0);
}

START_TEST(test_purge_in_batches)
{
    int more;

    purge_all();
    cluster_sql(owner, "INSERT INTO oas_revoked_jtis SELECT 'old' || i, clock_timestamp() "
                       "FROM generate_series(1, 25) AS i");
    cluster_sql(owner, "INSERT INTO oas_revoked_jtis SELECT 'new' || i, clock_timestamp() + "
                       "interval '1 hour' FROM generate_series(1, 5) AS i");
    ck_assert_int_eq(purge(10, &more), 10);
    ck_assert_int_eq(more, 1);
    ck_assert_int_eq(purge(10, &more), 10);
    ck_assert_int_eq(purge(10, &more), 5);
    ck_assert_int_eq(more, 0);
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM oas_revoked_jtis WHERE jti LIKE "
                                        "'new%'"),
                     "5");
}
END_TEST

START_TEST(test_purge_waits_for_nobody)
{
    PGconn *other = cluster_owner();
    int more, deleted;

    purge_all();
    cluster_sql(owner, "INSERT INTO oas_revoked_jtis SELECT 'held' || i, clock_timestamp() "
                       "FROM generate_series(1, 3) AS i");
    cluster_sql(other, "BEGIN");
    cluster_sql(other, "SELECT 1 FROM oas_revoked_jtis WHERE jti = 'held2' FOR UPDATE");
    ck_assert_int_eq(purge(10, &more), 2);
    /* and while another node is at it, nothing is done at all */
    cluster_sql(other, "SELECT oas_alone_1(1)");
    ck_assert_int_eq(purge(10, &more), -1);
    cluster_sql(other, "ROLLBACK");
    ck_assert_int_eq(purge(10, &more), 1);
    cluster_sql(other, "BEGIN");
    cluster_sql(other, "SELECT oas_alone_1(2)");
    ck_assert_int_eq(oas_store_limit_families(db, 5, &deleted, pool), APR_SUCCESS);
    ck_assert_int_eq(deleted, -1);
    PQfinish(other);
}
END_TEST

/* One day of a server, made short: everything that can be made is made, then the day passes. */
static void one_day(int day)
{
    oas_session_new_t login = open_session("file|flat", &session);
    oas_code_put_t front, waiting;
    oas_refresh_t family;
    oas_refresh_result_t result;
    unsigned char key[OAS_SHA256_LEN];
    int i;

    fill_session(&login, &front, &waiting, &family);
    for (i = 0; i < 5; i++) {
        ck_assert_int_eq(oas_store_refresh(db, &family, &result, &grant, pool), APR_SUCCESS);
        ck_assert_int_eq(result.outcome, OAS_REFRESH_ROTATED);
        memcpy(family.token_hash, children[0].token_hash, OAS_SHA256_LEN);
        new_children(children, 1);
        fill_random(family.attempt, OAS_ID_LEN);
    }
    fill_random(key, sizeof(key));
    ck_assert_int_eq(oas_store_jti_use(db, key, now() + 60, login.session_id, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_store_jti_revoke(db, apr_psprintf(pool, "flat%d", day), now() + 60, pool),
                     APR_SUCCESS);
    cluster_sql(owner, "DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['oas_sessions', "
                       "'oas_grants', 'oas_codes', 'oas_jtis', "
                       "'oas_revoked_jtis'] LOOP EXECUTE format('UPDATE %I SET purge_after = "
                       "purge_after - interval ''1 day''', t); END LOOP; END $$");
    purge_all();
}

static const char *sizes(void)
{
    return apr_pstrdup(
        pool, cluster_sql(owner, "SELECT concat_ws(' ', (SELECT count(*) FROM oas_sessions), "
                                 "(SELECT count(*) FROM oas_grants), "
                                 "(SELECT count(*) FROM oas_codes), "
                                 "(SELECT count(*) FROM oas_refresh_tokens), "
                                 "(SELECT count(*) FROM oas_jtis), "
                                 "(SELECT count(*) FROM oas_revoked_jtis))"));
}

START_TEST(test_tables_stay_flat)
{
    const char *early = NULL;
    int day;

    cluster_sql(owner, "TRUNCATE oas_sessions, oas_grants, oas_codes, oas_refresh_tokens, "
                       "oas_jtis, oas_revoked_jtis, oas_session_clients");
    for (day = 0; day < 20; day++) {
        one_day(day);
        if (day == 5)
            early = sizes();
    }
    ck_assert_str_eq(sizes(), early);
    /* a family of one day, its access token and the margin: two days of six tokens each */
    ck_assert_str_eq(early, "1 4 2 12 0 0");
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM oas_refresh_tokens AS t WHERE NOT "
                                        "EXISTS (SELECT 1 FROM oas_grants AS g WHERE "
                                        "g.grant_id = t.grant_id)"),
                     "0");
}
END_TEST

static int limit_families(int limit)
{
    int ended;

    ck_assert_int_eq(oas_store_limit_families(db, limit, &ended, pool), APR_SUCCESS);
    return ended;
}

START_TEST(test_limit)
{
    oas_session_new_t login = open_session("file|greedy", &session);
    oas_session_new_t modest = open_session("file|modest", &session);
    oas_refresh_t families[7], other;
    int i;

    other = family_in(&modest);
    for (i = 0; i < 7; i++)
        families[i] = family_in(&login);
    limit_families(100);
    ck_assert_str_eq(reason(families[0].grant_id), "-");
    ck_assert_int_eq(oas_store_grant_revoke(db, families[6].grant_id, "test", 0, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(limit_families(4), 2);
    for (i = 0; i < 6; i++)
        ck_assert_str_eq(reason(families[i].grant_id), i < 2 ? "limit" : "-");
    ck_assert_str_eq(reason(other.grant_id), "-");
    ck_assert_int_eq(limit_families(4), 0);
    /* whoever got no new family since is not looked at */
    cluster_sql(owner, "UPDATE oas_marks SET reached = clock_timestamp() + interval '1 hour'");
    ck_assert_int_eq(limit_families(1), 0);
    cluster_sql(owner, "UPDATE oas_marks SET reached = clock_timestamp() - interval '1 hour'");
    ck_assert_int_ge(limit_families(1), 3);
    for (i = 0; i < 6; i++)
        ck_assert_str_eq(reason(families[i].grant_id), i < 5 ? "limit" : "-");
    ck_assert_str_eq(cluster_sql(owner,
                                 "SELECT reached BETWEEN clock_timestamp() - interval '70 "
                                 "seconds' AND clock_timestamp() FROM oas_marks WHERE name = "
                                 "'limit'"),
                     "t");
}
END_TEST

START_TEST(test_limit_in_batches)
{
    oas_session_new_t login = open_session("file|batches", &session);
    int i, ended = 0;

    cluster_sql(owner, "UPDATE oas_marks SET reached = clock_timestamp()");
    for (i = 0; i < 7; i++)
        family_in(&login);
    /* 3, 2 more (the last of each batch is looked at again), 2 more */
    for (i = 0; i < 3; i++)
        ck_assert_str_eq(cluster_sql(owner, "SELECT more FROM oas_limit_families_1(100, 3)"), "t");
    ck_assert_str_eq(cluster_sql(owner, "SELECT more FROM oas_limit_families_1(100, 3)"), "f");
    /* nor are more than that ended at once, and none is forgotten */
    cluster_sql(owner, "UPDATE oas_marks SET reached = clock_timestamp() - interval '1 minute'");
    for (i = 0; i < 20; i++)
        ended +=
            (int)apr_atoi64(cluster_sql(owner, "SELECT ended FROM oas_limit_families_1(1, 3)"));
    ck_assert_int_ge(ended, 6);
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM oas_grants WHERE revoked_at IS NULL "
                                        "AND sub = 'file|batches'"),
                     "1");
}
END_TEST

/* A family with 25 tokens is deleted in parts, the grant with the last of them. */
START_TEST(test_purge_of_a_long_line)
{
    oas_session_new_t login = open_session("file|long", &session);
    oas_code_put_t code = new_code(&login);
    oas_refresh_child_t child;
    const char *id;
    int more;

    purge_all();
    new_children(&child, 1);
    start_family_bound(&code, &child, 1, NULL, &grant);
    id = oas_hex_encode(pool, code.grant_id, OAS_ID_LEN);
    cluster_sql(owner, apr_psprintf(pool,
                                    "INSERT INTO oas_refresh_tokens SELECT '%s', n, n - 1, "
                                    "sha256(n::text::bytea), clock_timestamp() "
                                    "FROM generate_series(2, 25) AS n",
                                    id));
    cluster_sql(owner, apr_psprintf(pool,
                                    "UPDATE oas_grants SET purge_after = clock_timestamp() "
                                    "WHERE grant_id = '%s'",
                                    id));
    ck_assert_int_eq(purge(10, &more), 10);
    ck_assert_int_eq(more, 1);
    ck_assert_str_eq(cell_of_grant("min(generation)", "oas_refresh_tokens", code.grant_id), "11");
    ck_assert_int_eq(purge(10, &more), 10);
    ck_assert_str_eq(cell_of_grant("count(*)", "oas_grants", code.grant_id), "1");
    ck_assert_int_eq(purge(10, &more), 6); /* five tokens, and the grant */
    ck_assert_int_eq(more, 0);
    ck_assert_str_eq(cell_of_grant("count(*)", "oas_grants", code.grant_id), "0");
}
END_TEST

/* Of what a tool does in many statements each has its own time. */
START_TEST(test_long_work)
{
    oas_db_t *tool =
        cluster_db(cluster_connect(pool, cluster_params(1), 0), TEST_ISSUER, NULL, pool);
    apr_int64_t ended;

    cluster_sql(owner,
                "INSERT INTO oas_grants (grant_id, client_id, sub, scope, auth_time, amr, "
                "created_at, purge_after) SELECT gen_random_uuid(), 'long', 'long', '', now(), "
                "'', '2001-01-01', now() + interval '1 hour' FROM generate_series(1, 5000)");
    cluster_sql(owner, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                       "'BEGIN PERFORM pg_sleep(1); RETURN NULL; END'; CREATE TRIGGER slow "
                       "BEFORE UPDATE ON oas_grants EXECUTE FUNCTION slow()");
    oas_db_limit(tool, apr_time_from_msec(4500));
    ck_assert_int_eq(oas_store_grants_end_before(tool, 978307200 + 86400, "restored", &ended, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(ended, 5000);
    cluster_sql(owner, "DROP FUNCTION slow() CASCADE; DELETE FROM oas_grants WHERE sub = 'long'");
}
END_TEST

Suite *store_ends_suite(void)
{
    Suite *suite = suite_create("ends");
    TCase *tcase = db_case(suite, "ends");

    tcase_add_test(tcase, test_grant_without_code);
    tcase_add_test(tcase, test_grant_with_code_and_token);
    tcase_add_test(tcase, test_session_end_takes_what_is_online);
    tcase_add_test(tcase, test_another_subject_takes_what_is_online);
    tcase_add_test(tcase, test_password_change_ends_all);
    tcase_add_test(tcase, test_lock_ends_all);
    tcase_add_test(tcase, test_locked_user_gets_nothing);
    tcase_add_test(tcase, test_jti_is_used_once);
    tcase_add_test(tcase, test_jti_is_revoked);
    tcase_add_test(tcase, test_purge_in_batches);
    tcase_add_test(tcase, test_purge_of_a_long_line);
    tcase_add_test(tcase, test_purge_waits_for_nobody);
    tcase_add_test(tcase, test_tables_stay_flat);
    tcase_add_test(tcase, test_limit);
    tcase_add_test(tcase, test_long_work);
    tcase_add_test(tcase, test_limit_in_batches);
    return suite;
}
