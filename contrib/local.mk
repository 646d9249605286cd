# SPDX-License-Identifier: Apache-2.0
# For the monitoring of others (docs/metrics.md).
contribdir = $(pkgdatadir)/contrib
dist_contrib_DATA = contrib/grafana-dashboard.json contrib/prometheus-rules.yml
