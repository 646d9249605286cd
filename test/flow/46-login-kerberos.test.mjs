// SPDX-License-Identifier: Apache-2.0
// Signing in with a Kerberos ticket, through mod_auth_gssapi and a private KDC: the recipe of docs/login.md.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startApp } from './lib/app.mjs';
import { startInstance } from './lib/instance.mjs';
import { newPage, openProfile, signIn, startChromium } from './lib/chromium.mjs';
import { realm, startRealm } from './lib/kerberos.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, redeem } from './lib/oauth.mjs';
import { recipe } from './lib/recipe.mjs';
import { Surfer } from './lib/surfer.mjs';

const app = await startApp();
after(() => app.stop());
const uri = `http://localhost:${app.port}/callback`;
const kerberos = await startRealm([{ name: 'carol', password: 'sesame' }]);
const server = await startInstance({
  args: ['--module', 'auth_gssapi'],
  env: () => ({ KRB5_CONFIG: kerberos.conf, KRB5RCACHETYPE: 'none' }),
  conf: recipe('kerberos', { '/etc/apache2/oauth2as/http.keytab': kerberos.keytab }) + client('spa', { uri, extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }),
});

/** What curl gets at an option's Location, as a browser of the realm would: it shows a ticket. */
async function negotiate(surfer, where, ticket) {
  const head = execFileSync('curl', ['-s', '--noproxy', '*', '-D', '-', '-o', '/dev/null', '--negotiate', '-u', ':', '-b', surfer.cookiesFor(where), where], {
    env: { ...process.env, KRB5_CONFIG: kerberos.conf, KRB5CCNAME: ticket },
  }).toString();
  const last = head.trim().split(/\r\n\r\n/).at(-1);
  surfer.keep({ url: new URL(where), cookies: [...last.matchAll(/^set-cookie: (.*?)\r?$/gim)].map(([, line]) => line) });
  return { status: Number(last.match(/^HTTP\S+ (\d+)/)[1]), location: last.match(/^location: (.*?)\r?$/im)?.[1], head };
}

async function start(overrides = {}) {
  const surfer = new Surfer(server);
  const { verifier, params } = authorization({ redirect_uri: uri, ...overrides });
  const page = await surfer.go(authorizeUrl(server, params));
  return { surfer, page, verifier, params };
}

test('whoever has a ticket is signed in without typing anything', async () => {
  const login = await start();
  const { location } = await login.surfer.send(login.page.form.action, { form: { ...login.page.form.fields, option: 'kerberos' } });
  const back = await negotiate(login.surfer, location.href, kerberos.ticket('carol', 'sesame'));
  assert.equal(back.status, 302, back.head);
  const end = await login.surfer.go(back.location);
  const { claims } = decode((await redeem(server, { ...callbackOf(end), ...login })).json.id_token);
  assert.equal(claims.sub, `kerberos|carol@${realm}`);
  assert.deepEqual(claims.amr, ['wia']);
  assert.equal(claims.auth_time, undefined, 'a ticket says nothing of when its password was typed');
});

test('a ticket of nobody, or for another service, signs nobody in', async () => {
  const login = await start();
  const { location } = await login.surfer.send(login.page.form.action, { form: { ...login.page.form.fields, option: 'kerberos' } });
  const answer = await negotiate(login.surfer, location.href, '/nonexistent');
  assert.equal(answer.status, 401);
  assert.match(answer.head, /^www-authenticate: Negotiate\r?$/im, 'so that browsers go on negotiating');
  server.announce(/GSS ERROR|gss_accept_sec_context|auth_gssapi/);
  const invented = await login.surfer.send(location.href, { headers: { authorization: `Negotiate ${Buffer.from('no token').toString('base64')}` } });
  assert.equal(invented.status, 401);
  assert.match(invented.text, /did not work/);
  assert.deepEqual(invented.cookies, []);
});

test('a browser of the realm: one click, and nothing to type', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oas-profile-'));
  after(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  // a profile that stays: in a private window Chromium shows no ticket unasked
  const atOption = async () => {
    const page = await openProfile(dir, {
      args: ['--auth-server-allowlist=localhost'],
      env: { ...process.env, KRB5_CONFIG: kerberos.conf, KRB5CCNAME: kerberos.ticket('carol', 'sesame') },
    });
    const { verifier, params } = authorization({ redirect_uri: uri });
    await page.goto(authorizeUrl(server, params));
    await page.click('button[name=option][value=kerberos]');
    return { page, verifier, params };
  };
  // on Linux it loads the Kerberos library only when started after it has met Negotiate for the first time; that it
  // has is noted by a process of its own, maybe not before the first one is closed
  let opened = await atOption();
  for (let starts = 1; starts < 4; starts++) {
    await opened.page.waitForURL((url) => /login\/kerberos/.test(url.href) || url.href.startsWith(uri));
    if (opened.page.url().startsWith(uri)) break;
    await opened.page.done();
    opened = await atOption();
  }
  const { page, ...request } = opened;
  await page.waitForURL(`${uri}*`);
  const { claims } = decode((await redeem(server, { ...app.last(), ...request })).json.id_token);
  assert.equal(claims.sub, `kerberos|carol@${realm}`);
  await page.done();
});

test('a browser without one is told, and signs in with a password instead', async () => {
  const page = await newPage(await startChromium());
  await page.goto(authorizeUrl(server, authorization({ redirect_uri: uri }).params));
  await page.click('button[name=option][value=kerberos]');
  await page.waitForURL(/login\/kerberos/);
  assert.equal(await page.textContent('h1'), 'This way of signing in did not work');
  await page.click('text=Sign in another way');
  await signIn(page);
  await page.waitForURL(`${uri}*`);
  assert.ok(new URL(page.url()).searchParams.get('code'));
  await page.done();
});

test('prompt=login does not offer it', async () => {
  const { page } = await start({ prompt: 'login' });
  assert.deepEqual(page.form.buttons.filter(({ name }) => name === 'option'), []);
});
