# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_base.la
liboas_base_la_SOURCES =
