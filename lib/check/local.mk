# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_check.la
liboas_check_la_SOURCES = \
	lib/check/bearer.c lib/check/bearer.h \
	lib/check/body.c lib/check/body.h \
	lib/check/client.c lib/check/client.h \
	lib/check/client_auth.c lib/check/client_auth.h \
	lib/check/code.c lib/check/code.h \
	lib/check/introspection.c lib/check/introspection.h \
	lib/check/params.c lib/check/params.h \
	lib/check/pkce.c lib/check/pkce.h \
	lib/check/prompt.c lib/check/prompt.h \
	lib/check/redirect_uri.c lib/check/redirect_uri.h \
	lib/check/response.c lib/check/response.h \
	lib/check/scope.c lib/check/scope.h \
	lib/check/token.c lib/check/token.h
