# SPDX-License-Identifier: Apache-2.0
schemadir = $(pkgdatadir)/schema
dist_schema_DATA = schema/001-base.sql schema/002-refresh.sql schema/002-upkeep.sql \
	schema/003-login.sql schema/003-upkeep.sql \
	schema/004-base.sql schema/004-failures.sql schema/004-keys.sql schema/004-lists.sql schema/004-operations.sql \
	schema/004-partitions.sql schema/004-subjects.sql schema/004-throttle.sql schema/004-transitions.sql schema/004-upkeep.sql
EXTRA_DIST += docs/database.md
