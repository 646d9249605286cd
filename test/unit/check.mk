# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/check_test
TESTS += test/unit/check_test
test_unit_check_test_SOURCES = test/unit/check_test.c test/unit/check_authorize.c \
	test/unit/check_token.c test/unit/check_test.h test/unit/fake_tx.h test/unit/unit.h
test_unit_check_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_check_test_LDADD = liboas_check.la $(OAS_STORE) liboas_jose.la $(OAS_LIBS) $(CHECK_LIBS)
endif
