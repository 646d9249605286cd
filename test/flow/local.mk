# SPDX-License-Identifier: Apache-2.0
# Flow tests and demo are run by ./check and ./demo, with Node and a browser; here they are distributed.
EXTRA_DIST += test/instance test/lib/memcheck test/lib/postgres test/lib/prepare .ci/run \
	test/flow/package.json test/flow/package-lock.json test/flow/.npmrc \
	test/flow/lib/app.mjs \
	test/flow/lib/assertion.mjs \
	test/flow/lib/certificate.mjs \
	test/flow/lib/chromium.mjs \
	test/flow/lib/http.mjs \
	test/flow/lib/instance.mjs \
	test/flow/lib/keyserver.mjs \
	test/flow/lib/load.mjs \
	test/flow/lib/ldap.mjs \
	test/flow/lib/oauth.mjs \
	test/flow/lib/proxy.mjs \
	test/flow/lib/surfer.mjs \
	test/flow/10-discovery.test.mjs \
	test/flow/12-httpd.test.mjs \
	test/flow/14-audit.test.mjs \
	test/flow/16-purge.test.mjs \
	test/flow/18-certificate.test.mjs \
	test/flow/20-authorize.test.mjs \
	test/flow/21-login.test.mjs \
	test/flow/22-consent.test.mjs \
	test/flow/22-hashes.test.mjs \
	test/flow/23-forms.test.mjs \
	test/flow/23-throttle.test.mjs \
	test/flow/24-stale.test.mjs \
	test/flow/25-overtaken.test.mjs \
	test/flow/26-hints.test.mjs \
	test/flow/27-front-channel.test.mjs \
	test/flow/28-web-message.test.mjs \
	test/flow/29-absent.test.mjs \
	test/flow/30-token.test.mjs \
	test/flow/31-redeem.test.mjs \
	test/flow/32-refresh.test.mjs \
	test/flow/33-recheck.test.mjs \
	test/flow/33-client-auth.test.mjs \
	test/flow/34-client-credentials.test.mjs \
	test/flow/35-password.test.mjs \
	test/flow/36-sdks.test.mjs \
	test/flow/36-client-keys.test.mjs \
	test/flow/37-bound-refresh.test.mjs \
	test/flow/37-client-sdks.test.mjs \
	test/flow/38-client-keys-tls.test.mjs \
	test/flow/39-mutual-tls.test.mjs \
	test/flow/40-userinfo.test.mjs \
	test/flow/41-revoke.test.mjs \
	test/flow/42-introspect.test.mjs \
	test/flow/45-lifecycle.test.mjs \
	test/flow/50-clients.test.mjs \
	test/flow/55-issuers.test.mjs \
	test/flow/60-browser.test.mjs \
	test/flow/61-demo.test.mjs \
	test/flow/62-onward.test.mjs \
	test/flow/65-session.test.mjs \
	test/flow/66-account.test.mjs \
	test/flow/70-bad-input.test.mjs \
	test/flow/80-database.test.mjs \
	test/flow/82-slow.test.mjs \
	test/flow/83-kill.test.mjs \
	test/flow/90-memory.test.mjs \
	test/flow/91-graceful.test.mjs \
	test/flow/configtest.test.mjs \
	test/flow/leaks.mjs \
	demo-app/httpd.conf demo-app/index.html demo-app/app.js demo-app/style.css demo-app/icon.svg \
	demo-app/api/items.json
