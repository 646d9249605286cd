# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/mustache_test test/unit/templates_test test/unit/reply_test \
	test/unit/language_test
TESTS += test/unit/mustache_test test/unit/templates_test test/unit/reply_test \
	test/unit/language_test
test_unit_mustache_test_SOURCES = test/unit/mustache_test.c
test_unit_mustache_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_mustache_test_LDADD = $(OAS_REPLY) $(OAS_LIBS) $(CHECK_LIBS)
test_unit_templates_test_SOURCES = test/unit/templates_test.c
test_unit_templates_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_templates_test_LDADD = $(OAS_REPLY) $(OAS_LIBS) $(CHECK_LIBS)
test_unit_reply_test_SOURCES = test/unit/reply_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_reply_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_reply_test_LDADD = $(OAS_REPLY) $(OAS_LIBS) $(CHECK_LIBS)
test_unit_language_test_SOURCES = test/unit/language_test.c test/unit/unit.h
test_unit_language_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_language_test_LDADD = $(OAS_REPLY) $(OAS_LIBS) $(CHECK_LIBS)
endif
