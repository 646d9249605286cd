// SPDX-License-Identifier: Apache-2.0
// Two ways to sign in that are one person, by the OAuth2ASSubject that docs/login.md shows: a step-up is no change of person,
// claims stay, and what ends a built-in user ends everything of that person.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { Surfer, formsOf, textOf } from './lib/surfer.mjs';
import { recipe } from './lib/recipe.mjs';
import { assertError, authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem, refresh, userinfo } from './lib/oauth.mjs';

const own = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const server = await startInstance({
  prepare(dir) {
    const hash = spawnSync('openssl', ['passwd', '-apr1', '-stdin'], { input: 'card' }).stdout.toString().trim();
    fs.writeFileSync(`${dir}/people.htpasswd`, ['alice', 'BOB', 'dora'].map((name) => `${name}:${hash}\n`).join(''));
    fs.mkdirSync(`${dir}/left`);
  },
  conf:
    recipe('one-person') +
    `<Location "/login/certificate">
      SetHandler oauth2as-login
      AuthType Basic
      AuthName Card
      AuthUserFile \${OAS_DIR}/people.htpasswd
      Require valid-user
    </Location>
    OAuth2ASSubjectRecheck "! -f '\${OAS_DIR}/left/%{reqenv:OAUTH2AS_PROVIDER}-%{reqenv:OAUTH2AS_NAME}'"
    OAuth2ASAuditLog \${OAS_DIR}/audit.log
` +
    client('own', { extra: own }) +
    client('spa', { extra: own }),
});
const card = (name) => ({ authorization: `Basic ${Buffer.from(`${name}:card`).toString('base64')}` });
const gold = { claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:example:certificate' } } }) };
const accountUrl = server.url('account');
const silent = async (surfer) => callbackOf(await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'none' }).params))).error ?? 'signed in';
const passwordForm = (page) => formsOf(page.text, page.url).find(({ fields }) => 'new_password' in fields);

/** Signs in by the certificate, for an application that wants nothing less. */
async function stepUp(surfer, name) {
  const { params, verifier } = authorization({ client_id: 'own', scope: 'openid email profile', ...gold });
  const page = await surfer.go(authorizeUrl(server, params));
  const sent = await surfer.send(page.form.action, { form: { ...page.form.fields, option: 'certificate' } });
  const end = await surfer.go(sent.location.href, { headers: card(name) });
  if (end.status === 403) return { end };
  const { json } = await redeem(server, { ...callbackOf(end), verifier, params });
  return { end, ...json, claims: decode(json.id_token).claims };
}

/** Signs in with a password, for an application with refresh tokens, and steps up for another one. */
async function both(username, password, certificate) {
  const got = await getCode(server, { client_id: 'spa', scope: 'openid email profile offline_access' }, { username, password });
  const first = (await redeem(server, got)).json;
  const before = (await userinfo(server, first.access_token)).json;
  return { first, before, surfer: got.surfer, second: await stepUp(got.surfer, certificate) };
}

const alice = ['alice', 'correct horse', 'alice'];

test('a step-up keeps sub, sid and claims, of the first application too', async () => {
  const { first, before, second } = await both(...alice);
  const { claims } = decode(first.id_token);
  assert.equal(claims.sub, 'alice');
  assert.equal(second.claims.acr, 'urn:example:certificate');
  for (const name of ['sub', 'sid', 'email', 'name']) assert.equal(second.claims[name], claims[name], name);
  assert.equal(before.email, 'alice@example.test');
  const after = await userinfo(server, first.access_token);
  assert.deepEqual(after.json, before);
  assert.equal((await refresh(server, first.refresh_token, { client_id: 'spa' })).status, 200);
});

test('names in other letters are the same person', async () => {
  const { second, before, surfer } = await both('bob', 'battery staple', 'BOB');
  assert.equal(second.claims.sub, before.sub);
  assert.equal(second.claims.email, 'bob@example.test');
  assert.equal(passwordForm(await surfer.go(accountUrl)).fields.username, 'bob', 'the name that goes with the password');
});

test('OAuth2ASSubjectRecheck is asked by the name that a password provider knows', async () => {
  const { first, second } = await both(...alice);
  assert.ok(second.claims);
  fs.writeFileSync(`${server.dir}/left/certificate-alice`, '');
  const answer = await refresh(server, first.refresh_token, { client_id: 'spa' });
  assert.equal(answer.status, 200, answer.text);
  fs.writeFileSync(`${server.dir}/left/oauth2as-alice`, '');
  assertError(await refresh(server, answer.json.refresh_token, { client_id: 'spa' }), 400, 'invalid_grant');
  for (const name of fs.readdirSync(`${server.dir}/left`)) fs.rmSync(`${server.dir}/left/${name}`);
});

test('whoever came by certificate last still changes the password, which ends all else', async () => {
  const { first, surfer } = await both(...alice);
  const elsewhere = new Surfer(server);
  assert.equal((await stepUp(elsewhere, 'alice')).claims.sub, 'alice');
  const form = passwordForm(await surfer.go(accountUrl));
  assert.ok(form, 'the form is there');
  const fields = { current_password: 'correct horse', new_password: 'a longer secret', new_password_again: 'a longer secret', password: 'change' };
  const done = await surfer.go(form.action, { form: { ...form.fields, ...fields } });
  assert.match(textOf(done.text), /password has been changed/i);
  assert.equal(await silent(surfer), 'signed in');
  assert.equal(await silent(elsewhere), 'login_required');
  assertError(await refresh(server, first.refresh_token, { client_id: 'spa' }), 400, 'invalid_grant');
});

test('user passwd and user lock end what the person has; while it is locked no way leads in', async () => {
  const again = ['alice', 'a longer secret', 'alice'];
  const changed = await both(...again);
  await server.ctl(['user', 'passwd', 'alice'], 'correct horse');
  assert.equal(await silent(changed.surfer), 'login_required');
  assertError(await refresh(server, changed.first.refresh_token, { client_id: 'spa' }), 400, 'invalid_grant');

  const { first, surfer, second } = await both(...alice);
  await server.ctl(['user', 'lock', 'alice']);
  assert.equal(await silent(surfer), 'login_required');
  assertError(await refresh(server, first.refresh_token, { client_id: 'spa' }), 400, 'invalid_grant');
  for (const token of [first.access_token, second.access_token]) assert.equal((await userinfo(server, token)).status, 401);
  const { end } = await stepUp(new Surfer(server), 'alice');
  assert.equal(end.status, 403);
  assert.match(textOf(end.text), /This way of signing in did not work.*Sign in another way/);
  const failures = fs.readFileSync(`${server.dir}/audit.log`, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter(({ event }) => event === 'login_failed');
  assert.equal(failures.at(-1).option, 'certificate');
  assert.equal(failures.at(-1).reason, 'refused');
  await server.ctl(['user', 'unlock', 'alice']);
  assert.equal((await stepUp(new Surfer(server), 'alice')).claims.email, 'alice@example.test');
});

test('somebody who is no user of this server has no password form, and is touched by nothing of this', async () => {
  const surfer = new Surfer(server);
  assert.equal((await stepUp(surfer, 'dora')).claims.sub, 'dora');
  assert.equal(passwordForm(await surfer.go(accountUrl)), undefined);
  assert.deepEqual(await server.sql("SELECT count(*) FROM oas_identities WHERE sub = 'dora'"), [['0']]);
});
