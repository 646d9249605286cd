// SPDX-License-Identifier: Apache-2.0
// Profile auth0: APIs of Auth0's that are not here say so in JSON, which a page can read too; where something else is, or
// in the other profile, nothing is taken from httpd.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { assertError, client } from './lib/oauth.mjs';

const server = await startInstance({
  prepare(dir) {
    for (const name of ['docs/passkey', 'alias']) fs.mkdirSync(`${dir}/${name}`, { recursive: true });
    for (const name of ['docs/passkey/here', 'docs/index.html', 'alias/here']) fs.writeFileSync(`${dir}/${name}`, 'a file');
  },
  conf: `
    OAuth2ASProfile auth0
    OAuth2ASEndpoint userinfo /me/info
    DocumentRoot \${OAS_DIR}/docs
    Alias /dbconnections \${OAS_DIR}/alias
    <Location "/passwordless/status">
        SetHandler server-status
    </Location>
    <Location "/mfa/closed">
        Require all denied
    </Location>
    ${client('spa')}`,
});
const strict = await startInstance({ conf: client('spa') });
const paths = ['mfa/authenticators', 'mfa/challenge', 'mfa/associate', 'passwordless/start', 'oauth/par', 'bc-authorize', 'oauth/device/code', 'api/v2/users/x', 'oidc/register', 'anonymous/token', 'me/v1/authentication-methods'];
const origin = 'https://app.example.test';

for (const where of paths) {
  test(`/${where}`, async () => {
    for (const how of [{}, { method: 'DELETE' }, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } }, { form: { client_id: 'spa' } }]) {
      const answer = await request(server.url(where), { ...how, headers: { ...how.headers, origin } });
      assertError(answer, 404, 'not_found');
      assert.equal(answer.headers['access-control-allow-origin'], origin);
      assert.match(answer.headers.vary, /Origin/);
    }
    const foreign = await request(server.url(where), { headers: { origin: 'https://foreign.example' } });
    assertError(foreign, 404, 'not_found');
    assert.equal(foreign.headers['access-control-allow-origin'], undefined);
    const head = await request(server.url(where), { method: 'HEAD' });
    assert.equal(head.status, 404);
    assert.equal(head.body.length, 0);
    const preflight = await request(server.url(where), { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], origin);
    assert.match(preflight.headers['access-control-allow-headers'], /Authorization/);
    assert.doesNotMatch((await request(strict.url(where))).headers['content-type'], /json/);
  });
}

test('what is something else, or nothing of the kind, is left to httpd', async () => {
  for (const where of ['passkey/here', 'dbconnections/here']) {
    const answer = await request(server.url(where));
    assert.equal(answer.status + answer.text, '200a file', where);
  }
  assert.match((await request(server.url('passwordless/status?auto'))).text, /BusyWorkers|ServerUptime/);
  assert.equal((await request(server.url('me/info'))).status, 401);
  for (const where of ['mfa', 'mfax/y', 'api/v3/users', 'oauth/par/x', 'passkey/nothing', 'x/mfa/challenge', 'dbconnections/signup', 'nothing']) {
    const answer = await request(server.url(where));
    assert.equal(answer.status, 404, where);
    assert.doesNotMatch(answer.headers['content-type'], /json/, where);
  }
  server.announce(/AH01630/);
  assert.equal((await request(server.url('mfa/closed'))).status, 403);
});
