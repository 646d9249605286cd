/* SPDX-License-Identifier: Apache-2.0 */
#include "check_test.h"

int main(void)
{
    Suite *suite = suite_create("check");

    add_authorize_tests(suite);
    add_response_tests(suite);
    add_wish_tests(suite);
    add_token_tests(suite);
    add_grant_tests(suite);
    add_assertion_tests(suite);
    add_certificate_tests(suite);
    add_cache_tests(suite);
    add_logout_tests(suite);
    return unit_run(suite);
}
