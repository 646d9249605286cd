/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the grants in partitions: made, made whole again, upgraded; and what a transition
 * reads of them. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include "../../lib/store/purge.h"
#include "../../lib/store/schema.h"
#include "store_db.h"

#define PARTS 4

static oas_db_t *tool;
static const char *why;

static void split(int count)
{
    int found;

    ck_assert_msg(oas_schema_partition(tool, count, &why, pool) == APR_SUCCESS, "%s", why);
    ck_assert_int_eq(oas_schema_partitions(tool, &found, pool), APR_SUCCESS);
    ck_assert_int_eq(found, count);
}

/* A schema of its own; db is a module on it. */
static void start(const char *name)
{
    int from, to;

    tool = schema_make(name);
    ck_assert_msg(oas_schema_apply(tool, schema_files(), TEST_ISSUER, &from, &to, &why, pool) ==
                      APR_SUCCESS,
                  "%s", why);
    ck_assert_int_eq(oas_schema_grant(tool, "oauth2as", &why, pool), APR_SUCCESS);
    cluster_sql(owner, apr_psprintf(pool, "SET search_path = %s", name));
    db = cluster_db(cluster_connect(pool, schema_params(name, 0), 0), TEST_ISSUER, NULL, pool);
}

/* A grant that lives in the first of PARTS partitions. */
static oas_code_put_t code_in_first(const oas_session_new_t *login)
{
    oas_code_put_t code = new_code(login);

    for (;;) {
        const char *inside = cluster_sql(
            owner, apr_psprintf(pool,
                                "SELECT satisfies_hash_partition('oas_grants'::regclass, %d, 0, "
                                "'%s'::uuid)",
                                PARTS, oas_hex_encode(pool, code.grant_id, OAS_ID_LEN)));

        if (inside[0] == 't')
            return code;
        fill_random(code.grant_id, OAS_ID_LEN);
    }
}

static oas_refresh_outcome_t refresh(oas_refresh_t *in, const oas_refresh_child_t *children)
{
    oas_refresh_result_t result;
    oas_grant_t grant;

    fill_random(in->attempt, OAS_ID_LEN);
    ck_assert_int_eq(oas_store_refresh(db, in, &result, &grant, pool), APR_SUCCESS);
    if (result.outcome == OAS_REFRESH_ROTATED)
        memcpy(in->token_hash, children->token_hash, OAS_SHA256_LEN);
    return result.outcome;
}

/* What of the tables there is to tell apart, apart from what makes them partitions. */
static const char *shape(void)
{
    return apr_pstrdup(
        pool,
        cluster_sql(
            owner,
            "SELECT string_agg(line, E'\\n' ORDER BY line) FROM ("
            "SELECT regexp_replace(pg_get_indexdef(indexrelid), ' ON (ONLY )?\\S+ ', ' ') AS line "
            "FROM pg_index WHERE indrelid IN ('oas_grants'::regclass, 'oas_codes'::regclass, "
            "'oas_refresh_tokens'::regclass) UNION ALL "
            "SELECT relname || ' ' || relacl::text FROM pg_class WHERE oid IN "
            "('oas_grants'::regclass, 'oas_codes'::regclass, 'oas_refresh_tokens'::regclass) "
            "UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid IN ('oas_grants'::regclass, 'oas_codes'::regclass, "
            "'oas_refresh_tokens'::regclass) UNION ALL "
            "SELECT attrelid::regclass || '.' || attname || ' ' || atttypid::regtype || ' ' || "
            "attnotnull FROM pg_attribute WHERE attnum > 0 AND attrelid IN "
            "('oas_grants'::regclass, 'oas_codes'::regclass, 'oas_refresh_tokens'::regclass) "
            "UNION ALL SELECT oid::regprocedure || ' ' || proacl::text FROM pg_proc "
            "WHERE pronamespace = current_schema()::regnamespace) AS lines"));
}

