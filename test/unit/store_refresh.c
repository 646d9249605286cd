/* SPDX-License-Identifier: Apache-2.0 */
/* Families of refresh tokens: every outcome, and what is in the tables afterwards. */
#include <stdlib.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include "../../lib/store/consent.h"
#include "../../lib/store/refresh.h"
#include "../../lib/store/user.h"
#include "store_db.h"

static oas_session_t session;
static oas_grant_t grant;
static oas_refresh_result_t result;
static oas_refresh_child_t children[2];

static oas_refresh_outcome_t refresh(const oas_refresh_t *in)
{
    ck_assert_int_eq(oas_store_refresh(db, in, &result, &grant, pool), APR_SUCCESS);
    return result.outcome;
}

/* Presents the token that `in` made, or, after a repetition, what it got. */
static void follow(oas_refresh_t *in)
{
    memcpy(in->token_hash, children[result.key].token_hash, OAS_SHA256_LEN);
    new_children(children, 2);
    fill_random(in->attempt, OAS_ID_LEN);
}

static oas_refresh_t family(const char *sub)
{
    oas_session_new_t login = open_session(sub, &session);
    oas_code_put_t code = new_code(&login);

    new_children(children, 2);
    return start_family_bound(&code, children, 2, NULL, &grant);
}

static const char *head(const oas_refresh_t *in, const char *expression)
{
    return cell_of_grant(expression, "oas_grants", in->grant_id);
}

static void set_head(const oas_refresh_t *in, const char *assignment)
{
    cluster_sql(owner, apr_psprintf(pool, "UPDATE oas_grants SET %s WHERE grant_id = '%s'",
                                    assignment, oas_hex_encode(pool, in->grant_id, OAS_ID_LEN)));
}

/* The tokens of the family in their order, each as generation<parent. */
static const char *lineage(const oas_refresh_t *in)
{
    return cell_of_grant("string_agg(generation || '<' || coalesce(parent, 0), ' ' "
                         "ORDER BY generation)",
                         "oas_refresh_tokens", in->grant_id);
}

START_TEST(test_redeem_starts_a_family)
{
    oas_refresh_t in = family("file|family");

    ck_assert_int_eq(grant.offline, 1);
    ck_assert(grant.refresh_expires - grant.now <= 86400 &&
              grant.refresh_expires - grant.now >= 86399);
    ck_assert_int_eq(oas_words_has(grant.scopes, "offline_access"), 1);
    ck_assert_str_eq(lineage(&in), "1<0");
    ck_assert_str_eq(head(&in, "purge_after >= refresh_expires_at + interval '1 day 300 seconds'"),
                     "t");
}
END_TEST

START_TEST(test_no_family_without_token_or_scope)
{
    oas_session_new_t login = open_session("file|online", &session);
    oas_code_put_t code = new_code(&login);
    oas_code_redeem_t in = redeem_for(&code);
    oas_refresh_first_t first = {.lifetime = apr_time_from_sec(60)};

    code.scope = "openid offline_access email";
    put_code(&code);
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_int_eq(grant.offline, 0);
    ck_assert_str_eq(oas_words_join(grant.scopes, pool), "openid email");

    code = new_code(&login);
    put_code(&code);
    in = redeem_for(&code);
    fill_random(first.token_hash, OAS_SHA256_LEN);
    in.refresh = &first;
    ck_assert_int_eq(redeem(&in, &grant), OAS_REDEEM_DONE);
    ck_assert_int_eq(grant.offline, 0);
    ck_assert_str_eq(cell_of_grant("count(*)", "oas_refresh_tokens", code.grant_id), "0");
}
END_TEST

