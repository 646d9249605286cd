/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file check_test.h
 * What the tests of the rules share: a request and what a step shall say of it.
 */
#ifndef OAS_TEST_CHECK_TEST_H
#define OAS_TEST_CHECK_TEST_H

#include "unit.h"

#include "fake_tx.h"

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" /* RFC 7636 appendix B */
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

/** One request and what a step shall say of it: OAS_E_NONE for "goes on". */
typedef struct {
    const char *params;
    oas_error_id_t error;
} case_t;

static inline void run_case(oas_tx_t *tx, oas_outcome_t (*step)(oas_tx_t *), const case_t *test)
{
    oas_outcome_t outcome;

    fake_params(tx, test->params);
    outcome = step(tx);
    ck_assert_msg(tx->error == test->error, "%s: error %d, wanted %d", test->params, tx->error,
                  test->error);
    ck_assert_int_eq(outcome, test->error == OAS_E_NONE ? OAS_NEXT : OAS_FAILED);
}

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

/** Adds the tests of the rules of /authorize (check_authorize.c,
 * check_response.c, check_wishes.c), of the token endpoint
 * (check_token.c), of its grants (check_grants.c), of client authentication by assertion and by
 * certificate, and of the clients that a process remembers (check_cache.c), and of logout. */
void add_authorize_tests(Suite *suite);
void add_response_tests(Suite *suite);
void add_wish_tests(Suite *suite);
void add_token_tests(Suite *suite);
void add_grant_tests(Suite *suite);
void add_assertion_tests(Suite *suite);
void add_certificate_tests(Suite *suite);
void add_cache_tests(Suite *suite);
void add_logout_tests(Suite *suite);

#endif
