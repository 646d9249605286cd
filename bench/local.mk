# SPDX-License-Identifier: Apache-2.0
# Load drivers, run by hand; they need what the flow tests need. `make bench` builds what is in C.
EXTRA_LTLIBRARIES = bench/probe/mod_oas_probe.la
bench_probe_mod_oas_probe_la_SOURCES = bench/probe/mod_oas_probe.c \
	bench/probe/crypto.c bench/probe/crypto.h bench/probe/work.c bench/probe/work.h
bench_probe_mod_oas_probe_la_CFLAGS = $(mod_oauth2as_la_CFLAGS)
bench_probe_mod_oas_probe_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere \
	-export-symbols-regex '^oas_probe_module$$'
bench_probe_mod_oas_probe_la_LIBADD = $(APU_LIBS) $(APR_LIBS) $(OPENSSL_LIBS) $(PQ_LIBS)

EXTRA_PROGRAMS = bench/load/load
bench_load_load_SOURCES = bench/load/load.c bench/load/plan.c bench/load/plan.h bench/load/measure.c bench/load/measure.h
bench_load_load_LDADD = $(APR_LIBS)

.PHONY: bench
bench: bench/probe/mod_oas_probe.la bench/load/load$(EXEEXT)

CLEANFILES += bench/probe/mod_oas_probe.la bench/load/load$(EXEEXT) bench/results.json bench/scale.json
EXTRA_DIST += bench/results/run.json bench/results/run-again.json bench/results/scale.json
EXTRA_DIST += bench/README.md bench/login-flood.mjs bench/run bench/scale bench/profile bench/plot \
	bench/lib/cases.mjs bench/lib/fill.mjs bench/lib/instructions.mjs bench/lib/limits.mjs bench/lib/measure.mjs bench/lib/record.mjs \
	bench/lib/profile.mjs bench/lib/report.mjs bench/lib/run.mjs bench/lib/scale.mjs bench/lib/server.mjs