START_TEST(test_rotates)
{
    oas_refresh_t in = family("file|rotates");
    int i;

    for (i = 1; i <= 4; i++) {
        ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
        ck_assert_int_eq(result.key, 0);
        ck_assert_int_eq(result.generation, i);
        ck_assert_str_eq(result.sub, "file|rotates");
        ck_assert_str_eq(grant.sub, "file|rotates");
        ck_assert_str_eq(grant.client_id, "shop");
        ck_assert_ptr_null(grant.nonce);
        ck_assert_str_eq(grant.sid, session.id);
        ck_assert_int_eq(grant.offline, 1);
        ck_assert_ptr_nonnull(json_object_get(grant.claims, "email"));
        ck_assert_str_eq(oas_words_join(grant.scopes, pool), "openid email offline_access");
        follow(&in);
    }
    ck_assert_str_eq(lineage(&in), "1<0 2<1 3<2 4<3 5<4");
    /* the absolute end is where it was */
    ck_assert_str_eq(head(&in,
                          "refresh_expires_at = (SELECT min(created_at) + interval '1 day' "
                          "FROM oas_refresh_tokens AS t WHERE t.grant_id = oas_grants.grant_id)"),
                     "t");
}
END_TEST

START_TEST(test_repeats_inside_the_window)
{
    oas_refresh_t in = family("file|repeats");

    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    set_head(&in, "refresh_rotated_at = refresh_rotated_at - interval '9 seconds'");
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REPEATED);
    ck_assert_int_eq(result.key, 0);
    ck_assert_int_eq(result.generation, 1);
    ck_assert_str_eq(grant.sub, "file|repeats");
    ck_assert_str_eq(lineage(&in), "1<0 2<1");
    set_head(&in, "refresh_rotated_at = refresh_rotated_at - interval '2 seconds'");
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REUSED);
    ck_assert_str_eq(head(&in, "revoked_reason"), "refresh token reused");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REVOKED);
}
END_TEST

START_TEST(test_strict)
{
    oas_refresh_t in = family("file|strict");

    in.window = 0;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    /* its own commit is known whatever the window is */
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REPEATED);
    fill_random(in.attempt, OAS_ID_LEN);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REUSED);
    ck_assert_int_eq(result.generation, 1);
    follow(&in);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REVOKED);
}
END_TEST

START_TEST(test_older_ancestor)
{
    oas_refresh_t in = family("file|old"), old = in;

    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    follow(&in);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    cluster_sql(owner, apr_psprintf(pool,
                                    "UPDATE oas_refresh_tokens SET created_at = created_at - "
                                    "interval '100 seconds' WHERE grant_id = '%s'",
                                    oas_hex_encode(pool, in.grant_id, OAS_ID_LEN)));
    ck_assert_int_eq(refresh(&old), OAS_REFRESH_REUSED); /* inside the window of another */
    ck_assert_int_eq(result.generation, 1);
    ck_assert(result.age >= 100 && result.age < 110);
    ck_assert_str_eq(result.sub, "file|old");
    ck_assert_str_eq(head(&in, "revoked_at IS NOT NULL"), "t");
}
END_TEST

START_TEST(test_until_used)
{
    oas_refresh_t in = family("file|until"), parent = in;

    in.window = parent.window = OAS_WINDOW_UNTIL_USED;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    set_head(&in, "refresh_rotated_at = refresh_rotated_at - interval '30 min', "
                  "refresh_used_at = refresh_used_at - interval '30 min'");
    fill_random(parent.attempt, OAS_ID_LEN);
    ck_assert_int_eq(refresh(&parent), OAS_REFRESH_REPEATED);
    /* used without being replaced counts too */
    follow(&in);
    in.rotate = 0;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_KEPT);
    ck_assert_int_eq(refresh(&parent), OAS_REFRESH_REUSED);
}
END_TEST

START_TEST(test_another_secret)
{
    oas_refresh_t in = family("file|secret");
    oas_refresh_child_t turned[2];

    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    fill_random(in.attempt, OAS_ID_LEN);
    /* a node that has them in another order */
    turned[0] = children[1];
    turned[1] = children[0];
    in.children = turned;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REPEATED);
    ck_assert_int_eq(result.key, 1);
    /* one that does not have it: nothing changes */
    in.children_count = 1;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ELSEWHERE);
    ck_assert_str_eq(head(&in, "revoked_at IS NULL AND refresh_generation = 2"), "t");
    /* but outside the window that is no excuse */
    set_head(&in, "refresh_rotated_at = refresh_rotated_at - interval '11 seconds'");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REUSED);
}
END_TEST

