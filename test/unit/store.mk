# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/store_test
TESTS += test/unit/store_test
test_unit_store_test_SOURCES = test/unit/store_test.c test/unit/store_test.h test/unit/unit.h \
	test/unit/store_gate.c test/unit/store_client.c
test_unit_store_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_store_test_LDADD = $(OAS_STORE) $(OAS_LIBS) $(CHECK_LIBS)
endif
