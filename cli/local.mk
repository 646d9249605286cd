# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += oauth2asctl
oauth2asctl_SOURCES = cli/cli.h cli/main.c cli/arguments.c cli/audit.c cli/client.c cli/client_input.c cli/client_input.h \
	cli/database.c cli/files.c cli/grant.c cli/key.c \
	cli/output.c cli/output.h cli/purge.c cli/schema.c cli/session.c cli/terminal.c cli/user.c
oauth2asctl_LDADD = $(OAS_ALL) $(OAS_LIBS)
dist_man1_MANS = docs/oauth2asctl.1

TESTS += test/cli/oauth2asctl
EXTRA_DIST += test/cli/oauth2asctl