START_TEST(test_refusals_change_nothing)
{
    oas_refresh_t good = family("file|refused"), in = good;
    const char *before = apr_pstrdup(pool, head(&good, "xmin || '/' || xmax"));

    fill_random(in.token_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_UNKNOWN);
    ck_assert_int_eq(result.generation, 0);
    in = good;
    fill_random(in.grant_id, OAS_ID_LEN);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_UNKNOWN);
    ck_assert_ptr_null(result.sub);
    in = good;
    in.client_id = "thief";
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_FOREIGN);
    ck_assert_str_eq(head(&good, "xmin || '/' || xmax"), before); /* nor was the row held */
    before = apr_pstrdup(pool, head(&good, "xmin || '/' || ctid"));
    in = good;
    in.scope = "openid profile";
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_SCOPE);
    in = good;
    in.resource = "https://api.example/";
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_RESOURCE);
    ck_assert_str_eq(head(&good, "xmin || '/' || ctid"), before);
    in.resource = "";
    in.scope = "email";
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    /* what was granted stays for the next time */
    ck_assert_str_eq(oas_words_join(grant.scopes, pool), "openid email offline_access");
}
END_TEST

/* What one node's configuration does not give, another's does, or its own again. */
START_TEST(test_what_is_not_allowed_spends_nothing)
{
    oas_session_new_t login = open_session("file|allowed", &session);
    oas_code_put_t code = new_code(&login);
    oas_refresh_t in, thief;
    int i;

    code.resource = "https://api.example/";
    code.scope = "read write";
    new_children(children, 2);
    thief = in = start_family_bound(&code, children, 2, NULL, &grant);
    for (i = 0; i < 2; i++) { /* the valid token, then the one it has replaced */
        in.allowed = "{\"\": [\"openid\"], \"https://other.example/\": [\"read\"]}";
        ck_assert_int_eq(refresh(&in), OAS_REFRESH_RESOURCE_GONE);
        in.allowed = "{\"\": [\"openid\"], \"https://api.example/\": [\"delete\"]}";
        ck_assert_int_eq(refresh(&in), OAS_REFRESH_SCOPE_GONE);
        in.allowed = "{\"\": [\"openid\"], \"https://api.example/\": [\"read\"]}";
        in.scope = "write";
        ck_assert_int_eq(refresh(&in), OAS_REFRESH_SCOPE_GONE);
        ck_assert_str_eq(lineage(&in), i ? "1<0 2<1" : "1<0");
        in.scope = NULL;
        ck_assert_int_eq(refresh(&in), i ? OAS_REFRESH_REPEATED : OAS_REFRESH_ROTATED);
        fill_random(in.attempt, OAS_ID_LEN);
    }
    thief.window = 0;
    thief.allowed = NULL;
    fill_random(thief.attempt, OAS_ID_LEN);
    ck_assert_int_eq(refresh(&thief), OAS_REFRESH_REUSED);
}
END_TEST

START_TEST(test_bound_to_a_certificate)
{
    oas_session_new_t login = open_session("file|bound", &session);
    oas_code_put_t code = new_code(&login);
    oas_refresh_t in;

    new_children(children, 2);
    in = start_family_bound(&code, children, 2, "thumbprint", &grant);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_SENDER);
    in.cnf = "other";
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_SENDER);
    in.cnf = "thumbprint";
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
}
END_TEST

START_TEST(test_ends)
{
    oas_refresh_t in = family("file|ends");

    set_head(&in, "refresh_used_at = refresh_used_at - interval '1 hour'");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_IDLE);
    in.idle = apr_time_from_sec(7200); /* the configuration of now counts */
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    follow(&in);
    set_head(&in, "refresh_expires_at = clock_timestamp()");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_EXPIRED);
    ck_assert_str_eq(head(&in, "revoked_at IS NULL"), "t");
}
END_TEST

