/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file store_db.h
 * What the suites that need a PostgreSQL share: a connection for each test, and things to put into
 * it.
 */
#ifndef OAS_TEST_STORE_DB_H
#define OAS_TEST_STORE_DB_H

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "../../lib/store/refresh.h"
#include "../../lib/store/session.h"
#include "../../lib/store/throttle.h"
#include "../lib/cluster.h"
#include "store_test.h"
#include "unit.h"

static cluster_conn_t *conn __attribute__((unused));
static oas_db_t *db __attribute__((unused));
static PGconn *owner __attribute__((unused));

static void db_setup(void)
{
    unit_setup();
    conn = cluster_connect(pool, cluster_params(0), 0);
    db = cluster_db(conn, TEST_ISSUER, NULL, pool);
    owner = cluster_owner();
    cluster_log_clear();
}

/* Every test also fails when it logged what it did not announce by cluster_log_clear. */
static void db_teardown(void)
{
    ck_assert_msg(cluster_log_count() == 0, "unexpected log line: %s", cluster_log_last());
    PQfinish(owner);
    unit_teardown();
}

static inline TCase *db_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, db_setup, db_teardown);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/* The shipped files of the schema. */
static inline const char *schema_files(void)
{
    const char *source = getenv("srcdir");

    return apr_pstrcat(pool, source ? source : ".", "/schema", NULL);
}

/* libpq parameters for a schema of that name. */
static inline const char *schema_params(const char *schema, int of_owner)
{
    return apr_psprintf(pool, "%s options='-c search_path=%s'", cluster_params(of_owner), schema);
}

/* An empty schema of its own, and its owner's access to it. */
static inline oas_db_t *schema_make(const char *name)
{
    cluster_sql(owner, apr_psprintf(pool, "CREATE SCHEMA %s", name));
    return cluster_db(cluster_connect(pool, schema_params(name, 1), 0), NULL, NULL, pool);
}

static inline void fill_random(unsigned char *out, apr_size_t len)
{
    ck_assert_int_eq(oas_random(out, len), APR_SUCCESS);
}

/* Seconds since 1970 by the database's clock. */
static inline apr_int64_t now(void)
{
    return apr_atoi64(cluster_sql(owner, "SELECT oas_epoch(clock_timestamp())"));
}

/* What the built-in provider hands on when it has checked a password against `hash`. */
static inline const char *proof_of(const char *hash)
{
    unsigned char proof[OAS_SHA256_LEN];

    oas_sha256(hash, strlen(hash), proof);
    return oas_hex_encode(pool, proof, sizeof(proof));
}

/* A login of `sub` with a fresh session. */
static inline oas_session_new_t new_login(const char *sub)
{
    oas_session_new_t in;

    memset(&in, 0, sizeof(in));
    fill_random(in.session_id, OAS_ID_LEN);
    fill_random(in.secret_hash, OAS_SHA256_LEN);
    in.sub = sub;
    in.provider = "file";
    in.name = "Alice";
    in.claims = "{\"email\":\"alice@example.test\"}";
    in.amr = "pwd";
    in.auth_time = OAS_AUTH_NOW;
    in.lifetime = apr_time_from_sec(3600);
    in.idle = apr_time_from_sec(600);
    return in;
}

/* A login of a user of the built-in provider who has the password hash "$y$hash". */
static inline oas_session_new_t new_builtin_login(const char *name)
{
    oas_session_new_t in = new_login(apr_pstrcat(pool, "oauth2as|", name, NULL));

    in.provider = "oauth2as";
    in.name = name;
    in.proof = proof_of("$y$hash");
    return in;
}

static inline oas_session_new_t open_session(const char *sub, oas_session_t *out)
{
    oas_session_new_t in = new_login(sub);

    ck_assert_int_eq(oas_store_session_open(db, &in, out, pool), APR_SUCCESS);
    return in;
}

/* A code of client "shop" within that session; consent is skipped. */
static inline oas_code_put_t new_code(const oas_session_new_t *login)
{
    oas_code_put_t in;

    memset(&in, 0, sizeof(in));
    fill_random(in.grant_id, OAS_ID_LEN);
    fill_random(in.code_hash, OAS_SHA256_LEN);
    memcpy(in.session_id, login->session_id, OAS_ID_LEN);
    in.with_code = 1;
    in.client_id = "shop";
    in.scope = "openid email";
    in.redirect_uri = "https://shop.example/cb";
    in.redirect_uri_required = 1;
    in.code_challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    in.nonce = "n-1";
    in.code_lifetime = apr_time_from_sec(60);
    in.access_lifetime = apr_time_from_sec(300);
    return in;
}

