// SPDX-License-Identifier: Apache-2.0
// The account page and its sessions in a real browser, without JavaScript: what a person presses, what a browser that is
// closed keeps, and two issuers at one host name, whose cookies go to both.
import test from 'node:test';
import assert from 'node:assert/strict';
import { after } from 'node:test';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, startInstance } from './lib/instance.mjs';
import { startApp } from './lib/app.mjs';
import { decide, newPage, openProfile, signIn, startChromium } from './lib/chromium.mjs';
import { authorization, authorizeUrl, client, redeem, refresh } from './lib/oauth.mjs';
import { request } from './lib/http.mjs';

const app = await startApp();
after(() => app.stop());
const uri = `${app.origin}/callback`;
const server = await startInstance({
  conf: client('spa', { uri, type: 'native', extra: ['OAuth2ASName "The Shop"'] }) + 'OAuth2ASKeepSignedIn on\n',
  args: ['--host', 'as.localhost', '--also', 'as2.localhost'],
});
await server.ctl(['user', 'add', 'carol'], 'paper clip');
const other = await moveToAnotherPort();
const browser = await startChromium();
const silently = { javaScriptEnabled: false };

/** The second issuer gets the host name of the first one and a port of its own. */
async function moveToAnotherPort() {
  const [own, port] = [new URL(server.issuer).port, await freePort()];
  const moved = server.also.replace('as2.', 'as.').replace(`:${own}/`, `:${port}/`);
  server.announce(/OAS00212/, { maybe: true }); // by processes that do not know yet
  await server.sql(`UPDATE also.oas_schema SET issuer = '${moved}'`);
  await server.reload({
    'httpd/httpd.conf': (text) => {
      const [first, second] = text.split(/(?=<VirtualHost[^>]*>\s*ServerName as2)/);
      const there = second.replaceAll('as2.localhost', 'as.localhost').replaceAll(`:${own}`, `:${port}`);
      return `${first.replace(/^Listen 127.*$/m, (line) => `${line}\nListen 127.0.0.1:${port}`)}${there}`;
    },
  });
  return Object.create(server, { issuer: { value: moved } });
}

async function account(page, instance = server) {
  await page.goto(instance.url('account'));
  return page;
}

async function signedIn(name, password, { keep = false, instance = server } = {}) {
  const page = await account(await newPage(browser, silently), instance);
  if (keep) await page.check('input[name=keep]');
  await signIn(page, name, password);
  await page.waitForSelector('text=Where you are signed in');
  return page;
}

const isLogin = async (page) => (await page.locator('input[name=password]').count()) === 1;

test('sessions and applications, by their buttons', async () => {
  const page = await signedIn('alice', 'correct horse');
  const { params, verifier } = authorization({ redirect_uri: uri, scope: 'openid offline_access' });
  await page.goto(authorizeUrl(server, params));
  await decide(page);
  await page.waitForURL(`${app.origin}/**`);
  const tokens = (await redeem(server, { ...app.last(), params, verifier })).json;
  const elsewhere = await signedIn('alice', 'correct horse');
  const third = await signedIn('alice', 'correct horse');

  await account(page);
  assert.match(await page.textContent('main'), /Chrome \(Linux\)/);
  assert.equal(await page.locator('button[name=end_session]').count(), 2);
  await page.locator('button[name=end_session]').last().click();
  await page.waitForSelector('[role=status]');
  assert.match(await page.textContent('[role=status]'), /That sign-in has ended/);
  const ended = [await isLogin(await account(elsewhere)), await isLogin(await account(third))];
  assert.deepEqual(ended.sort(), [false, true], 'one of the two');
  await page.click('button[name=end_others]');
  await page.waitForSelector('text=signed out everywhere else');
  assert.ok((await isLogin(await account(elsewhere))) && (await isLogin(await account(third))));

  assert.match(await page.textContent('main'), /The Shop/);
  await page.click('button[name=withdraw]');
  await page.waitForSelector('text=no longer has access');
  assert.match(await page.textContent('main'), /No application has access/);
  assert.equal((await refresh(server, tokens.refresh_token)).json.error, 'invalid_grant');
  await page.reload();
  assert.ok(!(await isLogin(page)));
  for (const one of [page, elsewhere, third]) {
    assert.deepEqual(one.problems, []);
    await one.done();
  }
});

test('a new password, by the keyboard', async () => {
  const page = await signedIn('carol', 'paper clip');
  await page.focus('input[name=current_password]');
  await page.keyboard.type('not it at all');
  for (let i = 0; i < 2; i++) {
    await page.keyboard.press('Tab');
    await page.keyboard.type('a longer clip');
  }
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  assert.match(await page.textContent('[role=alert]'), /The current password is not right/);
  await page.fill('input[name=current_password]', 'paper clip');
  await page.fill('input[name=new_password]', 'a longer clip');
  await page.fill('input[name=new_password_again]', 'a longer clip');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=Your password has been changed');
  assert.equal(new URL(page.url()).pathname, '/account', 'a page that can be reloaded');
  assert.deepEqual(page.problems, []);
  await page.done();
  await (await signedIn('carol', 'a longer clip')).done();
});

for (const keep of [true, false]) {
  test(`a browser that was closed ${keep ? 'is still signed in when its user wanted that' : 'has forgotten the session'}`, async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oas-profile-'));
    try {
      const page = await account(await openProfile(dir, silently));
      if (keep) await page.check('input[name=keep]');
      await signIn(page);
      await page.waitForSelector('text=Where you are signed in');
      await page.done();
      const again = await account(await openProfile(dir, silently));
      assert.equal(await isLogin(again), !keep);
      await again.done();
    } finally {
      fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    }
  });
}

test('two issuers at one host name: both cookies go to both, and neither disturbs the other', async () => {
  const page = await signedIn('alice', 'correct horse');
  await account(page, other);
  assert.ok(await isLogin(page), 'the session of one is none at the other');
  await signIn(page, 'bob', 'battery staple');
  await page.waitForSelector('text=Where you are signed in');
  const cookies = (await page.context().cookies()).filter(({ value }) => value.length === 22 + 1 + 64);
  assert.equal(new Set(cookies.map(({ name }) => name)).size, 2);
  assert.deepEqual([...new Set(cookies.map(({ domain }) => domain))], ['as.localhost']);
  assert.match(await (await account(page)).textContent('main'), /Alice Example/);
  assert.match(await (await account(page, other)).textContent('main'), /Bob Example/);
  for (const instance of [server, other]) {
    const swapped = cookies.map(({ name }, i) => `${name}=${cookies[1 - i].value}`).join('; ');
    assert.match((await request(instance.url('account'), { headers: { cookie: swapped } })).text, /name="username"/, 'a value under the other name');
  }
  await server.sql(`UPDATE also.oas_sessions SET ended_at = clock_timestamp()`);
  assert.ok(await isLogin(await account(page, other)));
  assert.ok(!(await isLogin(await account(page))));
  assert.deepEqual(page.problems, []);
  await page.done();
});
