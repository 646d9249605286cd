# SPDX-License-Identifier: Apache-2.0
# The ordeal: run by hand and by ./check --full. Its judge is tried by test/flow/84-judge.test.mjs.
EXTRA_DIST += test/fault/run test/fault/bed.mjs test/fault/clients.mjs test/fault/faults.mjs test/fault/ledger.mjs \
	test/fault/log.mjs test/fault/main.mjs test/fault/random.mjs test/fault/wire.mjs test/flow/84-judge.test.mjs docs/failures.md
