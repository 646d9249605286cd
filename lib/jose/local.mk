# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_jose.la
liboas_jose_la_SOURCES = \
	lib/jose/alg.c \
	lib/jose/internal.h \
	lib/jose/jwk.c lib/jose/jwk.h \
	lib/jose/jwk_load.c \
	lib/jose/jwk_parse.c \
	lib/jose/jwks.c lib/jose/jwks.h \
	lib/jose/jws.c lib/jose/jws.h \
	lib/jose/jwt.c lib/jose/jwt.h \
	lib/jose/keyset.c lib/jose/keyset.h \
	lib/jose/sealed.c lib/jose/sealed.h