static const char *fill_factors(void)
{
    return cluster_sql(owner,
                       "SELECT count(*) || ' ' || string_agg(DISTINCT reloptions::text, ' ') "
                       "FROM pg_class WHERE relkind = 'r' AND (oid = 'oas_grants'::regclass "
                       "OR oid IN (SELECT relid FROM pg_partition_tree('oas_grants')))");
}

/* A family of refresh tokens, and what its first one becomes. */
static oas_refresh_t new_family(const char *sub, oas_refresh_child_t *child)
{
    oas_session_t session;
    oas_session_new_t login = open_session(sub, &session);
    oas_code_put_t code = new_code(&login);
    oas_grant_t grant;

    new_children(child, 1);
    return start_family_bound(&code, child, 1, NULL, &grant);
}

START_TEST(test_there_and_back)
{
    oas_refresh_child_t child;
    oas_refresh_t family;
    const char *before;

    start("split");
    family = new_family("file|split", &child);
    before = shape();
    ck_assert_str_eq(fill_factors(), "1 {fillfactor=80}");

    split(PARTS); /* under a module that has all its statements prepared */
    ck_assert_str_eq(fill_factors(), "4 {fillfactor=80}");
    ck_assert_str_eq(shape(), before);
    ck_assert_int_eq(refresh(&family, &child), OAS_REFRESH_ROTATED);
    split(3);
    ck_assert_str_eq(shape(), before);
    new_children(&child, 1);
    ck_assert_int_eq(refresh(&family, &child), OAS_REFRESH_ROTATED);
    split(1);
    ck_assert_str_eq(fill_factors(), "1 {fillfactor=80}");
    ck_assert_str_eq(shape(), before);
    new_children(&child, 1);
    ck_assert_int_eq(refresh(&family, &child), OAS_REFRESH_ROTATED);
    ck_assert_str_eq(cell_of_grant("string_agg(generation::text, ',' ORDER BY generation)",
                                   "oas_refresh_tokens", family.grant_id),
                     "1,2,3,4");
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM pg_proc WHERE proconfig::text LIKE "
                                        "'%plan_cache_mode%' AND proargnames[1] = 'p_grant' AND "
                                        "pronamespace = current_schema()::regnamespace"),
                     "0");
}
END_TEST

START_TEST(test_what_cannot_be_moved_stays)
{
    static const struct {
        const char *made, *gone, *why;
    } hangs[] = {
        {"CREATE TRIGGER mine BEFORE INSERT ON oas_codes FOR EACH ROW EXECUTE "
         "FUNCTION suppress_redundant_updates_trigger()",
         "DROP TRIGGER mine ON oas_codes", "oas_codes has a trigger"},
        {"CREATE RULE mine AS ON DELETE TO oas_codes DO INSTEAD NOTHING",
         "DROP RULE mine ON oas_codes", "oas_codes has a rule"},
        {"GRANT SELECT (grant_id) ON oas_codes TO PUBLIC",
         "REVOKE SELECT (grant_id) ON oas_codes FROM PUBLIC", "a privilege of a column"},
        {"CREATE POLICY mine ON oas_codes", "DROP POLICY mine ON oas_codes",
         "oas_codes has a policy"},
        {"ALTER TABLE oas_codes ENABLE ROW LEVEL SECURITY",
         "ALTER TABLE oas_codes DISABLE ROW LEVEL SECURITY", "row level security"},
        {"CREATE PUBLICATION mine FOR TABLE oas_codes", "DROP PUBLICATION mine",
         "oas_codes has a publication"},
        {"CREATE STATISTICS mine ON grant_id, used_at FROM oas_codes", "DROP STATISTICS mine",
         "extended statistics"},
    };
    apr_size_t i;

    start("stays");
    ck_assert_int_eq(oas_schema_partition(tool, 0, &why, pool), APR_EINVAL);
    ck_assert_int_eq(oas_schema_partition(tool, 257, &why, pool), APR_EINVAL);
    cluster_sql(owner, "CREATE VIEW looks AS SELECT grant_id FROM oas_codes");
    ck_assert_int_eq(oas_schema_partition(tool, 2, &why, pool), APR_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "looks"));
    cluster_sql(owner, "DROP VIEW looks");
    for (i = 0; i < sizeof(hangs) / sizeof(hangs[0]); i++) {
        cluster_sql(owner, hangs[i].made);
        ck_assert_int_eq(oas_schema_partition(tool, 2, &why, pool), APR_EINVAL);
        ck_assert_msg(strstr(why, hangs[i].why) != NULL, "%s: %s", hangs[i].made, why);
        cluster_sql(owner, hangs[i].gone);
    }
    ck_assert_str_eq(fill_factors(), "1 {fillfactor=80}");
}
END_TEST

