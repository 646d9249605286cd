# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_PROGRAMS += test/unit/jose_test
TESTS += test/unit/jose_test
test_unit_jose_test_SOURCES = \
	test/unit/jose_claims.c \
	test/unit/jose_jwks.c \
	test/unit/jose_keys.c \
	test/unit/jose_load.c \
	test/unit/jose_refuse.c \
	test/unit/jose_rfc.c \
	test/unit/jose_sealed.c \
	test/unit/jose_sign.c \
	test/unit/jose_test.c test/unit/jose_test.h \
	test/unit/jose_vectors.c
test_unit_jose_test_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_unit_jose_test_LDADD = $(OAS_JOSE) $(OAS_LIBS) $(CHECK_LIBS) -lpthread
endif
