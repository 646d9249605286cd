# SPDX-License-Identifier: Apache-2.0
# Fuzz targets. Built plainly, each runs over its corpus in `make check`; configured with --enable-fuzzers
# (clang), `make fuzz FUZZ_SECONDS=600` gives each that long to find more. What crashes one becomes a file
# of its corpus.
FUZZ_TARGETS = test/fuzz/fuzz_form test/fuzz/fuzz_json test/fuzz/fuzz_redirect_uri test/fuzz/fuzz_basic \
	test/fuzz/fuzz_jwt
FUZZ_SECONDS = 10
FUZZ_MAIN =

check_PROGRAMS += $(FUZZ_TARGETS)
EXTRA_DIST += test/fuzz/corpus test/fuzz/driver.c test/fuzz/run

if FUZZERS
FUZZ_LINK = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
else
FUZZ_LINK = $(AM_LDFLAGS)
FUZZ_MAIN += test/fuzz/driver.c
TESTS += $(FUZZ_TARGETS)
endif

test_fuzz_fuzz_form_SOURCES = test/fuzz/fuzz_form.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_form_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_form_LDADD = $(OAS_BASE) $(OAS_LIBS)

test_fuzz_fuzz_json_SOURCES = test/fuzz/fuzz_json.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_json_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_json_LDADD = $(OAS_BASE) $(OAS_LIBS)

test_fuzz_fuzz_redirect_uri_SOURCES = test/fuzz/fuzz_redirect_uri.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_redirect_uri_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_redirect_uri_LDADD = $(OAS_BASE) $(OAS_LIBS)

test_fuzz_fuzz_basic_SOURCES = test/fuzz/fuzz_basic.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_basic_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_basic_LDADD = $(OAS_ALL) $(OAS_LIBS)

test_fuzz_fuzz_jwt_SOURCES = test/fuzz/fuzz_jwt.c test/fuzz/fuzz_keys.h test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_jwt_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_jwt_LDADD = $(OAS_JOSE) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_mustache
test_fuzz_fuzz_mustache_SOURCES = test/fuzz/fuzz_mustache.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_mustache_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_mustache_LDADD = $(OAS_REPLY) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_interaction
test_fuzz_fuzz_interaction_SOURCES = test/fuzz/fuzz_interaction.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_interaction_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_interaction_LDADD = $(OAS_LOGIN) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_body
test_fuzz_fuzz_body_SOURCES = test/fuzz/fuzz_body.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_body_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_body_LDADD = $(OAS_ALL) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_handle
test_fuzz_fuzz_handle_SOURCES = test/fuzz/fuzz_handle.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_handle_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_handle_LDADD = $(OAS_BASE) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_introspect
test_fuzz_fuzz_introspect_SOURCES = test/fuzz/fuzz_introspect.c test/fuzz/fuzz_keys.h test/fuzz/fuzz.h \
	test/unit/fake_tx.h $(FUZZ_MAIN)
test_fuzz_fuzz_introspect_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_introspect_LDADD = $(OAS_ALL) $(OAS_LIBS)

# Its clock stands still, and what was used before is its own affair.
FUZZ_TARGETS += test/fuzz/fuzz_assertion
test_fuzz_fuzz_assertion_SOURCES = test/fuzz/fuzz_assertion.c test/fuzz/fuzz_keys.h test/fuzz/fuzz.h \
	test/unit/fake_tx.h $(FUZZ_MAIN)
test_fuzz_fuzz_assertion_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=apr_time_now -Wl,--wrap=oas_store_jti_use
test_fuzz_fuzz_assertion_LDADD = $(OAS_ALL) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_certificate
test_fuzz_fuzz_certificate_SOURCES = test/fuzz/fuzz_certificate.c test/fuzz/fuzz_keys.h test/fuzz/fuzz.h \
	test/unit/fake_tx.h $(FUZZ_MAIN)
test_fuzz_fuzz_certificate_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_certificate_LDADD = $(OAS_ALL) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_device
test_fuzz_fuzz_device_SOURCES = test/fuzz/fuzz_device.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_device_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_device_LDADD = $(OAS_LOGIN) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_fold
test_fuzz_fuzz_fold_SOURCES = test/fuzz/fuzz_fold.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_fold_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_fold_LDADD = $(OAS_LOGIN) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_language
test_fuzz_fuzz_language_SOURCES = test/fuzz/fuzz_language.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_language_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_language_LDADD = $(OAS_REPLY) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_claims
test_fuzz_fuzz_claims_SOURCES = test/fuzz/fuzz_claims.c test/fuzz/fuzz.h test/unit/fake_tx.h $(FUZZ_MAIN)
test_fuzz_fuzz_claims_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_claims_LDADD = $(OAS_ALL) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_trace
test_fuzz_fuzz_trace_SOURCES = test/fuzz/fuzz_trace.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_trace_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_trace_LDADD = $(OAS_BASE) $(OAS_LIBS)

FUZZ_TARGETS += test/fuzz/fuzz_client
test_fuzz_fuzz_client_SOURCES = test/fuzz/fuzz_client.c test/fuzz/fuzz.h $(FUZZ_MAIN)
test_fuzz_fuzz_client_LDFLAGS = $(FUZZ_LINK)
test_fuzz_fuzz_client_LDADD = $(OAS_STORE) $(OAS_LIBS)

fuzz: $(FUZZ_TARGETS)
	@printf '%s\n' $(FUZZ_TARGETS) | \
	  xargs -n 1 -P "$$(nproc)" $(srcdir)/test/fuzz/run $(srcdir)/test/fuzz/corpus $(FUZZ_SECONDS)
.PHONY: fuzz