/* Scans of partitions so far: of the first ones, or of all others. */
static apr_int64_t scans(int first)
{
    return apr_atoi64(cluster_sql(
        owner, apr_psprintf(pool,
                            "SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_user_tables "
                            "WHERE schemaname = current_schema() AND relname ~ "
                            "'^oas_(grants|codes|refresh_tokens)_[0-9]+$' AND (relname ~ '_0$') = "
                            "%s",
                            first ? "true" : "false")));
}

/* All that one grant goes through while requests are served, and what may go wrong with it. */
static void live(const char *sub)
{
    unsigned char id[OAS_ID_LEN];
    oas_refresh_child_t child;
    oas_session_t session;
    oas_session_new_t login = open_session(sub, &session);
    oas_code_put_t code = code_in_first(&login), plain = code_in_first(&login);
    oas_code_redeem_t again;
    oas_refresh_t family, old;
    oas_grant_t grant;

    new_children(&child, 1);
    family = start_family_bound(&code, &child, 1, NULL, &grant);
    old = family;
    ck_assert_int_eq(refresh(&family, &child), OAS_REFRESH_ROTATED);
    ck_assert_int_eq(refresh(&old, &child), OAS_REFRESH_REPEATED);
    ck_assert_int_eq(oas_store_refresh_load(db, family.grant_id, family.token_hash, family.idle,
                                            NULL, &grant, NULL, NULL, pool),
                     APR_SUCCESS);
    new_children(&child, 1);
    ck_assert_int_eq(refresh(&family, &child), OAS_REFRESH_ROTATED);
    memcpy(id, family.grant_id, OAS_ID_LEN);
    ck_assert_int_eq(oas_store_grant_load(db, id, &grant, pool), APR_SUCCESS);
    ck_assert_int_eq(refresh(&old, &child), OAS_REFRESH_REUSED);
    ck_assert_int_eq(
        oas_store_refresh_revoke(db, family.grant_id, family.token_hash, "shop", 0, pool),
        APR_ENOENT);
    ck_assert_int_eq(put_code(&plain), OAS_CODE_PUT);
    again = redeem_for(&plain);
    ck_assert_int_eq(redeem(&again, &grant), OAS_REDEEM_DONE);
    fill_random(again.attempt, OAS_ID_LEN);
    ck_assert_int_eq(redeem(&again, &grant), OAS_REDEEM_REPLAYED);
    ck_assert_int_eq(oas_store_grant_revoke(db, plain.grant_id, "ended by hand", 0, pool),
                     APR_ENOENT);
}

/* Often enough that plans which hold for all parameters are made and used. */
#define LIVES 12

START_TEST(test_a_transition_reads_one_partition)
{
    apr_int64_t first, others;
    apr_pool_t *module;
    int i;

    start("pruned");
    split(PARTS);
    apr_pool_create(&module, NULL);
    db =
        cluster_db(cluster_connect(module, schema_params("pruned", 0), 0), TEST_ISSUER, NULL, pool);
    first = scans(1);
    others = scans(0);
    for (i = 0; i < LIVES; i++)
        live("file|pruned");
    apr_pool_destroy(module); /* counters are told at the end of a connection */
    for (i = 0; i < 400 && scans(1) - first < 10 * LIVES; i++)
        cluster_sql(owner, "SELECT pg_sleep(0.1)");
    ck_assert_int_ge((int)(scans(1) - first), 10 * LIVES);
    ck_assert_int_eq((int)(scans(0) - others), 0);
}
END_TEST

