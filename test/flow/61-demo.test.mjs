// SPDX-License-Identifier: Apache-2.0
// The demo as ./demo starts it: an application without a library and an API that Debian's mod_oauth2 protects.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startInstance, top } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { decide, newPage, signIn, startChromium } from './lib/chromium.mjs';
import { getCode, redeem } from './lib/oauth.mjs';

const server = await startInstance({
  args: ['--module', 'oauth2', '--keys', 'RS256,ES256', '--conf', path.join(top, 'demo-app/httpd.conf')],
  prepare: (dir) => fs.cpSync(path.join(top, 'demo-app'), path.join(dir, 'demo-app'), { recursive: true }),
});
const browser = await startChromium();
const api = server.url('api/');

async function demoToken(overrides) {
  const got = await getCode(server, { client_id: 'demo', redirect_uri: server.issuer, ...overrides });
  return (await redeem(server, got)).json;
}

test('from the first page to the answer of the API', async () => {
  const page = await newPage(browser);
  await page.goto(server.issuer);
  await page.click('#sign-in');
  await signIn(page);
  await page.waitForSelector('button[name=decision]');
  assert.match(await page.textContent('main'), /Read your list of items/);
  await decide(page);
  await page.waitForSelector('#id-token:not(:empty)');
  assert.equal(page.url(), server.issuer, 'code and state are gone from the address');
  assert.match(await page.textContent('#who'), /oauth2as\|alice/);
  assert.match(await page.textContent('#id-token'), /"aud": "demo"/);
  assert.match(await page.textContent('#access-token'), /"scope": "openid profile email read:items"/);
  await page.click('#call-api');
  await page.waitForSelector('#answer-title:has-text("200")');
  assert.match(await page.textContent('#answer-body'), /Water the plants/);
  await page.click('#call-userinfo');
  await page.waitForSelector('#answer-title:has-text("userinfo: 200")');
  assert.match(await page.textContent('#answer-body'), /alice@example\.test/);
  assert.deepEqual(page.problems, []);
  await page.click('#call-bare');
  await page.waitForSelector('#answer-title:has-text("401")');
  await page.context().close();
});

test('Deny comes back as a plain sentence', async () => {
  const page = await newPage(browser);
  await page.goto(server.issuer);
  await page.click('#sign-in');
  await signIn(page, 'bob', 'battery staple');
  await decide(page, 'deny');
  await page.waitForSelector('#problem:not([hidden])');
  assert.match(await page.textContent('#problem'), /access_denied/);
  await page.context().close();
});

test('an answer that nobody here asked for is refused', async () => {
  const page = await newPage(browser);
  await page.goto(server.url('', { code: 'planted', state: 'planted', iss: server.issuer }));
  await page.waitForSelector('#problem:not([hidden])');
  assert.match(await page.textContent('#problem'), /does not belong/);
  await page.context().close();
});

test('the API takes our token with the right audience and scope only', async () => {
  server.announce(/authz_core:error.*AH01631/); // a valid token for something else
  server.announce(/oauth2:warn.*cjose_jws_verify failed/); // a signature that is none
  const call = async (token) => (await request(`${api}items`, { headers: token ? { authorization: `Bearer ${token}` } : {} })).status;
  const good = await demoToken({ resource: api, scope: 'openid read:items' });
  assert.equal(await call(good.access_token), 200);
  assert.equal(await call(undefined), 401);
  assert.equal(await call(good.id_token), 401, 'an ID token opens nothing');
  const elsewhere = await demoToken({ scope: 'openid' });
  assert.equal(await call(elsewhere.access_token), 401, 'nor does a token for userinfo');
  const [header, claims, signature] = good.access_token.split('.');
  assert.equal(await call(`${header}.${claims}.${signature.slice(0, -6)}AAAAAA`), 401);
});
