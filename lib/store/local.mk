# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_store.la
liboas_store_la_SOURCES =
