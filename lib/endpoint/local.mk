# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_endpoint.la
liboas_endpoint_la_SOURCES = \
	lib/endpoint/absent.c lib/endpoint/absent.h \
	lib/endpoint/account.c lib/endpoint/account.h \
	lib/endpoint/account_page.c \
	lib/endpoint/authorize.c \
	lib/endpoint/backchannel.c lib/endpoint/backchannel.h \
	lib/endpoint/consent.c lib/endpoint/consent.h \
	lib/endpoint/document.c \
	lib/endpoint/endpoint.c lib/endpoint/endpoint.h \
	lib/endpoint/external.c \
	lib/endpoint/interaction.c lib/endpoint/interaction.h \
	lib/endpoint/health.c \
	lib/endpoint/introspect.c \
	lib/endpoint/login.c lib/endpoint/login.h \
	lib/endpoint/logout.c \
	lib/endpoint/metadata.c lib/endpoint/metadata.h \
	lib/endpoint/metrics.c lib/endpoint/metrics.h \
	lib/endpoint/metrics_text.c lib/endpoint/metrics_text.h \
	lib/endpoint/permission.c lib/endpoint/permission.h \
	lib/endpoint/pipeline.c lib/endpoint/pipeline.h \
	lib/endpoint/revoke.c \
	lib/endpoint/token.c \
	lib/endpoint/userinfo.c \
	lib/endpoint/wishes.c lib/endpoint/wishes.h
