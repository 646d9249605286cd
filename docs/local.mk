# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += docs/account.md docs/architecture.md docs/audit.md docs/auth0.md docs/backup.md docs/check-full.md docs/clients.md docs/getting-started.md docs/keys.md \
	docs/lifecycle.md docs/load-balancers.md docs/logout.md docs/login.md docs/metrics.md docs/operations.md docs/performance.md docs/requests.md docs/scale.md docs/security.md docs/tokens.md docs/upgrade.md \
	test/flow/screenshots.mjs \
	docs/images/account-dark.png \
	docs/images/account-light.png \
	docs/images/account-notice-light.png \
	docs/images/account-phone.png \
	docs/images/account-wrong-light.png \
	docs/images/consent-dark.png \
	docs/images/consent-light.png \
	docs/images/consent-logo-light.png \
	docs/images/consent-phone.png \
	docs/images/consent-widened-light.png \
	docs/images/demo-light.png \
	docs/images/error-bare-light.png \
	docs/images/error-foreign-light.png \
	docs/images/error-light.png \
	docs/images/error-refused-light.png \
	docs/images/error-throttled-light.png \
	docs/images/error-unavailable-light.png \
	docs/images/form_post-light.png \
	docs/images/logged_out-declined-light.png \
	docs/images/logged_out-light.png \
	docs/images/login-again-light.png \
	docs/images/login-another-light.png \
	docs/images/login-dark.png \
	docs/images/login-light.png \
	docs/images/login-logo-light.png \
	docs/images/login-options-light.png \
	docs/images/login-phone.png \
	docs/images/login-wrong-light.png \
	docs/images/logout-light.png \
	docs/images/logout_frontchannel-light.png \
	docs/images/performance-cases.svg \
	docs/images/performance-scale.svg \
	docs/images/select_account-light.png \
	docs/images/web_message-light.png
