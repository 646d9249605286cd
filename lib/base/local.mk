# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_base.la
liboas_base_la_SOURCES = \
	lib/base/audit.c lib/base/audit.h \
	lib/base/box.c lib/base/box.h \
	lib/base/bytes.c lib/base/bytes.h \
	lib/base/client_rules.c lib/base/client_rules.h lib/base/client_values.c \
	lib/base/clock.c lib/base/clock.h \
	lib/base/refresh_token.c lib/base/refresh_token.h \
	lib/base/reserve.c lib/base/reserve.h \
	lib/base/error.c lib/base/error.h \
	lib/base/handle.c lib/base/handle.h \
	lib/base/json.c lib/base/json.h \
	lib/base/json_text.c lib/base/json_text.h \
	lib/base/members.c lib/base/members.h \
	lib/base/json_plain.c lib/base/json_plain.h \
	lib/base/log.c lib/base/log.h \
	lib/base/metrics.c lib/base/metrics.h \
	lib/base/metrics_table.c lib/base/metrics_table.h \
	lib/base/model.c lib/base/model.h \
	lib/base/params.c lib/base/params.h \
	lib/base/secret.c lib/base/secret.h \
	lib/base/shared.c lib/base/shared.h \
	lib/base/subject.c lib/base/subject.h \
	lib/base/trace.c lib/base/trace.h \
	lib/base/tx.c lib/base/tx.h \
	lib/base/uri.c lib/base/uri.h \
	lib/base/words.c lib/base/words.h
