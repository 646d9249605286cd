# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += liboas_issue.la
liboas_issue_la_SOURCES =
