# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/backchannel_test
TESTS += test/unit/backchannel_test
test_unit_backchannel_test_SOURCES = test/unit/backchannel_test.c test/unit/fake_tx.h test/unit/unit.h
test_unit_backchannel_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
# With a queue and a network of its own.
test_unit_backchannel_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=oas_store_logouts_claim \
	-Wl,--wrap=oas_store_logout_done -Wl,--wrap=oas_store_logout_later -Wl,--wrap=oas_store_client_load \
	-Wl,--wrap=oas_db_release -Wl,--wrap=oas_posts_add -Wl,--wrap=oas_posts_count -Wl,--wrap=oas_posts_wait \
	-Wl,--wrap=oas_posts_take
test_unit_backchannel_test_LDADD = $(OAS_ALL) $(OAS_LIBS) $(CHECK_LIBS)
endif
