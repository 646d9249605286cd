# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_store.la
liboas_store_la_SOURCES = \
	lib/store/account.c lib/store/account.h \
	lib/store/client.c lib/store/client.h \
	lib/store/client_admin.c lib/store/client_admin.h \
	lib/store/client_json.h lib/store/client_from_json.c lib/store/client_to_json.c \
	lib/store/conninfo.c lib/store/conninfo.h \
	lib/store/consent.c lib/store/consent.h \
	lib/store/db.c lib/store/db.h \
	lib/store/gate.c lib/store/gate.h \
	lib/store/grant.c lib/store/grant.h \
	lib/store/grant_admin.c lib/store/grant_admin.h \
	lib/store/grant_row.c lib/store/grant_row.h \
	lib/store/jti.c lib/store/jti.h \
	lib/store/key.c lib/store/key.h \
	lib/store/logout.c lib/store/logout.h \
	lib/store/measure.c lib/store/measure.h \
	lib/store/metrics.c lib/store/metrics.h \
	lib/store/pairwise.c lib/store/pairwise.h \
	lib/store/param.c \
	lib/store/prepare.c \
	lib/store/purge.c lib/store/purge.h \
	lib/store/readiness.c lib/store/readiness.h \
	lib/store/refresh.c lib/store/refresh.h \
	lib/store/row.c lib/store/row.h \
	lib/store/runner.h \
	lib/store/schema.c lib/store/schema.h \
	lib/store/session.c lib/store/session.h \
	lib/store/settle.c lib/store/settle.h \
	lib/store/statements.c lib/store/statements.h \
	lib/store/throttle.c lib/store/throttle.h \
	lib/store/trouble.c lib/store/trouble.h \
	lib/store/undo_area.c lib/store/undo_area.h \
	lib/store/unsettled.c lib/store/unsettled.h \
	lib/store/user.c lib/store/user.h \
	lib/store/wire.c lib/store/wire.h
