# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_issue.la
liboas_issue_la_SOURCES = \
	lib/issue/access_token.c lib/issue/access_token.h \
	lib/issue/claims.c lib/issue/claims.h \
	lib/issue/client_grant.c lib/issue/client_grant.h \
	lib/issue/code.c lib/issue/code.h \
	lib/issue/id_token.c lib/issue/id_token.h \
	lib/issue/keyring.c lib/issue/keyring_issuer.c lib/issue/keyring.h \
	lib/issue/keyring_area.c lib/issue/keyring_area.h \
	lib/issue/kids.c lib/issue/kids.h \
	lib/issue/logout_token.c lib/issue/logout_token.h \
	lib/issue/password_grant.c lib/issue/password_grant.h \
	lib/issue/refresh.c lib/issue/refresh.h \
	lib/issue/revocation.c lib/issue/revocation.h