START_TEST(test_kept)
{
    oas_refresh_t in = family("file|kept");
    const char *first;

    in.rotate = 0;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_KEPT);
    first = apr_pstrdup(pool, head(&in, "refresh_used_at"));
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_KEPT);
    ck_assert_str_eq(head(&in, "refresh_used_at"), first); /* written seldom */
    set_head(&in, "refresh_used_at = refresh_used_at - interval '61 seconds'");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_KEPT);
    ck_assert_str_eq(head(&in, "refresh_used_at > clock_timestamp() - interval '30 seconds'"), "t");
    ck_assert_str_eq(lineage(&in), "1<0");
    /* from now on single-use, and back again */
    in.rotate = 1;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    follow(&in);
    in.rotate = 0;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_KEPT);
    ck_assert_str_eq(lineage(&in), "1<0 2<1");
}
END_TEST

/* A user of the built-in provider with a family. */
static oas_refresh_t builtin_family(oas_db_t *tool, const char *name, oas_session_new_t *login)
{
    oas_code_put_t code;

    ck_assert_int_eq(oas_store_user_add(tool, name, "$y$hash", "{}", pool), APR_SUCCESS);
    *login = new_builtin_login(name);
    ck_assert_int_eq(oas_store_session_open(db, login, &session, pool), APR_SUCCESS);
    code = new_code(login);
    new_children(children, 2);
    return start_family_bound(&code, children, 2, NULL, &grant);
}

START_TEST(test_builtin_user_is_asked_for)
{
    oas_db_t *tool = cluster_db(cluster_connect(pool, cluster_params(1), 0), NULL, NULL, pool);
    oas_session_new_t login;
    oas_refresh_t in = builtin_family(tool, "dora", &login);

    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    follow(&in);
    cluster_sql(owner, "UPDATE oas_users SET locked = true WHERE name = 'dora'");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_BLOCKED);
    ck_assert_str_eq(head(&in, "revoked_reason"), "subject is locked or gone");
    cluster_sql(owner, "DELETE FROM oas_users WHERE name = 'dora'");
    set_head(&in, "revoked_at = NULL");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_BLOCKED);
    cluster_sql(owner, "DELETE FROM oas_subjects WHERE sub = 'oauth2as|dora'");
    set_head(&in, "revoked_at = NULL");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_BLOCKED);
}
END_TEST

START_TEST(test_recheck)
{
    oas_refresh_t in = family("file|recheck");

    cluster_sql(owner,
                "CREATE OR REPLACE FUNCTION oas_subject_recheck(p_sub text, p_provider text, "
                "p_name text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT CASE WHEN "
                "p_sub <> 'file|recheck' OR p_provider <> 'file' OR p_name <> 'Alice' "
                "THEN true END $$");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED); /* nobody asked */
    follow(&in);
    in.recheck = 1;
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_BLOCKED); /* no answer is no */
    ck_assert_ptr_null(result.reason);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_BLOCKED); /* and said again */
    ck_assert_str_eq(result.reason, "subject is locked or gone");
    cluster_sql(owner,
                "CREATE OR REPLACE FUNCTION oas_subject_recheck(p_sub text, p_provider text, "
                "p_name text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT true $$");
    set_head(&in, "revoked_at = NULL, revoked_reason = NULL");
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
}
END_TEST

static apr_status_t load(const oas_refresh_t *in)
{
    return oas_store_refresh_load(db, in->grant_id, in->token_hash, in->idle, NULL, &grant, NULL,
                                  NULL, pool);
}

