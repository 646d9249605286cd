# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_reply.la
liboas_reply_la_SOURCES =
liboas_reply_la_SOURCES += \
	lib/reply/error.c \
	lib/reply/page.c \
	lib/reply/reply.c lib/reply/reply.h
liboas_reply_la_SOURCES += \
	lib/reply/mustache.c lib/reply/mustache.h lib/reply/mustache_node.h \
	lib/reply/mustache_render.c \
	lib/reply/language.c lib/reply/language.h \
	lib/reply/loader.c lib/reply/loader.h \
	lib/reply/templates.c lib/reply/templates.h \
	lib/reply/texts.c lib/reply/texts.h
