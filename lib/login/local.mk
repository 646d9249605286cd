# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_login.la
liboas_login_la_SOURCES = \
	lib/login/builtin.c lib/login/builtin.h \
	lib/login/consent.c lib/login/consent.h \
	lib/login/cookie.c lib/login/cookie.h \
	lib/login/device.c lib/login/device.h \
	lib/login/interaction.c lib/login/interaction.h \
	lib/login/password.c lib/login/password.h \
	lib/login/recheck.c lib/login/recheck.h \
	lib/login/seal.c lib/login/seal.h \
	lib/login/session.c lib/login/session.h \
	lib/login/signin.c lib/login/signin.h \
	lib/login/steps.c lib/login/steps.h \
	lib/login/subject.c lib/login/subject.h \
	lib/login/throttle.c lib/login/throttle.h \
	lib/login/hash.c lib/login/hash.h \
	lib/login/hasher.c lib/login/hasher.h
