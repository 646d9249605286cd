# SPDX-License-Identifier: Apache-2.0
# Needs no libcheck; says SKIP where no PostgreSQL server is installed.
check_PROGRAMS += test/race/race
TESTS += test/race/race
test_race_race_SOURCES = test/race/race.c test/race/race.h test/race/codes.c test/race/logins.c \
	test/race/families.c test/race/held.c test/race/ends.c test/race/logouts.c test/race/keys.c test/race/faults.c test/lib/cluster.c test/lib/cluster.h test/lib/former.c test/lib/former.h
test_race_race_LDADD = $(OAS_STORE) $(OAS_LIBS)
