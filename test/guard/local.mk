# SPDX-License-Identifier: Apache-2.0
# Source guards: what would fail silently fails here. test/guard/self-test shows each guard its faults.
GUARDS = test/guard/layers test/guard/sizes test/guard/log-tags test/guard/banned \
	test/guard/spdx test/guard/registered test/guard/texts test/guard/members test/guard/catalogues test/guard/alerts test/guard/self-test
TESTS += $(GUARDS)
EXTRA_DIST += $(GUARDS) test/guard/source.pl test/guard/alerts.yml
