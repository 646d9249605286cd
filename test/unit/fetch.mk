# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/fetch_test
TESTS += test/unit/fetch_test
test_unit_fetch_test_SOURCES = test/unit/fetch_test.c test/unit/unit.h
test_unit_fetch_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_fetch_test_LDADD = $(OAS_FETCH) $(OAS_LIBS) $(CHECK_LIBS)
endif
