# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_login.la
liboas_login_la_SOURCES =
