# SPDX-License-Identifier: Apache-2.0
# The ordeal: run by hand, by ./check --full, and a short one by test/flow/84-faults.test.mjs.
EXTRA_DIST += test/fault/run test/fault/bed.mjs test/fault/clients.mjs test/fault/faults.mjs test/fault/ledger.mjs \
	test/fault/main.mjs test/fault/random.mjs test/fault/wire.mjs test/flow/84-faults.test.mjs docs/failures.md
