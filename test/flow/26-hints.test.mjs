// SPDX-License-Identifier: Apache-2.0
// What a request says beside the protocol's core: id_token_hint, max_age=0, HEAD, fields that are not ours, odd headers.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem, userinfo } from './lib/oauth.mjs';

const own = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const server = await startInstance({
  conf: 'OAuth2ASHelpLink signup /join?a=b#c\n' + client('own', { extra: own }) + 'OAuth2ASClaim groups "staff" scope=groups in=id_token\nOAuth2ASClaim nickname "Al" in=userinfo\n',
});
const bob = { username: 'bob', password: 'battery staple' };
const ask = (surfer, overrides) => surfer.go(authorizeUrl(server, authorization({ client_id: 'own', ...overrides }).params));

async function signedIn(overrides = {}) {
  const got = await getCode(server, { client_id: 'own', ...overrides });
  const { json } = await redeem(server, got);
  return { ...got, json };
}

test('id_token_hint: the same user goes on silently, another one does not', async () => {
  const alice = await signedIn();
  const hint = alice.json.id_token;
  assert.ok(callbackOf(await ask(alice.surfer, { prompt: 'none', id_token_hint: hint })).code);
  const other = new Surfer(server);
  await other.submit(await ask(other, {}), bob);
  assert.ok(callbackOf(await ask(other, { prompt: 'none' })).code, 'bob is signed in');
  assert.equal(callbackOf(await ask(other, { prompt: 'none', id_token_hint: hint })).error, 'login_required');
  const page = await ask(other, { id_token_hint: hint });
  assert.equal(page.status, 200, 'with a page, somebody may sign in');
  assert.match(textOf(page.text), /Signed in as .?Bob Example.? The application expects another account\./);
  assert.doesNotMatch(textOf(page.text), /again/, 'bob is not asked to');
  assert.equal(page.form.fields.username, '');
  assert.equal(callbackOf(await other.submit(page, bob)).error, 'login_required', 'but it must be alice');
});

test('id_token_hint that is none of ours names nobody', async () => {
  const alice = await signedIn();
  for (const hint of ['garbage', alice.json.access_token, `${alice.json.id_token.slice(0, -8)}AAAAAAAA`]) {
    assert.equal(callbackOf(await ask(alice.surfer, { prompt: 'none', id_token_hint: hint })).error, 'login_required');
  }
});

test('max_age=0 asks for a login each time', async () => {
  const { surfer } = await signedIn();
  assert.equal(callbackOf(await ask(surfer, { prompt: 'none', max_age: '0' })).error, 'login_required');
  const page = await ask(surfer, { max_age: '0' });
  assert.equal(page.status, 200);
  assert.ok(callbackOf(await surfer.submit(page, { username: 'alice', password: 'correct horse' })).code);
});

test('a registration page on this host is reached by its whole address, which the issuer gives', async () => {
  const surfer = new Surfer(server);
  const { location } = await surfer.send(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'create' }).params), { headers: { host: 'evil.example.test' } });
  assert.ok(location.href.startsWith(server.url('join?a=b&return_to=')), location.href);
  assert.equal(location.hash, '#c');
  assert.ok(location.searchParams.get('return_to').startsWith(server.url('authorize?')));
});

test('HEAD makes no code', async () => {
  const { surfer } = await signedIn();
  const url = authorizeUrl(server, authorization({ client_id: 'own' }).params);
  const cookie = [...surfer.jar.get(new URL(server.issuer).origin)].map(([name, value]) => `${name}=${value}`).join('; ');
  const answer = await request(url, { method: 'HEAD', headers: { cookie } });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.location, undefined);
  assert.equal((await request(server.url('.well-known/jwks.json'), { method: 'HEAD' })).status, 200);
});

test('a request that was posted without our cookie re-enters with its own parameters only', async () => {
  const { params } = authorization({ client_id: 'own', password: 'secret', client_secret: 'secret', access_token: 'secret' });
  const answer = await request(server.url('authorize'), { form: params });
  assert.equal(answer.status, 303);
  assert.doesNotMatch(answer.headers.location, /secret|password|access_token/);
  assert.match(answer.headers.location, /client_id=own/);
});

test('a User-Agent that is not UTF-8, or endless, keeps nobody out', async () => {
  for (const agent of ['caf\xe9', 'x'.repeat(4000), `${'x'.repeat(511)}\u00e9`]) {
    const surfer = new Surfer(server, { headers: { 'user-agent': agent } });
    const page = await ask(surfer, {});
    assert.ok(callbackOf(await surfer.submit(page, { username: 'alice', password: 'correct horse' })).code, agent.slice(0, 20));
  }
});

test('one claim more leaves the standard claims as they are', async () => {
  const { json } = await signedIn({ scope: 'openid profile email' });
  const { claims } = decode(json.id_token);
  assert.equal(claims.name, 'Alice Example');
  assert.equal(claims.email, 'alice@example.test');
  assert.equal(claims.email_verified, true);
  assert.equal(claims.nickname, undefined, 'in=userinfo');
  assert.equal(claims.groups, undefined, 'its scope was not asked for');
  assert.equal((await userinfo(server, json.access_token)).json.nickname, 'Al');
});

test('resource at the token endpoint must be the one the code is for', async () => {
  const api = 'https://api.example.test/';
  const got = await getCode(server, { client_id: 'own', resource: api, scope: 'openid read:items' });
  const wrong = await redeem(server, got, { resource: 'https://other.example.test/' });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.json.error, 'invalid_target');
  const right = await redeem(server, got, { resource: api });
  assert.equal(right.status, 200, 'and the refusal did not spend the code');
  const plain = await getCode(server, { client_id: 'own' });
  assert.equal((await redeem(server, plain, { resource: api })).json.error, 'invalid_target');
});
