// SPDX-License-Identifier: Apache-2.0
// Signing in at another OpenID provider, by mod_auth_openidc: the recipe of docs/login.md, with a second instance of this
// module as the partner.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { startApp } from './lib/app.mjs';
import { freePort, startInstance } from './lib/instance.mjs';
import { newPage, signIn, startChromium } from './lib/chromium.mjs';
import { authorization, authorizeUrl, client, decode, redeem, secretOf } from './lib/oauth.mjs';
import { recipe } from './lib/recipe.mjs';

const silent = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const app = await startApp();
after(() => app.stop());
const uri = `http://localhost:${app.port}/callback`;
const port = await freePort();
const here = `http://localhost:${port}`;
const partner = await startInstance({
  conf: client('login.example.com', { type: 'web', uri: `${here}/login/partner/callback`, extra: silent }),
});
const server = await startInstance({
  args: ['--port', String(port), '--module', 'auth_openidc'],
  prepare(dir) {
    fs.writeFileSync(`${dir}/partner-secret.conf`, `OIDCClientSecret "${secretOf('login.example.com')}"\n`);
    fs.writeFileSync(`${dir}/openidc.secret`, 'what mod_auth_openidc protects its cookies with');
  },
  conf:
    recipe('openid', {
      'https://id.partner.example/': partner.issuer,
      'https://login.example.com': here,
      '/etc/apache2/oauth2as': '${OAS_DIR}',
    }) + client('spa', { uri, extra: silent }),
});
server.announce(/auth_openidc.* SHOULD be "https"/, { maybe: true }); // as it would be, but for the tests
const browser = await startChromium();

async function start(page, overrides = {}) {
  const request = authorization({ redirect_uri: uri, ...overrides });
  await page.goto(authorizeUrl(server, request.params));
  return request;
}

async function claimsOf(page, { params, verifier }) {
  await page.waitForURL(`${uri}?*`);
  const tokens = await redeem(server, { ...app.last(), params, verifier });
  assert.equal(tokens.status, 200, tokens.text);
  return decode(tokens.json.id_token).claims;
}

test('a partner signs its people in, and says who they are and when they did', async () => {
  const page = await newPage(browser);
  const began = Math.floor(Date.now() / 1000);
  const request = await start(page);
  await page.click('button[name=option][value=partner]');
  await page.waitForURL(`${partner.issuer}**`);
  await signIn(page);
  const claims = await claimsOf(page, request);
  assert.equal(claims.iss, server.issuer);
  assert.equal(claims.sub, 'partner|oauth2as|alice');
  assert.equal(claims.email, 'alice@example.test');
  assert.equal(claims.name, 'Alice Example');
  assert.ok(claims.auth_time >= began - 2, 'when the partner authenticated');
  assert.deepEqual(page.problems, []);

  // the partner's session answers now: its time is told, and is not now
  const again = await start(page, { max_age: 1000 });
  assert.equal((await claimsOf(page, again)).auth_time, claims.auth_time);
  await start(page, { prompt: 'login' });
  assert.equal(await page.locator('button[name=option]').count(), 0, 'it cannot authenticate anew');
  await page.done();
});

test('max_age is counted from when the partner authenticated', async () => {
  const page = await newPage(browser);
  const first = await start(page);
  await page.click('button[name=option][value=partner]');
  await page.waitForURL(`${partner.issuer}**`);
  await signIn(page);
  const { auth_time } = await claimsOf(page, first);
  while (Date.now() / 1000 < auth_time + 3) await page.waitForTimeout(200);
  await start(page, { max_age: 2 });
  await page.click('button[name=option][value=partner]');
  await page.waitForURL(`${server.issuer}authorize?*step=resume*`);
  assert.equal(await page.locator('input[name=password]').count(), 1, 'the sign-in page again');
  await page.done();
});
