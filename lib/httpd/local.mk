# SPDX-License-Identifier: Apache-2.0
# The module. Of all its symbols httpd sees one.
apachelibdir = $(apache_libexecdir)
apachelib_LTLIBRARIES = mod_oauth2as.la
mod_oauth2as_la_SOURCES = mod_oauth2as.c \
	lib/httpd/absent.c \
	lib/httpd/as_user.c lib/httpd/as_user.h \
	lib/httpd/api_error.c \
	lib/httpd/audit_log.c lib/httpd/audit_log.h \
	lib/httpd/audit_program.c lib/httpd/audit_program.h \
	lib/httpd/attributes.c lib/httpd/attributes.h lib/httpd/authn.c lib/httpd/authn.h \
	lib/httpd/body.c \
	lib/httpd/caches.c lib/httpd/caches.h \
	lib/httpd/certificate.c lib/httpd/certificate.h \
	lib/httpd/check.c lib/httpd/check.h \
	lib/httpd/check_client.c lib/httpd/check_database.c lib/httpd/check_keys.c lib/httpd/check_twin.c lib/httpd/check_option.c lib/httpd/check_section.c \
	lib/httpd/complete.c lib/httpd/complete.h \
	lib/httpd/database.c lib/httpd/database.h \
	lib/httpd/delivery.c lib/httpd/delivery.h \
	lib/httpd/directives.c lib/httpd/directives.def lib/httpd/directives.h \
	lib/httpd/host.c \
	lib/httpd/kind_basic.c lib/httpd/kind_client.c lib/httpd/kind_credential.c \
	lib/httpd/kind_issuer.c lib/httpd/kind_key.c lib/httpd/kind_login.c lib/httpd/kind_option.c lib/httpd/kind_peer.c lib/httpd/kind_time.c \
	lib/httpd/keyring.c lib/httpd/keyring.h \
	lib/httpd/retained.c lib/httpd/retained.h \
	lib/httpd/kinds.h \
	lib/httpd/leaving.c lib/httpd/leaving.h \
	lib/httpd/log.c lib/httpd/log.h \
	lib/httpd/login_option.c lib/httpd/login_option.h \
	lib/httpd/metrics.c lib/httpd/metrics.h \
	lib/httpd/notes.c lib/httpd/notes.h \
	lib/httpd/recheck.c lib/httpd/recheck.h \
	lib/httpd/request.c lib/httpd/request.h \
	lib/httpd/section.c \
	lib/httpd/server_config.h \
	lib/httpd/park.c lib/httpd/park.h \
	lib/httpd/recovery.c lib/httpd/recovery.h \
	lib/httpd/shift.c lib/httpd/shift.h \
	lib/httpd/source.c \
	lib/httpd/status.c lib/httpd/status.h \
	lib/httpd/watchdog.c lib/httpd/watchdog.h
# clang warns of the way APR's rings, inside httpd's macros, compute their sentinel.
mod_oauth2as_la_CFLAGS = $(AM_CFLAGS) $(APXS_CFLAGS) -Wno-null-pointer-subtraction
mod_oauth2as_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-export-symbols-regex '^oauth2as_module$$'
# A module takes its libraries whole, so each may be named once only.
mod_oauth2as_la_LIBADD = $(sort $(OAS_ALL)) $(OAS_LIBS)

# httpd loads the .so by its name; a .la beside it helps nobody.
install-data-hook:
	rm -f '$(DESTDIR)$(apachelibdir)/mod_oauth2as.la'

uninstall-hook:
	rm -f '$(DESTDIR)$(apachelibdir)/mod_oauth2as.so'

# The reference page, from the module's own table.
check_PROGRAMS += docs/directives
docs_directives_SOURCES = docs/directives.c lib/httpd/directives.def
docs_directives_LDADD = $(OAS_ALL) $(OAS_LIBS)
TESTS += test/guard/directives
EXTRA_DIST += docs/directives.md test/guard/directives test/flow/configtest.test.mjs test/flow/12-httpd.test.mjs
.PHONY: docs
docs: docs/directives$(EXEEXT)
	./docs/directives$(EXEEXT) > '$(srcdir)/docs/directives.md'
