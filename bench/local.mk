# SPDX-License-Identifier: Apache-2.0
# Load drivers, run by hand; they need what the flow tests need.
EXTRA_DIST += bench/README.md bench/login-flood.mjs
