// SPDX-License-Identifier: Apache-2.0
// In Chromium: each prompt, max_age, a step-up and claims asked for by themselves, one after the other in one browser.
import test from 'node:test';
import assert from 'node:assert/strict';
import { after } from 'node:test';
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { startApp } from './lib/app.mjs';
import { decide, newPage, signIn, startChromium } from './lib/chromium.mjs';
import { authorization, authorizeUrl, client, decode, redeem } from './lib/oauth.mjs';

const pages = { '/join': '<!DOCTYPE html><title>Join</title><a id="back">Back</a><script>back.href = new URLSearchParams(location.search).get("return_to")</script>' };
const app = await startApp({ pages });
after(() => app.stop());
const uri = `${app.origin}/callback`;
const server = await startInstance({
  prepare(dir) {
    const hash = spawnSync('openssl', ['passwd', '-apr1', '-stdin'], { input: 'card' }).stdout.toString().trim();
    fs.writeFileSync(`${dir}/people.htpasswd`, `alice:${hash}\n`);
  },
  conf: `OAuth2ASHelpLink signup ${app.origin}/join
OAuth2ASLoginOption card "Smart card" /login/card acr=urn:example:gold reauth=can
<Location "/login/card">
  SetHandler oauth2as-login
  AuthType Basic
  AuthName card
  AuthUserFile \${OAS_DIR}/people.htpasswd
  Require valid-user
</Location>
${client('asks', { uri })}${client('own', { uri, extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] })}`,
  args: ['--host', 'as1.localhost'],
});
const browser = await startChromium();
const page = await newPage(browser, { httpCredentials: { username: 'alice', password: 'card', send: 'unauthorized' } });

/** Opens the page of a request. */
async function open(overrides) {
  const run = authorization({ client_id: 'own', redirect_uri: uri, ...overrides });
  run.calls = app.calls.length;
  await page.goto(authorizeUrl(server, run.params));
  return run;
}

/** The browser is back at the application: the claims of the ID token that its code gives, or the error. */
async function back({ params, verifier, calls }) {
  await page.waitForURL(`${uri}?**`);
  assert.equal(app.calls.length, calls + 1);
  const got = app.last();
  assert.equal(got.state, params.state);
  if (got.error) return got.error;
  const { json } = await redeem(server, { ...got, params, verifier });
  return decode(json.id_token).claims;
}

const shows = async (selector) => (await page.waitForSelector(selector)) !== null;
let first;

test('prompt=none answers without a page', async () => {
  assert.equal(await back(await open({ prompt: 'none' })), 'login_required');
  const run = await open({});
  await signIn(page);
  first = await back(run);
  assert.equal((await back(await open({ prompt: 'none' }))).auth_time, first.auth_time);
});

test('prompt=login and max_age=0 ask for the password again', async () => {
  for (const overrides of [{ prompt: 'login' }, { max_age: '0' }]) {
    const run = await open(overrides);
    assert.ok(await shows('input[name=password]'));
    await signIn(page);
    const claims = await back(run);
    assert.equal(claims.sub, first.sub);
    assert.ok(claims.auth_time >= first.auth_time);
  }
  assert.ok((await back(await open({ max_age: '10000' }))).auth_time);
});

test('prompt=select_account: the same one, then another one', async () => {
  const same = await open({ prompt: 'select_account' });
  await decide(page, 'continue');
  assert.equal((await back(same)).sub, first.sub);
  const other = await open({ prompt: 'select_account' });
  await decide(page, 'other');
  await signIn(page, 'bob', 'battery staple');
  assert.equal((await back(other)).sub, 'oauth2as|bob');
});

test('prompt=consent asks again, for single claims in words', async () => {
  for (const prompt of ['select_account', 'consent']) {
    const run = await open({ client_id: 'asks', scope: 'openid', prompt, claims: '{"id_token":{"email":null}}' });
    if (prompt === 'select_account') await decide(page, 'continue');
    await page.getByText('See your email address').waitFor();
    await decide(page);
    assert.equal((await back(run)).email, 'bob@example.test');
  }
});

test('prompt=create: to the registration page and back into the request', async () => {
  const run = await open({ prompt: 'create' });
  await page.waitForURL(`${app.origin}/join?**`);
  await page.click('#back');
  await signIn(page);
  assert.equal((await back(run)).sub, 'oauth2as|alice');
});

test('step-up: a wish shows all ways, a condition only those that reach it', async () => {
  await open({ acr_values: 'urn:example:gold' });
  assert.ok(await shows('input[name=password]'));
  const run = await open({ claims: '{"id_token":{"acr":{"essential":true,"value":"urn:example:gold"}}}' });
  assert.ok(await shows('button[name=option][value=card]'));
  assert.equal(await page.locator('input[name=password]').count(), 0);
  await page.click('button[name=option][value=card]');
  const claims = await back(run);
  assert.equal(claims.acr, 'urn:example:gold');
  assert.equal(claims.sub, 'card|alice');
  assert.equal(await back(await open({ claims: '{"id_token":{"acr":{"essential":true,"value":"iron"}}}' })), 'unmet_authentication_requirements');
  assert.deepEqual(page.problems.filter((text) => !/401/.test(text)), [], 'but for the question of Basic authentication');
});
