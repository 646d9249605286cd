# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_jose.la
liboas_jose_la_SOURCES =
