# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_reply.la
liboas_reply_la_SOURCES =
