/* SPDX-License-Identifier: Apache-2.0 */
#include "../../lib/base/shared.h"
#include "unit.h"

#define NAME "https://login.example.com/"
#define SIZE 5000

static oas_shared_area_t *list; /* each test is a process of its own */

START_TEST(an_area_is_found_again_by_name_and_size)
{
    unsigned char *area = oas_shared_area(&list, NAME, SIZE);
    void *other = oas_shared_area(&list, NAME "other/", SIZE);

    ck_assert_ptr_nonnull(area);
    ck_assert_int_eq(area[0], 0);
    ck_assert_int_eq(area[SIZE - 1], 0);
    ck_assert_ptr_ne(other, area);
    ck_assert_ptr_eq(oas_shared_area(&list, NAME, SIZE), area);
    ck_assert_ptr_eq(oas_shared_area(&list, NAME "other/", SIZE), other);
    ck_assert_ptr_ne(oas_shared_area(&list, NAME, SIZE + 1), area);
}
END_TEST

/** Children write the areas, and nothing by which the process that forked them finds these. */
START_TEST(a_hostile_child_spoils_the_areas_only)
{
    unsigned char *area = oas_shared_area(&list, NAME, SIZE);
    void *other = oas_shared_area(&list, NAME "other/", SIZE);

    unit_hostile_child(0x7f);
    ck_assert_int_eq(area[SIZE - 1], 0x7f);
    ck_assert_ptr_eq(oas_shared_area(&list, NAME, SIZE), area);
    ck_assert_ptr_eq(oas_shared_area(&list, NAME "other/", SIZE), other);
    ck_assert_ptr_nonnull(oas_shared_area(&list, NAME "third/", SIZE));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shared");
    TCase *tcase = unit_case(suite, "shared");

    tcase_add_test(tcase, an_area_is_found_again_by_name_and_size);
    tcase_add_test(tcase, a_hostile_child_spoils_the_areas_only);
    return unit_run(suite);
}
