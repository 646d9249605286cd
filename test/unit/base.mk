# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/base_test
TESTS += test/unit/base_test
test_unit_base_test_SOURCES = test/unit/base_test.c test/unit/unit.h
test_unit_base_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_base_test_LDADD = $(OAS_BASE) $(OAS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += test/unit/metrics_test
TESTS += test/unit/metrics_test
test_unit_metrics_test_SOURCES = test/unit/metrics_test.c test/unit/unit.h
test_unit_metrics_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_metrics_test_LDADD = $(OAS_BASE) $(OAS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += test/unit/reserve_test
TESTS += test/unit/reserve_test
test_unit_reserve_test_SOURCES = test/unit/reserve_test.c test/unit/unit.h
test_unit_reserve_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_reserve_test_LDADD = $(OAS_BASE) $(OAS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += test/unit/shared_test
TESTS += test/unit/shared_test
test_unit_shared_test_SOURCES = test/unit/shared_test.c test/unit/unit.h
test_unit_shared_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_shared_test_LDADD = $(OAS_BASE) $(OAS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += test/unit/audit_test
TESTS += test/unit/audit_test
test_unit_audit_test_SOURCES = test/unit/audit_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_audit_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_audit_test_LDADD = $(OAS_BASE) $(OAS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += test/unit/subject_test
TESTS += test/unit/subject_test
test_unit_subject_test_SOURCES = test/unit/subject_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_subject_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_subject_test_LDADD = $(OAS_BASE) $(OAS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += test/unit/json_test
TESTS += test/unit/json_test
test_unit_json_test_SOURCES = test/unit/json_test.c test/unit/unit.h
test_unit_json_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_json_test_LDADD = $(OAS_BASE) $(OAS_LIBS) $(CHECK_LIBS)
endif