START_TEST(test_load)
{
    oas_refresh_t in = family("file|load"), parent = in;
    oas_words_t *providers = oas_words_create(pool);
    const char *provider, *name;

    ck_assert_int_eq(oas_store_refresh_load(db, in.grant_id, in.token_hash, in.idle, providers,
                                            &grant, &provider, &name, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(provider, "file");
    ck_assert_str_eq(name, "Alice");
    ck_assert_str_eq(grant.sub, "file|load");
    ck_assert_int_eq(grant.offline, 1);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    follow(&in);
    ck_assert_int_eq(load(&parent), APR_ENOENT);
    ck_assert_int_eq(load(&in), APR_SUCCESS);
    set_head(&in, "refresh_used_at = refresh_used_at - interval '1 hour'");
    ck_assert_int_eq(load(&in), APR_ENOENT);
    set_head(&in, "refresh_used_at = clock_timestamp(), refresh_expires_at = clock_timestamp()");
    ck_assert_int_eq(load(&in), APR_ENOENT);
    set_head(&in, "refresh_expires_at = clock_timestamp() + interval '1 hour'");
    ck_assert_int_eq(load(&in), APR_SUCCESS);
    ck_assert_int_eq(oas_store_grant_revoke(db, in.grant_id, "test", 0, pool), APR_SUCCESS);
    ck_assert_int_eq(load(&in), APR_ENOENT);
}
END_TEST

START_TEST(test_revoke)
{
    oas_refresh_t in = family("file|revoke"), first = in, wrong;

    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    follow(&in);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
    wrong = first;
    fill_random(wrong.token_hash, OAS_SHA256_LEN);
    ck_assert_int_eq(
        oas_store_refresh_revoke(db, wrong.grant_id, wrong.token_hash, "shop", 0, pool),
        APR_ENOENT);
    ck_assert_int_eq(
        oas_store_refresh_revoke(db, first.grant_id, first.token_hash, "thief", 0, pool),
        APR_ENOENT);
    /* any token that was ever part of it will do */
    ck_assert_int_eq(
        oas_store_refresh_revoke(db, first.grant_id, first.token_hash, "shop", 0, pool),
        APR_SUCCESS);
    ck_assert_int_eq(
        oas_store_refresh_revoke(db, first.grant_id, first.token_hash, "shop", 0, pool),
        APR_ENOENT);
    ck_assert_str_eq(head(&in, "revoked_reason"), "refresh token revoked");
    follow(&in);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REVOKED);
}
END_TEST

START_TEST(test_revoke_with_consent)
{
    oas_session_new_t login = open_session("file|both", &session);
    oas_code_put_t code = new_code(&login), other = new_code(&login);
    oas_refresh_t in, second;

    code.consent = other.consent = OAS_CONSENT_ALLOW;
    code.form_started = other.form_started = now();
    new_children(children, 2);
    in = start_family_bound(&code, children, 2, NULL, &grant);
    second = start_family_bound(&other, children, 2, NULL, &grant);
    ck_assert_int_eq(oas_store_refresh_revoke(db, in.grant_id, in.token_hash, "shop", 1, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(refresh(&second), OAS_REFRESH_REVOKED);
    ck_assert_int_eq(oas_store_consent_withdraw(db, "file|both", "shop", NULL, pool), APR_ENOENT);
    /* where nobody was asked there is no consent, and only this family ends */
    code = new_code(&login);
    other = new_code(&login);
    in = start_family_bound(&code, children, 2, NULL, &grant);
    second = start_family_bound(&other, children, 2, NULL, &grant);
    ck_assert_int_eq(oas_store_refresh_revoke(db, in.grant_id, in.token_hash, "shop", 1, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(refresh(&in), OAS_REFRESH_REVOKED);
    ck_assert_int_eq(refresh(&second), OAS_REFRESH_ROTATED);
}
END_TEST

/* The query that docs/database.md shows, for that grant. */
static const char *documented_query(const oas_refresh_t *in)
{
    const char *dir = getenv("srcdir"), *start, *end, *at;
    char *text = apr_palloc(pool, 65536);
    apr_size_t len = 0;
    apr_file_t *file;

    ck_assert_int_eq(apr_file_open(&file,
                                   apr_pstrcat(pool, dir ? dir : ".", "/docs/database.md", NULL),
                                   APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool),
                     APR_SUCCESS);
    apr_file_read_full(file, text, 65535, &len);
    text[len] = '\0';
    start = strstr(text, "    WITH RECURSIVE lineage");
    ck_assert_ptr_nonnull(start);
    end = strchr(start, ';');
    at = strstr(start, ":grant");
    ck_assert(end && at && at < end);
    return apr_psprintf(pool, "%.*s'%s'%.*s", (int)(at - start), start,
                        oas_hex_encode(pool, in->grant_id, OAS_ID_LEN), (int)(end - at - 6),
                        at + 6);
}

START_TEST(test_documented_lineage)
{
    oas_refresh_t in = family("file|tree");
    const char *query = documented_query(&in);
    int i;

    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
        follow(&in);
    }
    query = apr_psprintf(pool, "SELECT string_agg(token || ' ' || state, E'\\n') FROM (%s) AS q",
                         query);
    ck_assert_str_eq(cluster_sql(owner, query),
                     "1 replaced\n  2 replaced\n    3 replaced\n      4 valid");
    ck_assert_int_eq(oas_store_refresh_revoke(db, in.grant_id, in.token_hash, "shop", 0, pool),
                     APR_SUCCESS);
    ck_assert_ptr_nonnull(strstr(cluster_sql(owner, query), "4 revoked: refresh token revoked"));
}
END_TEST

/* Of the table, or of all its partitions. */
static apr_int64_t updates(const char *column)
{
    return apr_atoi64(
        cluster_sql(owner, apr_psprintf(pool,
                                        "SELECT sum(%s) FROM pg_stat_user_tables WHERE "
                                        "relid = 'oas_grants'::regclass OR relid IN "
                                        "(SELECT relid FROM pg_partition_tree('oas_grants'))",
                                        column)));
}

START_TEST(test_rotation_touches_no_index)
{
    oas_refresh_t in = family("file|hot");
    apr_int64_t all, hot;
    apr_pool_t *other;
    int i;

    cluster_sql(owner, "SELECT pg_sleep(1.1)"); /* what was counted so far is told by then */
    apr_pool_create(&other, NULL);
    ck_assert_int_eq(load(&in), APR_SUCCESS);
    all = updates("n_tup_upd");
    hot = updates("n_tup_hot_upd");
    db = cluster_db(cluster_connect(other, cluster_params(0), 0), TEST_ISSUER, NULL, pool);
    for (i = 0; i < 50; i++) {
        ck_assert_int_eq(refresh(&in), OAS_REFRESH_ROTATED);
        follow(&in);
    }
    apr_pool_destroy(other); /* counters are told at the end of a connection */
    for (i = 0; i < 400 && updates("n_tup_upd") - all < 50; i++)
        cluster_sql(owner, "SELECT pg_sleep(0.1)");
    ck_assert_int_ge((int)(updates("n_tup_upd") - all), 50);
    ck_assert_int_ge((int)(updates("n_tup_hot_upd") - hot), 48);
}
END_TEST

Suite *store_refresh_suite(void)
{
    Suite *suite = suite_create("refresh");
    TCase *tcase = db_case(suite, "refresh");

    tcase_add_test(tcase, test_redeem_starts_a_family);
    tcase_add_test(tcase, test_no_family_without_token_or_scope);
    tcase_add_test(tcase, test_rotates);
    tcase_add_test(tcase, test_repeats_inside_the_window);
    tcase_add_test(tcase, test_strict);
    tcase_add_test(tcase, test_older_ancestor);
    tcase_add_test(tcase, test_until_used);
    tcase_add_test(tcase, test_another_secret);
    tcase_add_test(tcase, test_refusals_change_nothing);
    tcase_add_test(tcase, test_what_is_not_allowed_spends_nothing);
    tcase_add_test(tcase, test_bound_to_a_certificate);
    tcase_add_test(tcase, test_ends);
    tcase_add_test(tcase, test_kept);
    tcase_add_test(tcase, test_builtin_user_is_asked_for);
    tcase_add_test(tcase, test_recheck);
    tcase_add_test(tcase, test_load);
    tcase_add_test(tcase, test_revoke);
    tcase_add_test(tcase, test_revoke_with_consent);
    tcase_add_test(tcase, test_documented_lineage);
    tcase_add_test(tcase, test_rotation_touches_no_index);
    return suite;
}
