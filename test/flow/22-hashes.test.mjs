// SPDX-License-Identifier: Apache-2.0
// Hashes of the built-in users: a higher cost reaches everybody at their next sign-in, and nobody notices.
import test, { beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { Surfer } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, getCode, offline, refresh } from './lib/oauth.mjs';

const server = await startInstance({
  conf: `${client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] })}OAuth2ASPasswordCost 6\nOAuth2ASThrottle pair=1000 account=1000 address=1000\n`,
});
const [[original]] = await server.sql("SELECT password_hash FROM oas_users WHERE name = 'alice'");
const hashOf = async () => (await server.sql("SELECT password_hash FROM oas_users WHERE name = 'alice'"))[0][0];
const put = (hash) => server.sql(`UPDATE oas_users SET password_hash = '${hash}' WHERE name = 'alice'`);

beforeEach(() => put(original));

async function attempt(password) {
  const surfer = new Surfer(server);
  const page = await surfer.go(authorizeUrl(server, authorization().params));
  return surfer.submit(page, { username: 'alice', password });
}

test('a sign-in makes the hash anew at the higher cost, once', async () => {
  assert.match(original, /^\$y\$j9T\$/);
  assert.ok((await getCode(server)).code);
  const upgraded = await hashOf();
  assert.match(upgraded, /^\$y\$jAT\$/);
  assert.ok((await getCode(server)).code, 'the password is the same');
  assert.equal(await hashOf(), upgraded);
});

test('it ends neither sessions nor refresh tokens', async () => {
  const before = await offline(server);
  await put(original);
  assert.ok((await getCode(server)).code);
  assert.notEqual(await hashOf(), original);
  const answer = await before.got.surfer.send(authorizeUrl(server, authorization({ prompt: 'none' }).params));
  assert.ok(callbackOf(answer).code);
  assert.equal((await refresh(server, before.refresh_token)).status, 200);
});

test('a wrong password changes nothing', async () => {
  assert.equal((await attempt('wrong')).status, 200);
  assert.equal(await hashOf(), original);
});

test('sign-ins at the same time all succeed', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => attempt('correct horse')));
  for (const answer of answers) assert.ok(callbackOf(answer).code);
  assert.match(await hashOf(), /^\$y\$jAT\$/);
});

test('a hash of another method is made anew, a stronger one stays', async () => {
  await put(execFileSync('openssl', ['passwd', '-6', 'correct horse'], { encoding: 'utf8' }).trim());
  assert.ok((await getCode(server)).code);
  assert.match(await hashOf(), /^\$y\$jAT\$/);
  await server.reload({ 'test.conf': (text) => text.replace('OAuth2ASPasswordCost 6', 'OAuth2ASPasswordCost 3') });
  assert.ok((await getCode(server)).code);
  assert.match(await hashOf(), /^\$y\$jAT\$/);
});
