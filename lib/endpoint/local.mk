# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_endpoint.la
liboas_endpoint_la_SOURCES =
