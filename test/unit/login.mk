# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/login_test test/unit/session_test test/unit/cookie_test test/unit/device_test
TESTS += test/unit/login_test test/unit/session_test test/unit/cookie_test test/unit/device_test
test_unit_login_test_SOURCES = test/unit/login_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_login_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_login_test_LDADD = $(OAS_LOGIN) $(OAS_LIBS) $(CHECK_LIBS)
test_unit_session_test_SOURCES = test/unit/session_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_session_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_session_test_LDADD = $(OAS_LOGIN) $(OAS_LIBS) $(CHECK_LIBS)
test_unit_cookie_test_SOURCES = test/unit/cookie_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_cookie_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_cookie_test_LDADD = $(OAS_LOGIN) $(OAS_LIBS) $(CHECK_LIBS)
test_unit_device_test_SOURCES = test/unit/device_test.c test/unit/unit.h
test_unit_device_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_device_test_LDADD = $(OAS_LOGIN) $(OAS_LIBS) $(CHECK_LIBS)
check_PROGRAMS += test/unit/hasher_test test/unit/known_test test/unit/pace_test
TESTS += test/unit/hasher_test test/unit/known_test test/unit/pace_test
test_unit_hasher_test_SOURCES = test/unit/hasher_test.c test/unit/unit.h
test_unit_hasher_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_pace_test_SOURCES = test/unit/pace_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_pace_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_pace_test_LDADD = $(OAS_LOGIN) $(OAS_LIBS) $(CHECK_LIBS)
test_unit_known_test_SOURCES = test/unit/known_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_known_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_known_test_LDADD = $(OAS_LOGIN) $(OAS_LIBS) $(CHECK_LIBS)
test_unit_hasher_test_LDADD = $(OAS_LOGIN) $(OAS_LIBS) $(CHECK_LIBS)
check_PROGRAMS += test/unit/steps_test
TESTS += test/unit/steps_test
test_unit_steps_test_SOURCES = test/unit/steps_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_steps_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_steps_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=oas_store_session_open
test_unit_steps_test_LDADD = $(OAS_LOGIN) $(OAS_LIBS) $(CHECK_LIBS)
endif
