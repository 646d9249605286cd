// SPDX-License-Identifier: Apache-2.0
// Forms that stayed open too long, and a node whose clock is wrong: httpd runs by a clock of its own here.
import test from 'node:test';
import assert from 'node:assert/strict';
import { withClock } from './lib/clock.mjs';
import { startInstance } from './lib/instance.mjs';
import { Surfer, textOf, linkOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem, userinfo } from './lib/oauth.mjs';

const [settings, shiftClock] = withClock({
  conf: client('spa') + client('own', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }),
});
const server = await startInstance(settings);
const user = { username: 'alice', password: 'correct horse' };

function open(surfer, overrides) {
  return surfer.go(authorizeUrl(server, authorization(overrides).params));
}

function assertStale(answer) {
  assert.equal(answer.status, 400);
  assert.equal(answer.location, null);
  assert.match(textOf(answer.text), /expired/i);
  assert.match(textOf(answer.text), /invalid_request/);
}

test('a form that stayed open for an hour is refused with a page that says so, and a fresh one works', async () => {
  const login = new Surfer(server);
  const loginPage = await open(login, { state: 'kept' });
  const consent = new Surfer(server);
  const consentPage = await consent.submit(await open(consent), user);
  assert.ok(consentPage.form.buttons.some(({ name }) => name === 'decision'));
  await shiftClock(3600 + 120);
  try {
    const stale = await login.submit(loginPage, user);
    assertStale(stale);
    const staleConsent = await consent.submit(consentPage, { decision: 'allow' });
    assertStale(staleConsent);
    const again = await consent.go(linkOf(staleConsent, 'Try again'));
    assert.ok(again.form.buttons.some(({ name }) => name === 'decision'), 'where it is asked again');
    assert.ok(callbackOf(await login.through(await open(login))).code);
    assert.equal(callbackOf(await login.through(linkOf(stale, 'Try again'))).state, 'kept', 'it leads into the same request');
  } finally {
    await shiftClock(0);
  }
});

test('but that page leads nobody into a request that another browser began', async () => {
  const page = await open(new Surfer(server));
  const other = new Surfer(server);
  await open(other);
  await shiftClock(3600 + 120);
  try {
    const answer = await other.submit(page, user);
    assertStale(answer);
    assert.equal(linkOf(answer, 'Try again'), null);
  } finally {
    await shiftClock(0);
  }
});

test('within the hour it is not', async () => {
  const surfer = new Surfer(server);
  const page = await open(surfer, { client_id: 'own' });
  await shiftClock(3400);
  try {
    assert.ok(callbackOf(await surfer.submit(page, user)).code);
  } finally {
    await shiftClock(0);
  }
});

for (const seconds of [-86_400, 86_400]) {
  test(`the clock of httpd is a day ${seconds < 0 ? 'slow' : 'fast'}: the database's decides`, async () => {
    await shiftClock(seconds);
    try {
      const begun = Date.now() / 1000;
      const answer = await redeem(server, await getCode(server, { client_id: 'own' }));
      assert.equal(answer.status, 200, answer.text);
      const { claims } = decode(answer.json.id_token);
      assert.ok(claims.iat >= begun - 2 && claims.iat <= Date.now() / 1000 + 2, 'tokens carry the time of the database');
      assert.equal((await userinfo(server, answer.json.access_token)).status, 200);
    } finally {
      await shiftClock(0);
    }
  });
}
