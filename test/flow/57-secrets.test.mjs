// SPDX-License-Identifier: Apache-2.0
// A change of OAuth2ASSecret on two nodes, one after the other: whatever was sealed with the old one or derived from it
// lives on, in the middle of the change and behind it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { keysAt } from './lib/keyset.mjs';
import { Surfer } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, getCode, offline, redeem, refresh, userinfo } from './lib/oauth.mjs';

const own = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const server = await startInstance({
  nodes: 2,
  args: ['--keyring', 'alg=RS256'],
  conf: `OAuth2ASThrottle pair=1000 account=4 address=1000\nOAuth2ASRefreshReuseWindow 60s\nOAuth2ASLifetime code 10min\n${client('spa', { extra: own })}${client('asks')}`,
});
const [old, fresh] = ['secret', 'fresh'].map((name) => `${server.dir}/httpd/main/${name}`);
fs.writeFileSync(fresh, randomBytes(32).toString('base64url'), { mode: 0o600 });
const line = (...files) => `OAuth2ASSecret ${files.map((file) => `file:${file}`).join(' ')}`;
const ring = async () => JSON.parse(await server.ctl(['key', 'status', '--output', 'json']));

/** Gives these nodes this list, gracefully. */
async function give(nodes, ...files) {
  for (const node of nodes) {
    const conf = path.join(node.home, 'httpd.conf');
    const before = new Set(await server.children([node]));
    fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8').replace(/OAuth2ASSecret .*/, line(...files)));
    process.kill(node.pid, 'SIGUSR1');
    await until('old processes of the node end', async () => {
      const now = await server.children([node]);
      return now.length > 0 && !now.some((pid) => before.has(pid));
    });
  }
}


/** What is under way with the present secrets, and how each goes on. */
async function begin() {
  const login = new Surfer(server);
  const loginForm = await login.go(authorizeUrl(server, authorization().params));
  const consent = new Surfer(server);
  const consentForm = await consent.submit(await consent.go(authorizeUrl(server, authorization({ client_id: 'asks', scope: 'openid profile', prompt: 'login consent' }).params)), { username: 'alice', password: 'correct horse' });
  assert.ok(consentForm.form, 'a consent page');
  const { surfer } = await getCode(server);
  const logoutForm = await surfer.clone().go(server.url('oidc/logout'));
  assert.ok(logoutForm.form, 'a page that asks whether to sign out');
  const code = await getCode(server, {}, { surfer });
  const home = new Surfer(server);
  await home.through(authorizeUrl(server, authorization().params), { username: 'bob', password: 'battery staple' });
  const family = await offline(server);
  const child = (await refresh(server, family.refresh_token)).json;
  return {
    // first, for it has a minute
    'a refresh token whose answer was lost': async () => assert.equal((await refresh(server, family.refresh_token)).json.refresh_token, child.refresh_token),
    'a login form': async () => assert.ok(callbackOf(await login.through(await login.submit(loginForm, { username: 'alice', password: 'correct horse' }))).code),
    'a consent form': async () => assert.ok(callbackOf(await consent.submit(consentForm, { decision: 'allow' })).code),
    'a session': async () => assert.ok(callbackOf(await surfer.go(authorizeUrl(server, authorization({ prompt: 'none' }).params))).code),
    'a code': async () => assert.equal((await redeem(server, code)).status, 200),
    'an access token': async () => assert.equal((await userinfo(server, child.access_token)).status, 200),
    'a form to sign out': async () => assert.equal((await surfer.submit(logoutForm, { confirm: 'yes' })).status, 200),
    'a known browser': async () => {
      const bob = (who, password) => who.go(authorizeUrl(server, authorization({ prompt: 'login' }).params)).then((page) => who.submit(page, { username: 'bob', password }));
      for (let i = 0; i < 6; i++) await bob(new Surfer(server), 'wrong');
      await server.sql("UPDATE oas_throttle SET waiting_until = waiting_until + interval '9 minutes' WHERE waiting_until IS NOT NULL");
      assert.equal((await bob(new Surfer(server), 'battery staple')).status, 429, 'strangers wait');
      assert.ok(callbackOf(await home.through(await bob(home, 'battery staple'))).code);
      await server.sql('DELETE FROM oas_throttle');
    },
  };
}

async function goesOn(things) {
  for (const [what, go] of Object.entries(things)) await go().catch((error) => assert.fail(`${what}: ${error.message}`));
}

test('each step of the change, and what was under way before it', async (t) => {
  const before = (await ring())[0];
  const published = async (node) => (await keysAt(node.url('.well-known/jwks.json'))).json.keys.map(({ kid }) => kid);

  await t.test('both nodes learn the new one, which is not used yet', async () => {
    const things = await begin();
    await give(server.nodes, old, fresh);
    await goesOn(things);
    assert.equal((await ring())[0].secret, before.secret);
  });

  await t.test('one node uses the new one, the other one still the old one', async () => {
    const things = await begin();
    await give([server.nodes[0]], fresh, old);
    const mixed = await begin();
    await goesOn(things);
    await goesOn(mixed);
    await until('keys are sealed with the new one', async () => (await ring())[0].secret !== before.secret);
    for (const node of server.nodes) assert.deepEqual(await published(node), [before.kid]);
    const version = () => server.sql('SELECT version FROM oas_keys');
    const sealed = await version();
    await sleep(5000); // every other second each node looks
    assert.deepEqual(await version(), sealed, 'the other node leaves it at that');
  });

  await t.test('both use the new one', async () => {
    const things = await begin();
    await give([server.nodes[1]], fresh, old);
    await goesOn(things);
  });

  await t.test('the old one is gone', async () => {
    const things = await begin();
    await give(server.nodes, fresh);
    await goesOn(things);
    const [now] = await ring();
    assert.equal(now.kid, before.kid);
    for (const node of server.nodes) assert.deepEqual(await published(node), [before.kid]);
  });
});

test('a node that lacks the secret of a key says so, and goes on with what it has', async () => {
  const [key] = await ring();
  server.announce(/OAS01070.*sealed with a secret that is not in OAuth2ASSecret here/);
  fs.writeFileSync(`${fresh}.other`, randomBytes(32), { mode: 0o600 });
  const foreign = ['key', 'generate', 'RS256', '--secret-file', `${fresh}.other`, '--output', 'json'];
  await assert.rejects(server.ctl(foreign), /no key of the keyring is sealed with this secret/);
  const made = JSON.parse(await server.ctl([...foreign, '--new-secret']));
  await until('both nodes have seen it', () => server.nodes.every(({ home }) => /OAS01070/.test(fs.readFileSync(path.join(home, 'error.log'), 'utf8'))));
  const opened = JSON.parse(await server.ctl(['key', 'status', '--secret-file', fresh, '--output', 'json'])).filter(({ opens }) => opens);
  assert.deepEqual(opened.map(({ kid }) => kid), [key.kid]);
  const { json } = await redeem(server, await getCode(server));
  assert.equal(JSON.parse(Buffer.from(json.id_token.split('.')[0], 'base64url')).kid, key.kid);
  await server.ctl(['key', 'retire', made.kid]);
  await server.ctl(['key', 'generate', 'RS256', '--secret-file', fresh]);
  await until('they follow again', async () => (await Promise.all(server.nodes.map((node) => keysAt(node.url('.well-known/jwks.json'))))).every(({ json }) => json.keys.length === 2));
});