typedef struct {
    oas_refresh_t *family;
    const oas_refresh_child_t *child;
    oas_refresh_outcome_t outcome;
} rotation_t;

static void *rotate(void *data)
{
    rotation_t *rotation = data;

    rotation->outcome = refresh(rotation->family, rotation->child);
    return NULL;
}

/* On a connection that knows nothing of the tables yet, the function is compiled while it waits for
 * one that is gone then. */
START_TEST(test_a_transition_waits_for_the_move)
{
    rotation_t rotation;
    oas_refresh_child_t child;
    oas_refresh_t family;
    pthread_t thread;

    start("moved");
    family = new_family("file|moved", &child);
    db = cluster_db(cluster_connect(pool, schema_params("moved", 0), 0), TEST_ISSUER, NULL, pool);
    rotation = (rotation_t){&family, &child, OAS_REFRESH_UNKNOWN};
    cluster_sql(owner, "BEGIN; SELECT oas_schema_partition(4)");
    ck_assert_int_eq(pthread_create(&thread, NULL, rotate, &rotation), 0);
    while (cluster_sql(owner, "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")[0] != 't')
        apr_sleep(apr_time_from_msec(10));
    cluster_sql(owner, "COMMIT");
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(rotation.outcome, OAS_REFRESH_ROTATED);
}
END_TEST

/* The next version adds a column, an index and a function: each partition has them. */
START_TEST(test_upgrade_in_partitions)
{
    char dir[] = "/tmp/oas-schema.XXXXXX";
    const char *next;
    int from, to, n;
    FILE *out;

    start("later");
    split(PARTS);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    n = system(apr_psprintf(pool, "cp '%s'/*.sql '%s'", schema_files(), dir));
    ck_assert_int_eq(n, 0);
    next = apr_psprintf(pool, "%s/%03d-next.sql", dir, OAS_SCHEMA_VERSION + 1);
    out = fopen(next, "w");
    ck_assert_ptr_nonnull(out);
    fputs("ALTER TABLE oas_grants ADD COLUMN added text;\n"
          "CREATE INDEX oas_grants_added ON oas_grants (added);\n"
          "CREATE FUNCTION oas_added_1(p_grant uuid) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
          "RETURN (SELECT added FROM oas_grants WHERE grant_id = p_grant); END $$;\n"
          "SELECT oas_schema_settle();\n",
          out);
    fclose(out);
    ck_assert_msg(oas_schema_apply(tool, dir, TEST_ISSUER, &from, &to, &why, pool) == APR_SUCCESS,
                  "%s", why);
    n = system(apr_psprintf(pool, "rm -r '%s'", dir));
    ck_assert_int_eq(n, 0);
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM pg_attribute WHERE attname = 'added' "
                                        "AND attrelid::regclass::text ~ '^oas_grants_[0-9]$'"),
                     "4");
    ck_assert_str_eq(cluster_sql(owner, "SELECT count(*) FROM pg_inherits WHERE inhparent = "
                                        "'oas_grants_added'::regclass"),
                     "4");
    ck_assert_str_eq(cluster_sql(owner, "SELECT proconfig::text || ' ' || "
                                        "has_function_privilege('oauth2as', oid, 'EXECUTE') "
                                        "FROM pg_proc WHERE proname = 'oas_added_1'"),
                     "{plan_cache_mode=force_generic_plan} true");
    live("file|later");
    split(2);
    live("file|later");
}
END_TEST

Suite *store_partition_suite(void)
{
    Suite *suite = suite_create("partition");
    TCase *tcase = db_case(suite, "partition");

    tcase_add_test(tcase, test_there_and_back);
    tcase_add_test(tcase, test_what_cannot_be_moved_stays);
    tcase_add_test(tcase, test_a_transition_reads_one_partition);
    tcase_add_test(tcase, test_a_transition_waits_for_the_move);
    tcase_add_test(tcase, test_upgrade_in_partitions);
    return suite;
}
