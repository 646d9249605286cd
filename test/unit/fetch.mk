# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/fetch_test test/unit/fetch_post_test test/unit/fetch_cache_test
TESTS += test/unit/fetch_test test/unit/fetch_post_test test/unit/fetch_cache_test
test_unit_fetch_test_SOURCES = test/unit/fetch_test.c test/unit/unit.h
test_unit_fetch_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_fetch_test_LDADD = $(OAS_FETCH) $(OAS_LIBS) $(CHECK_LIBS)

test_unit_fetch_post_test_SOURCES = test/unit/fetch_post_test.c test/unit/unit.h
test_unit_fetch_post_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_fetch_post_test_LDADD = $(OAS_FETCH) $(OAS_LIBS) $(CHECK_LIBS)

# With a clock and a network of its own.
test_unit_fetch_cache_test_SOURCES = test/unit/fetch_cache_test.c test/unit/unit.h
test_unit_fetch_cache_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_fetch_cache_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=apr_time_now -Wl,--wrap=oas_fetch_json
test_unit_fetch_cache_test_LDADD = $(OAS_FETCH) $(OAS_LIBS) $(CHECK_LIBS)
endif
