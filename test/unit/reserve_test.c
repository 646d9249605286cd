/* SPDX-License-Identifier: Apache-2.0 */
#include "../../lib/base/reserve.h"

#include <string.h>
#include "../../lib/base/bytes.h"
#include "unit.h"

#define TIMES 50
#define LEN   24 /* so that the reserve is used up with some left, and exactly */

START_TEST(nothing_is_given_twice)
{
    static oas_reserve_t reserve; /* it is wiped with the pool, later */
    unsigned char given[TIMES][LEN];
    int i, j;

    for (i = 0; i < TIMES; i++) {
        ck_assert_int_eq(oas_reserve_take(&reserve, given[i], i % 2 ? LEN : LEN / 3, pool), 0);
        for (j = 0; j < i; j++) {
            ck_assert_int_ne(memcmp(given[i], given[j], LEN / 3), 0);
        }
    }
}
END_TEST

START_TEST(nothing_stays)
{
    const unsigned char zeros[OAS_RESERVE_SIZE] = {0};
    static oas_reserve_t reserve;
    unsigned char given[OAS_RESERVE_SIZE];
    apr_pool_t *request;

    apr_pool_create(&request, pool);
    ck_assert_int_eq(oas_reserve_take(&reserve, given, LEN, request), APR_SUCCESS);
    ck_assert_int_eq(reserve.left, OAS_RESERVE_SIZE - LEN);
    ck_assert_mem_eq(reserve.octets + reserve.left, zeros, LEN);
    ck_assert_mem_ne(reserve.octets, zeros, LEN);
    apr_pool_destroy(request);
    ck_assert_mem_eq(reserve.octets, zeros, OAS_RESERVE_SIZE);
}
END_TEST

START_TEST(no_more_than_there_can_be)
{
    static oas_reserve_t reserve;
    unsigned char given[OAS_RESERVE_SIZE + 1];

    ck_assert_int_eq(oas_reserve_take(&reserve, given, OAS_RESERVE_SIZE, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_reserve_take(&reserve, given, OAS_RESERVE_SIZE + 1, pool), APR_EINVAL);
}
END_TEST

START_TEST(digits)
{
    char text[] = "......";

    oas_put_digits(text, 2, 7);
    oas_put_digits(text + 3, 3, 12345);
    ck_assert_str_eq(text, "07.345");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reserve");
    TCase *tcase = unit_case(suite, "reserve");

    tcase_add_test(tcase, nothing_is_given_twice);
    tcase_add_test(tcase, nothing_stays);
    tcase_add_test(tcase, no_more_than_there_can_be);
    tcase_add_test(tcase, digits);
    return unit_run(suite);
}
