# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += test/lib/postgres test/unit/store_variants
if HAVE_CHECK
check_PROGRAMS += test/unit/store_test test/unit/store_db_test
TESTS += test/unit/store_test test/unit/store_db_test test/unit/store_variants
test_unit_store_test_SOURCES = test/unit/store_test.c test/unit/store_test.h test/unit/unit.h \
	test/unit/store_gate.c test/unit/store_turn.c test/unit/store_client.c test/unit/store_undo.c
test_unit_store_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_store_test_LDADD = $(OAS_STORE) $(OAS_LIBS) $(CHECK_LIBS)

# Against a PostgreSQL of its own; says SKIP where no server is installed.
test_unit_store_db_test_SOURCES = test/unit/store_db_test.c test/unit/store_db.h \
	test/unit/store_test.h test/unit/unit.h test/unit/store_session.c test/unit/store_grant.c \
	test/unit/store_refresh.c test/unit/store_settle.c test/unit/store_settle.h \
	test/unit/store_held.c test/unit/store_ends.c test/unit/store_login.c \
	test/unit/store_account.c test/unit/store_logout.c test/unit/store_keys.c \
	test/unit/store_upgrade.c test/unit/store_table.c test/unit/store_partition.c test/unit/store_schema.c test/unit/store_runner.c \
	test/lib/cluster.c test/lib/cluster.h test/lib/former.c test/lib/former.h
test_unit_store_db_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_store_db_test_LDADD = $(OAS_STORE) $(OAS_LIBS) $(CHECK_LIBS)
endif
