# SPDX-License-Identifier: Apache-2.0
# Unit tests: one program per room, each with a fragment of its own.
include test/unit/base.mk
include test/unit/jose.mk
include test/unit/store.mk
include test/unit/fetch.mk
include test/unit/reply.mk
include test/unit/login.mk
include test/unit/check.mk
include test/unit/endpoint.mk
include test/fuzz/local.mk
include test/guard/local.mk
include test/race/local.mk
include test/flow/local.mk
include test/fault/local.mk