static inline oas_code_put_outcome_t put_code(const oas_code_put_t *in)
{
    oas_code_put_outcome_t outcome;
    oas_grant_t grant;

    ck_assert_int_eq(oas_store_code_put(db, in, &outcome, &grant, pool), APR_SUCCESS);
    return outcome;
}

/* The token request that fits a code. */
static inline oas_code_redeem_t redeem_for(const oas_code_put_t *code)
{
    oas_code_redeem_t in;

    memset(&in, 0, sizeof(in));
    memcpy(in.grant_id, code->grant_id, OAS_ID_LEN);
    memcpy(in.code_hash, code->code_hash, OAS_SHA256_LEN);
    in.client_id = code->client_id;
    in.redirect_uri = code->redirect_uri;
    in.code_challenge = code->code_challenge;
    fill_random(in.attempt, OAS_ID_LEN);
    return in;
}

static inline oas_redeem_outcome_t redeem(const oas_code_redeem_t *in, oas_grant_t *grant)
{
    oas_redeem_outcome_t outcome;

    ck_assert_int_eq(oas_store_code_redeem(db, in, &outcome, grant, pool), APR_SUCCESS);
    return outcome;
}

/* A cell of the rows that a grant has in a table. */
static inline const char *cell_of_grant(const char *expression, const char *table,
                                        const unsigned char grant_id[OAS_ID_LEN])
{
    return cluster_sql(owner,
                       apr_psprintf(pool, "SELECT %s FROM %s WHERE grant_id = '%s'", expression,
                                    table, oas_hex_encode(pool, grant_id, OAS_ID_LEN)));
}

/* Three failures of one attempt to sign in. */
static inline oas_throttle_attempt_t three_failures(void)
{
    oas_throttle_attempt_t attempt = {.max = apr_time_from_sec(900)};
    int i, wait;

    for (i = 0; i < OAS_THROTTLE_KEYS; i++) {
        attempt.limit[i] = 5;
        fill_random(attempt.key[i], OAS_SHA256_LEN);
    }
    for (i = 0; i < 3; i++)
        ck_assert_int_eq(oas_store_throttle_attempt(db, &attempt, &wait, pool), APR_SUCCESS);
    return attempt;
}

/* The counters that are left of them, in any order. */
static inline const char *failures_left(const oas_throttle_attempt_t *attempt)
{
    return cluster_sql(owner,
                       apr_psprintf(pool,
                                    "SELECT string_agg(failures::text, ',') FROM oas_throttle "
                                    "WHERE key IN ('\\x%s','\\x%s','\\x%s')",
                                    oas_hex_encode(pool, attempt->key[0], OAS_SHA256_LEN),
                                    oas_hex_encode(pool, attempt->key[1], OAS_SHA256_LEN),
                                    oas_hex_encode(pool, attempt->key[2], OAS_SHA256_LEN)));
}

/* What a token becomes under each of n secrets. */
static inline void new_children(oas_refresh_child_t *children, int n)
{
    for (; n > 0; n--, children++) {
        fill_random(children->secret_id, OAS_SECRET_ID_LEN);
        fill_random(children->token_hash, OAS_SHA256_LEN);
    }
}

/* A family that lives for a day, and the request that fits its first token: rotating, a window of
 * 10 s, idle for an hour. Puts and redeems the code with offline_access added. */
static inline oas_refresh_t start_family_bound(oas_code_put_t *code,
                                               const oas_refresh_child_t *children, int n,
                                               const char *cnf, oas_grant_t *grant)
{
    oas_refresh_first_t first = {.lifetime = apr_time_from_sec(86400), .cnf = cnf};
    oas_code_redeem_t token;
    oas_refresh_t in;

    code->scope = apr_pstrcat(pool, code->scope, " offline_access", NULL);
    ck_assert_int_eq(put_code(code), OAS_CODE_PUT);
    token = redeem_for(code);
    fill_random(first.token_hash, OAS_SHA256_LEN);
    token.refresh = &first;
    token.access_lifetime = code->access_lifetime;
    ck_assert_int_eq(redeem(&token, grant), OAS_REDEEM_DONE);
    memset(&in, 0, sizeof(in));
    memcpy(in.grant_id, code->grant_id, OAS_ID_LEN);
    memcpy(in.token_hash, first.token_hash, OAS_SHA256_LEN);
    in.client_id = code->client_id;
    in.children = children;
    in.children_count = n;
    in.allowed = "{\"\": [\"openid\", \"email\", \"offline_access\"]}";
    in.rotate = 1;
    in.window = apr_time_from_sec(10);
    in.idle = apr_time_from_sec(3600);
    fill_random(in.attempt, OAS_ID_LEN);
    return in;
}

#endif
