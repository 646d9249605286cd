# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/check_test
TESTS += test/unit/check_test
test_unit_check_test_SOURCES = test/unit/check_test.c test/unit/check_authorize.c \
	test/unit/check_response.c test/unit/check_wishes.c \
	test/unit/check_assertion.c test/unit/check_cache.c test/unit/check_certificate.c \
	test/unit/check_grants.c test/unit/check_logout.c \
	test/unit/check_token.c test/unit/check_test.h test/unit/fake_tx.h test/unit/unit.h
test_unit_check_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
# The list of assertions that were used is one of the test's own (check_assertion.c), as the clock is (check_cache.c).
test_unit_check_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=oas_store_jti_use -Wl,--wrap=apr_time_now \
	-Wl,--wrap=oas_store_client_load
test_unit_check_test_LDADD = liboas_check.la $(OAS_STORE) $(OAS_FETCH) $(OAS_LIBS) $(CHECK_LIBS)
endif
