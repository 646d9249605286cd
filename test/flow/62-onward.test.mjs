// SPDX-License-Identifier: Apache-2.0
// Many callbacks show nothing themselves but send the browser on to another origin of the application. Chromium
// applies the policy of our form to that redirect as well.
import test from 'node:test';
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { startInstance } from './lib/instance.mjs';
import { startApp } from './lib/app.mjs';
import { decide, newPage, signIn, startChromium } from './lib/chromium.mjs';
import { authorization, authorizeUrl, client, redeem } from './lib/oauth.mjs';

const home = await startApp();
const app = await startApp({ onward: `${home.origin}/home?from=callback` });
after(() => [home, app].forEach((one) => one.stop()));
const uri = `http://localhost:${app.port}/callback`;
const server = await startInstance({
  conf:
    client('asks', { uri, type: 'native' }) +
    client('own', { uri, type: 'native', extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }),
  args: ['--host', 'as1.localhost'],
});
const browser = await startChromium();

async function start(client_id, response_mode) {
  const page = await newPage(browser);
  const request = authorization({ client_id, response_mode, redirect_uri: uri });
  await page.goto(authorizeUrl(server, request.params));
  return { page, ...request };
}

/** The browser has arrived at the third origin, by way of the callback, which was given a code that is good. */
async function arrives({ page, params, verifier }) {
  await page.waitForURL(`${home.origin}/home?from=callback`);
  assert.equal(await page.textContent('h1'), 'Back at the application');
  const got = app.last();
  assert.equal(got.state, params.state);
  const { status, json } = await redeem(server, { ...got, params, verifier });
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

test('after the login POST', async () => {
  const run = await start('own');
  await signIn(run.page);
  await arrives(run);
});

test('after the consent POST', async () => {
  const run = await start('asks');
  await signIn(run.page);
  await decide(run.page);
  await arrives(run);
});

test('after the POST of form_post', async () => {
  const run = await start('own', 'form_post');
  await signIn(run.page);
  await arrives(run);
});

test('after Deny', async () => {
  const { page } = await start('asks');
  await signIn(page, 'bob', 'battery staple');
  await decide(page, 'deny');
  await page.waitForURL(`${home.origin}/**`);
  assert.equal(app.last().error, 'access_denied');
  await page.context().close();
});
