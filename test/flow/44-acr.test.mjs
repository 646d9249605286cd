// SPDX-License-Identifier: Apache-2.0
// Step-up: acr_values as a wish, essential acr and OAuth2ASRequire acr= as conditions (OpenID Connect Core 5.5.1.1,
// RFC 9470), with ways to sign in that reach silver and gold.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { startInstance, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { Surfer } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, introspect, offline, redeem, refresh, secretOf } from './lib/oauth.mjs';

const option = (id) => `<Location "/login/${id}">
  SetHandler oauth2as-login
  AuthType Basic
  AuthName ${id}
  AuthUserFile \${OAS_DIR}/people.htpasswd
  Require valid-user
</Location>
`;
const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const server = await startInstance({
  prepare(dir) {
    const hash = spawnSync('openssl', ['passwd', '-apr1', '-stdin'], { input: 'card' }).stdout.toString().trim();
    fs.writeFileSync(`${dir}/people.htpasswd`, `carol:${hash}\n`);
  },
  conf:
    'OAuth2ASProfile auth0\n' +
    'OAuth2ASLoginOption password acr=bronze\n' +
    'OAuth2ASLoginOption card "Card" /login/card acr=silver reauth=can\n' +
    'OAuth2ASLoginOption key "Key" /login/key acr=gold amr=hwk reauth=can\n' +
    'OAuth2ASLoginOption old "Desk" /login/old acr=lead\n' +
    ['card', 'key', 'old'].map(option).join('') +
    client('own', { extra: skip }) +
    client('web', { type: 'web', extra: [...skip, 'OAuth2ASClientAuth client_secret_post'] }) +
    client('strict', { extra: [...skip, 'OAuth2ASRequire acr=gold acr=silver'] }),
});
const card = { authorization: `Basic ${Buffer.from('carol:card').toString('base64')}` };
const alice = { username: 'alice', password: 'correct horse' };
const values = (acr, wish = {}) => ({ claims: JSON.stringify({ id_token: { acr: { ...wish, values: acr } } }) });
const essential = (...acr) => values(acr, { essential: true });
const ask = (surfer, overrides) => surfer.go(authorizeUrl(server, authorization({ client_id: 'own', ...overrides }).params));

/** What the login page offers, in its order; null when the answer is another one. */
function offered(page) {
  if (!page.form) return null;
  const options = page.form.buttons.filter(({ name }) => name === 'option').map(({ value }) => value);
  return 'password' in page.form.fields ? ['password', ...options] : options;
}

/** Signs in on a login page, and goes on. */
async function choose(surfer, page, how) {
  if (how === 'password') return surfer.submit(page, alice);
  const sent = await surfer.send(page.form.action, { form: { ...page.form.fields, option: how } });
  return surfer.go(sent.location.href, { headers: card });
}

/** A browser that has signed in, and the claims of its ID token. */
async function signedIn(how, overrides = {}, surfer = new Surfer(server)) {
  const { params, verifier } = authorization({ client_id: 'own', ...overrides });
  const page = await surfer.go(authorizeUrl(server, params));
  const back = callbackOf(how === null ? page : await choose(surfer, page, how));
  assert.ok(back.code, back.error);
  const { json } = await redeem(server, { ...back, verifier, params });
  return { surfer, ...json, claims: decode(json.id_token).claims };
}

test('tokens and introspection say the acr, and so does every refresh', async () => {
  const { claims, access_token } = await signedIn('key');
  assert.equal(claims.acr, 'gold');
  assert.deepEqual(claims.amr, ['hwk']);
  assert.equal(decode(access_token).claims.acr, 'gold');
  const got = await offline(server, { client_id: 'web' }, { client_secret: secretOf('web') });
  assert.equal(decode(got.id_token).claims.acr, 'bronze');
  assert.equal((await introspect(server, { token: got.access_token, client_id: 'web', client_secret: secretOf('web') })).json.acr, 'bronze');
  const { json } = await refresh(server, got.refresh_token, { client_id: 'web', client_secret: secretOf('web') });
  assert.equal(decode(json.id_token).claims.acr, 'bronze');
  assert.equal(decode(json.access_token).claims.acr, 'bronze');
});

