/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../../lib/store/schema.h"
#include "store_db.h"

static char dir[64];

static void add_file(const char *name, const char *text)
{
    const char *path = apr_pstrcat(pool, dir, "/", name, NULL);
    FILE *out;

    if (!dir[0])
        ck_assert_ptr_nonnull(mkdtemp(strcpy(dir, "/tmp/oas-schema.XXXXXX")));
    path = apr_pstrcat(pool, dir, "/", name, NULL);
    out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static void remove_files(void)
{
    int n = system(apr_psprintf(pool, "rm -r '%s'", dir));

    ck_assert_int_eq(n, 0);
    dir[0] = '\0';
}

static int from, to;
static const char *why;

static apr_status_t apply(oas_db_t *tool, const char *issuer)
{
    return oas_schema_apply(tool, dir, issuer, &from, &to, &why, pool);
}

#define TABLE_SQL                                                                                  \
    "CREATE TABLE oas_schema (version integer PRIMARY KEY, issuer text NOT NULL, "                 \
    "applied_at timestamptz NOT NULL DEFAULT now());"

START_TEST(test_shipped_schema)
{
    oas_db_t *tool = schema_make("shipped");
    const char *source = schema_files(), *issuer;
    int version;

    ck_assert_int_eq(oas_schema_status(tool, &version, &issuer, pool), APR_SUCCESS);
    ck_assert_int_eq(version, 0);
    ck_assert_ptr_null(issuer);
    ck_assert_int_eq(oas_schema_apply(tool, source, "https://a/", &from, &to, &why, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(from, 0);
    ck_assert_int_eq(to, OAS_SCHEMA_VERSION);
    ck_assert_int_eq(oas_schema_status(tool, &version, &issuer, pool), APR_SUCCESS);
    ck_assert_int_eq(version, OAS_SCHEMA_VERSION);
    ck_assert_str_eq(issuer, "https://a/");
    ck_assert_int_eq(oas_schema_apply(tool, source, "https://a/", &from, &to, &why, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(from, OAS_SCHEMA_VERSION);
    ck_assert_int_eq(oas_schema_apply(tool, source, "https://b/", &from, &to, &why, pool),
                     APR_EEXIST);
    ck_assert_int_eq(oas_schema_grant(tool, "no_such_role", &why, pool), APR_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "no_such_role"));
    ck_assert_int_eq(oas_schema_grant(tool, "oauth2as", &why, pool), APR_SUCCESS);
}
END_TEST

/* Whoever adds a table says who may do what with it, and names nothing that is not there. */
START_TEST(test_rights_of_every_table)
{
    ck_assert_str_eq(cluster_sql(owner, "SELECT string_agg(c.relname, ' ') FROM pg_class AS c "
                                        "LEFT JOIN oas_rights AS r ON r.name = c.relname "
                                        "WHERE c.relnamespace = current_schema()::regnamespace "
                                        "AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
                                        "AND r.name IS NULL"),
                     "");
    ck_assert_str_eq(
        cluster_sql(owner, "SELECT string_agg(name, ' ') FROM oas_rights WHERE to_regclass(name) "
                           "IS NULL AND NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = name)"),
        "");
    ck_assert_str_eq(cluster_sql(owner, "SELECT string_agg(p.proname, ' ') FROM pg_proc AS p "
                                        "LEFT JOIN oas_rights AS r ON r.name = p.proname "
                                        "WHERE p.pronamespace = current_schema()::regnamespace "
                                        "AND (has_function_privilege('public', p.oid, 'EXECUTE') "
                                        "OR has_function_privilege('oauth2as', p.oid, 'EXECUTE') = "
                                        "(r.name IS NOT NULL))"),
                     "");
}
END_TEST

START_TEST(test_failing_file_changes_nothing)
{
    oas_db_t *tool = schema_make("failing");
    const char *issuer;
    int version;

    add_file("001-a.sql", TABLE_SQL);
    add_file("002-b.sql", "CREATE TABLE half (i int); SELECT no_such_thing;");
    add_file("README", "no schema file");
    ck_assert_int_eq(apply(tool, "https://a/"), APR_EINVAL);
    ck_assert_int_eq(to, 1);
    ck_assert_ptr_nonnull(strstr(why, "002-b.sql"));
    ck_assert_ptr_nonnull(strstr(why, "no_such_thing"));
    ck_assert_int_eq(oas_schema_status(tool, &version, &issuer, pool), APR_SUCCESS);
    ck_assert_int_eq(version, 1);
    ck_assert_str_eq(cluster_sql(owner, "SELECT to_regclass('failing.half') IS NULL"), "t");
    add_file("002-b.sql", "CREATE TABLE whole (i int); COMMIT; CREATE TABLE outside (i int);");
    ck_assert_int_eq(apply(tool, "https://a/"), APR_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "transaction"));
    remove_files();
}
END_TEST

START_TEST(test_files_of_one_version_come_together)
{
    oas_db_t *tool = schema_make("parts");

    add_file("001-a.sql", TABLE_SQL);
    add_file("002-c.sql", "INSERT INTO part VALUES (2); SELECT no_such_thing;");
    add_file("002-b.sql", "CREATE TABLE part (i int); INSERT INTO part VALUES (1);");
    ck_assert_int_eq(apply(tool, "https://a/"), APR_EINVAL);
    ck_assert_int_eq(to, 1);
    ck_assert_ptr_nonnull(strstr(why, "002-c.sql: "));
    ck_assert_str_eq(cluster_sql(owner, "SELECT to_regclass('parts.part') IS NULL"), "t");
    add_file("002-c.sql", "INSERT INTO part VALUES (2);");
    add_file("003-d.sql", "INSERT INTO part VALUES (3);");
    ck_assert_msg(apply(tool, "https://a/") == APR_SUCCESS, "%s", why);
    ck_assert_int_eq(to, 3);
    ck_assert_str_eq(cluster_sql(owner, "SELECT (SELECT string_agg(i::text, ',') FROM parts.part) "
                                        "|| ' ' || (SELECT count(*) FROM parts.oas_schema)"),
                     "1,2,3 3");
    remove_files();
}
END_TEST

START_TEST(test_gap_and_newer_database)
{
    oas_db_t *tool = schema_make("gap");

    add_file("001-a.sql", TABLE_SQL);
    add_file("003-c.sql", "SELECT 1;");
    ck_assert_int_eq(apply(tool, "https://a/"), APR_EINVAL);
    ck_assert_int_eq(to, 1);
    ck_assert_ptr_nonnull(strstr(why, "002"));
    cluster_sql(owner, "INSERT INTO gap.oas_schema VALUES (7, 'https://a/')");
    ck_assert_int_eq(apply(tool, "https://a/"), APR_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "newer"));
    remove_files();
    ck_assert_int_eq(oas_schema_apply(tool, "/nonexistent", "https://a/", &from, &to, &why, pool),
                     APR_ENOENT);
}
END_TEST

/* A transaction that has a table which the next version wants, and then asks for another one. */
#define CROSSING_SQL                                                                               \
    "BEGIN; LOCK TABLE crossing.oas_b IN ROW EXCLUSIVE MODE; "                                     \
    "DO $$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted "                      \
    "AND relation = 'crossing.oas_b'::regclass) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$; "   \
    "LOCK TABLE crossing.oas_a IN ROW EXCLUSIVE MODE; COMMIT"

START_TEST(test_requests_meanwhile)
{
    oas_db_t *tool = schema_make("crossing");
    PGconn *request = cluster_owner();
    PGresult *result;

    add_file("001-a.sql", TABLE_SQL "CREATE TABLE oas_a (i int); CREATE TABLE oas_b (i int);");
    ck_assert_int_eq(apply(tool, "https://a/"), APR_SUCCESS);
    add_file("002-b.sql", "ALTER TABLE oas_a ADD j int; ALTER TABLE oas_b ADD j int;");
    ck_assert_int_eq(PQsendQuery(request, CROSSING_SQL), 1);
    while (strcmp(cluster_sql(owner, "SELECT count(*) FROM pg_locks WHERE granted "
                                     "AND relation = 'crossing.oas_b'::regclass"),
                  "1") != 0)
        apr_sleep(apr_time_from_msec(10));
    ck_assert_msg(apply(tool, "https://a/") == APR_SUCCESS, "%s", why);
    while ((result = PQgetResult(request)) != NULL) {
        ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s", PQerrorMessage(request));
        PQclear(result);
    }
    PQfinish(request);
    remove_files();
}
END_TEST

static apr_status_t use(const char *issuer)
{
    unsigned char id[OAS_ID_LEN] = {0};
    oas_grant_t grant;

    return oas_store_grant_load(cluster_db(conn, issuer, NULL, pool), id, &grant, pool);
}

static void expect_log(const char *words)
{
    ck_assert_int_eq(cluster_log_count(), 1);
    ck_assert_msg(strstr(cluster_log_last(), words) != NULL, "%s", cluster_log_last());
    cluster_log_clear();
}

START_TEST(test_another_version_is_not_served)
{
    ck_assert_int_eq(use(TEST_ISSUER), APR_ENOENT);
    /* the next version only adds: not even noticed */
    cluster_sql(owner, apr_psprintf(pool, "INSERT INTO oas_schema VALUES (%d, '" TEST_ISSUER "')",
                                    OAS_SCHEMA_VERSION + 1));
    conn = cluster_connect(pool, cluster_params(0), 0);
    ck_assert_int_eq(use(TEST_ISSUER), APR_ENOENT);
    cluster_sql(owner, apr_psprintf(pool, "INSERT INTO oas_schema VALUES (%d, '" TEST_ISSUER "')",
                                    OAS_SCHEMA_VERSION + 2));
    conn = cluster_connect(pool, cluster_params(0), 0);
    ck_assert_int_eq(use(TEST_ISSUER), OAS_DB_UNAVAILABLE);
    ck_assert_int_eq(use(TEST_ISSUER), OAS_DB_UNAVAILABLE); /* the log is not flooded */
    expect_log(apr_psprintf(pool, "version %d found", OAS_SCHEMA_VERSION + 2));
    /* put right: the same connection serves again */
    cluster_sql(
        owner, apr_psprintf(pool, "DELETE FROM oas_schema WHERE version > %d", OAS_SCHEMA_VERSION));
    ck_assert_int_eq(use(TEST_ISSUER), APR_ENOENT);
}
END_TEST

START_TEST(test_missing_schema_then_applied)
{
    oas_db_t *tool = schema_make("late");

    conn = cluster_connect(pool, schema_params("late", 1), 0);
    ck_assert_int_eq(use("https://a/"), OAS_DB_UNAVAILABLE);
    expect_log("oauth2asctl schema apply");
    ck_assert_int_eq(oas_schema_apply(tool, schema_files(), "https://a/", &from, &to, &why, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(use("https://a/"), APR_ENOENT);
}
END_TEST

/* The administrator has forgotten --grant-to, and is told so: the schema is there. */
START_TEST(test_role_without_rights)
{
    oas_db_t *tool = schema_make("ungranted");

    ck_assert_int_eq(oas_schema_apply(tool, schema_files(), "https://a/", &from, &to, &why, pool),
                     APR_SUCCESS);
    cluster_sql(owner, "GRANT USAGE ON SCHEMA ungranted TO oauth2as");
    conn = cluster_connect(pool, schema_params("ungranted", 0), 0);
    ck_assert_int_eq(use("https://a/"), OAS_DB_UNAVAILABLE);
    expect_log("lacks privileges: run oauth2asctl schema apply --grant-to ROLE");
    ck_assert_int_eq(oas_schema_grant(tool, "oauth2as", &why, pool), APR_SUCCESS);
    ck_assert_int_eq(use("https://a/"), APR_ENOENT);
}
END_TEST

START_TEST(test_another_issuer_is_not_served)
{
    ck_assert_int_eq(use("https://other.example/"), OAS_DB_UNAVAILABLE);
    expect_log(TEST_ISSUER);
    ck_assert_int_eq(use(NULL), APR_ENOENT);
    ck_assert_int_eq(use(TEST_ISSUER), APR_ENOENT);
}
END_TEST

Suite *store_schema_suite(void)
{
    Suite *suite = suite_create("schema");
    TCase *tcase = db_case(suite, "schema");

    tcase_add_test(tcase, test_shipped_schema);
    tcase_add_test(tcase, test_rights_of_every_table);
    tcase_add_test(tcase, test_failing_file_changes_nothing);
    tcase_add_test(tcase, test_files_of_one_version_come_together);
    tcase_add_test(tcase, test_gap_and_newer_database);
    tcase_add_test(tcase, test_requests_meanwhile);
    tcase_add_test(tcase, test_another_version_is_not_served);
    tcase_add_test(tcase, test_missing_schema_then_applied);
    tcase_add_test(tcase, test_role_without_rights);
    tcase_add_test(tcase, test_another_issuer_is_not_served);
    return suite;
}
