# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_check.la
liboas_check_la_SOURCES =