test('a wish: the preferred way comes first, and what the user takes is good', async () => {
  const page = await ask(new Surfer(server), { acr_values: 'gold silver' });
  assert.deepEqual(offered(page).filter((id) => id !== 'password').slice(0, 2), ['key', 'card']);
  assert.ok(offered(page).includes('password'), 'it is only a wish');
  const { surfer, claims } = await signedIn('password', { acr_values: 'gold' });
  assert.equal(claims.acr, 'bronze');
  assert.equal((await signedIn(null, { acr_values: 'gold', prompt: 'none' }, surfer)).claims.acr, 'bronze', 'prompt=none: as it is');
  assert.equal((await signedIn(null, { acr_values: 'platinum' }, surfer)).claims.acr, 'bronze', 'nobody can: as it is');
  assert.ok(offered(await ask(surfer, { acr_values: 'gold' })).includes('key'), 'a weaker session is asked to step up');
  assert.equal((await signedIn('key', { acr_values: 'gold' }, surfer)).claims.acr, 'gold');
  assert.equal((await signedIn(null, { acr_values: 'silver gold' }, surfer)).claims.acr, 'gold', 'one of them is reached');
  assert.ok(offered(await ask(surfer, values(['silver']))).includes('card'), 'a wish by claims, too');
});

test('essential: only what reaches it is offered, and a weaker session leads there', async () => {
  const { surfer } = await signedIn('password');
  const page = await ask(surfer, essential('silver', 'gold'));
  assert.deepEqual(offered(page), ['card', 'key']);
  assert.equal((await signedIn('card', essential('silver', 'gold'), surfer)).claims.acr, 'silver');
  assert.equal((await signedIn(null, essential('gold', 'silver'), surfer)).claims.acr, 'silver', 'reached already');
  assert.deepEqual(offered(await ask(surfer, essential('gold'))), ['key']);
  const forged = await surfer.submit(await ask(surfer, essential('gold')), alice);
  assert.deepEqual(offered(forged), ['key'], 'a password sent to that page does not count');
});

test('essential: what cannot be is told', async () => {
  const surfer = new Surfer(server);
  assert.equal(callbackOf(await ask(surfer, essential('platinum'))).error, 'unmet_authentication_requirements');
  assert.equal(callbackOf(await ask(surfer, { ...essential('platinum'), prompt: 'none' })).error, 'unmet_authentication_requirements');
  assert.equal(callbackOf(await ask(surfer, { ...essential('lead'), prompt: 'login' })).error, 'unmet_authentication_requirements', 'it cannot authenticate anew');
  await signedIn('password', {}, surfer);
  assert.equal(callbackOf(await ask(surfer, { ...essential('gold'), prompt: 'none' })).error, 'login_required', 'without prompt=none it could be');
  assert.ok(callbackOf(await ask(surfer, { ...essential('bronze'), prompt: 'none' })).code);
});

test('OAuth2ASRequire acr= holds for each request of the client', async () => {
  const { surfer } = await signedIn('password');
  const strict = { client_id: 'strict' };
  assert.deepEqual(offered(await ask(surfer, strict)), ['key', 'card']);
  assert.deepEqual(offered(await ask(surfer, { ...strict, acr_values: 'bronze silver' })), ['card', 'key']);
  assert.equal(callbackOf(await ask(surfer, { ...strict, prompt: 'none' })).error, 'login_required');
  assert.equal(callbackOf(await ask(surfer, { ...strict, ...essential('bronze') })).error, 'unmet_authentication_requirements');
  const { params, verifier } = authorization(strict);
  const back = callbackOf(await choose(surfer, await surfer.go(authorizeUrl(server, params)), 'card'));
  const { json } = await redeem(server, { ...back, verifier, params });
  assert.equal(decode(json.access_token).claims.acr, 'silver');
  const read = () => server.sql("SELECT metadata->>'required_acr' FROM oas_clients WHERE client_id = 'strict'");
  await until('the client is in the database', async () => (await read()).length > 0);
  const stored = await read();
  assert.deepEqual(JSON.parse(stored[0][0]), ['gold', 'silver']);
});

test('max_age and prompt=login with a way whose age nobody knows', async () => {
  const { surfer, claims } = await signedIn('old');
  assert.equal(claims.acr, 'lead');
  assert.equal(claims.auth_time, undefined);
  assert.equal(callbackOf(await ask(surfer, { max_age: '999999999', prompt: 'none' })).error, 'login_required');
  for (const overrides of [{ max_age: '3600' }, { prompt: 'login' }]) {
    assert.deepEqual(offered(await ask(surfer, overrides)), ['password', 'card', 'key'], JSON.stringify(overrides));
  }
});

test('the metadata names what can be reached', async () => {
  const { json } = await request(server.url('.well-known/openid-configuration'));
  assert.deepEqual([...json.acr_values_supported].sort(), ['bronze', 'gold', 'lead', 'silver']);
});
