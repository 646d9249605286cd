/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is told of a subject (OIDC Core section 8). */
#include "unit.h"

#include <string.h>
#include "../../lib/base/subject.h"
#include "fake_tx.h"

#define SUB  "oauth2as|alice"
#define TOLD "J9QvGXAJ1MkNja7GwdqYbaa6h0LtoigxN-yOhhAw13k" /* of SUB at app.example */

static const unsigned char salt[OAS_SALT_LEN] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static oas_client_t *client_of(const char *sector)
{
    oas_client_t *client = fake_client(pool, "https://app.example/cb");

    client->sector = sector;
    return client;
}

START_TEST(pairwise_is_derived)
{
    const unsigned char other[OAS_SALT_LEN] = {1};

    ck_assert_str_eq(oas_subject_pairwise(salt, "app.example", SUB, pool), TOLD);
    ck_assert_str_ne(oas_subject_pairwise(other, "app.example", SUB, pool), TOLD);
    ck_assert_str_ne(oas_subject_pairwise(salt, "app.exampl", "e" SUB, pool), TOLD);
    ck_assert_str_ne(oas_subject_pairwise(salt, "app.example", "oauth2as|bob", pool), TOLD);
}
END_TEST

START_TEST(clients_of_one_sector_are_told_alike)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->salt = salt;
    ck_assert_str_eq(oas_subject_for(tx, client_of("app.example"), SUB), TOLD);
    ck_assert_str_eq(oas_subject_for(tx, client_of("app.example"), SUB), TOLD);
    ck_assert_str_ne(oas_subject_for(tx, client_of("other.example"), SUB), TOLD);
    ck_assert_str_eq(oas_subject_for(tx, client_of(NULL), SUB), SUB);
}
END_TEST

START_TEST(nothing_is_told_without_salt)
{
    oas_tx_t *tx = fake_tx(pool);

    ck_assert_ptr_null(oas_subject_for(tx, client_of("app.example"), SUB));
    ck_assert(!oas_subject_is(tx, client_of("app.example"), SUB, SUB));
    ck_assert_str_eq(oas_subject_for(tx, client_of(NULL), SUB), SUB);
}
END_TEST

START_TEST(what_was_told_is_known_again)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->salt = salt;
    ck_assert(oas_subject_is(tx, client_of("app.example"), TOLD, SUB));
    ck_assert(!oas_subject_is(tx, client_of("app.example"), SUB, SUB));
    ck_assert(!oas_subject_is(tx, client_of("other.example"), TOLD, SUB));
    ck_assert(!oas_subject_is(tx, client_of(NULL), TOLD, SUB));
    ck_assert(oas_subject_is(tx, client_of(NULL), SUB, SUB));
    ck_assert(!oas_subject_is(tx, client_of(NULL), NULL, SUB));
}
END_TEST

#define SID "wSXJHAnVHpFNS8Qpl0qOnQ"

START_TEST(a_session_is_told_by_sector)
{
    oas_tx_t *tx = fake_tx(pool);
    const char *told;

    ck_assert_str_eq(oas_sid_for(tx, client_of(NULL), SID), SID);
    ck_assert_ptr_null(oas_sid_for(tx, client_of("app.example"), SID)); /* no salt */
    tx->salt = salt;
    told = oas_sid_for(tx, client_of("app.example"), SID);
    ck_assert_uint_eq(strlen(told), strlen(SID));
    ck_assert_str_ne(told, SID);
    ck_assert_str_eq(oas_sid_for(tx, client_of("app.example"), SID), told);
    ck_assert_str_ne(oas_sid_for(tx, client_of("other.example"), SID), told);
    ck_assert_ptr_null(oas_sid_for(tx, client_of("app.example"), NULL));
    ck_assert_str_eq(oas_sid_for(tx, client_of(NULL), SID), SID);
    /* nor is it what a subject of that name would be */
    ck_assert(strncmp(oas_subject_for(tx, client_of("app.example"), SID), told, strlen(told)) != 0);
}
END_TEST

static const struct {
    const char *text;
    int valid;
} sectors[] = {{"app.example", 1}, {"[::1]", 1},       {"127.0.0.1", 1}, {"", 0},
               {"App.example", 0}, {"app example", 0}, {"app/x", 0},     {"app\nx", 0}};

START_TEST(sectors_are_hosts)
{
    ck_assert_int_eq(oas_sector_valid(sectors[_i].text), sectors[_i].valid);
}
END_TEST

START_TEST(the_access_log_has_a_mark_that_nobody_can_guess)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_issuer_t other = *tx->issuer;
    const char *mark = oas_subject_mark(tx->issuer, SUB, pool);

    ck_assert_uint_eq(strlen(mark), 16);
    ck_assert_str_eq(oas_subject_mark(tx->issuer, SUB, pool), mark);
    ck_assert_str_ne(oas_subject_mark(tx->issuer, "oauth2as|bob", pool), mark);
    other.url = "https://elsewhere.example/";
    ck_assert_str_ne(oas_subject_mark(&other, SUB, pool), mark);
    other = *tx->issuer;
    other.secrets = apr_array_make(pool, 1, sizeof(oas_secret_t *));
    APR_ARRAY_PUSH(other.secrets, oas_secret_t *) = fake_secret(pool, 'z');
    ck_assert_str_ne(oas_subject_mark(&other, SUB, pool), mark);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("subject");
    TCase *tcase = unit_case(suite, "subject");

    tcase_add_test(tcase, pairwise_is_derived);
    tcase_add_test(tcase, clients_of_one_sector_are_told_alike);
    tcase_add_test(tcase, nothing_is_told_without_salt);
    tcase_add_test(tcase, what_was_told_is_known_again);
    tcase_add_test(tcase, a_session_is_told_by_sector);
    tcase_add_test(tcase, the_access_log_has_a_mark_that_nobody_can_guess);
    tcase_add_loop_test(tcase, sectors_are_hosts, 0, sizeof(sectors) / sizeof(sectors[0]));
    return unit_run(suite);
}
