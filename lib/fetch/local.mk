# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_fetch.la
liboas_fetch_la_SOURCES = \
	lib/fetch/address.c lib/fetch/address.h \
	lib/fetch/fetch.c lib/fetch/fetch.h \
	lib/fetch/jwks.c lib/fetch/jwks.h \
	lib/fetch/post.c lib/fetch/post.h \
	lib/fetch/transfer.c lib/fetch/transfer.h
