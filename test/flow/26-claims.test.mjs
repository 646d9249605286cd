// SPDX-License-Identifier: Apache-2.0
// The parameter claims: asked for in words beyond the granted scopes, remembered, released where it was asked for,
// and kept over refresh (OpenID Connect Core 5.5).
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem, refresh, userinfo } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const types = ['OAuth2ASResponseTypes code id_token "code id_token"'];
const server = await startInstance({
  conf:
    client('spa') +
    client('asks') +
    client('own', { extra: [...skip, ...types] }) +
    'OAuth2ASClaim groups "staff" scope=profile\n' +
    'OAuth2ASClaim level "7" type=integer in=access_token\n' +
    'OAuth2ASClaim rank "9" type=integer scope=write:items\n',
});
const api = 'https://api.example.test/';
const wish = (claims) => ({ claims: JSON.stringify(claims) });
const isConsent = (page) => Boolean(page.form?.buttons.some(({ name, value }) => name === 'decision' && value === 'allow'));

/** Claims of the ID token and of userinfo, as client `own`. */
async function told(claims, overrides = {}) {
  const got = await getCode(server, { client_id: 'own', scope: 'openid', ...wish(claims), ...overrides });
  const { json } = await redeem(server, got);
  return { ...got, ...json, id: decode(json.id_token).claims, info: (await userinfo(server, json.access_token)).json };
}

test('each claim goes where it was asked for, and nowhere else', async () => {
  const { id, info, access_token, scope } = await told({ id_token: { name: { essential: true } }, userinfo: { email: null } });
  assert.equal(id.name, 'Alice Example');
  assert.equal(id.email, undefined);
  assert.equal(info.email, 'alice@example.test');
  assert.equal(info.name, undefined);
  assert.equal(scope, 'openid', 'a claim is no scope');
  const { claims } = decode(access_token);
  assert.equal(claims.scope, 'openid');
  for (const name of ['name', 'email']) assert.equal(claims[name], undefined, name);
});

test('what scopes release is there beside it', async () => {
  const { id, info } = await told({ id_token: { groups: null } }, { scope: 'openid email' });
  assert.equal(id.email, 'alice@example.test');
  assert.equal(id.groups, 'staff');
  assert.equal(id.name, undefined);
  assert.equal(info.groups, undefined);
});

test('what is not for applications is not to be had', async () => {
  const asked = { level: null, rank: null, made_up: { essential: true }, 'name#ja': null, iss: null, grant_id: { value: 'x' } };
  const { id, info, access_token } = await told({ id_token: asked, userinfo: asked });
  for (const name of ['level', 'rank', 'made_up', 'name#ja', 'grant_id']) {
    assert.equal(id[name], undefined, name);
    assert.equal(info[name], undefined, name);
  }
  assert.equal(id.iss, server.issuer);
  assert.equal(decode(access_token).claims.level, 7, 'where it belongs');
  const allowed = await told({ userinfo: { rank: null } }, { audience: api, scope: 'openid read:items' });
  assert.equal(allowed.info.rank, 9, 'the client may ask for its scope of this API');
});

test('an ID token from the browser has them, too', async () => {
  const { params } = authorization({ client_id: 'own', response_type: 'id_token', scope: 'openid', ...wish({ id_token: { given_name: null } }) });
  const { claims } = decode(callbackOf(await new Surfer(server).through(authorizeUrl(server, params))).id_token);
  assert.equal(claims.given_name, 'Alice');
  assert.equal(claims.name, undefined);
});

test('claims beyond the scopes are asked for in words, once', async () => {
  const asked = { client_id: 'asks', scope: 'openid', ...wish({ userinfo: { email: null, groups: null }, id_token: { name: null } }) };
  const surfer = new Surfer(server);
  const page = await surfer.submit(await surfer.go(authorizeUrl(server, authorization(asked).params)), {
    username: 'alice',
    password: 'correct horse',
  });
  assert.ok(isConsent(page));
  const text = textOf(page.text);
  for (const words of [/See your name/, /See your email address/, /this detail of your account: groups/]) assert.match(text, words);
  assert.ok(callbackOf(await surfer.submit(page, { decision: 'allow' })).code);
  assert.ok(callbackOf(await surfer.go(authorizeUrl(server, authorization({ ...asked, prompt: 'none' }).params))).code, 'remembered');
  const more = { ...asked, ...wish({ userinfo: { email: null, family_name: null } }) };
  assert.equal(callbackOf(await surfer.go(authorizeUrl(server, authorization({ ...more, prompt: 'none' }).params))).error, 'consent_required');
  const wider = await surfer.go(authorizeUrl(server, authorization(more).params));
  assert.ok(isConsent(wider));
  assert.match(textOf(wider.text), /more than you allowed before/);
  assert.match(textOf(wider.text), /See your last name/);
});

test('a claim allowed by itself allows no scope', async () => {
  const { surfer } = await getCode(server, { client_id: 'spa', scope: 'openid', ...wish({ id_token: { email: null } }) });
  const silent = await surfer.go(authorizeUrl(server, authorization({ client_id: 'spa', scope: 'openid email', prompt: 'none' }).params));
  assert.equal(callbackOf(silent).error, 'consent_required');
});

test('they are kept over refresh, for as long as openid is asked for', async () => {
  const got = await told({ id_token: { name: null }, userinfo: { groups: null } }, { scope: 'openid offline_access' });
  const { json } = await refresh(server, got.refresh_token, { client_id: 'own' });
  assert.equal(decode(json.id_token).claims.name, 'Alice Example');
  assert.equal((await userinfo(server, json.access_token)).json.groups, 'staff');
  assert.equal(json.scope, 'openid offline_access');
});

test('a request that is none is refused, and the parameter means nothing without openid', async () => {
  const surfer = new Surfer(server);
  for (const claims of ['{', '[]', '"name"', '{"id_token":[]}', '{"userinfo":{"name":1}}', '{"id_token":{"name":null,"name":null}}', '{"id_token":{"sub":{"value":1}}}']) {
    const back = callbackOf(await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', claims }).params)));
    assert.equal(back.error, 'invalid_request', claims);
    assert.ok(back.state, claims);
  }
  const { scope } = (await redeem(server, await getCode(server, { client_id: 'own', scope: 'email', claims: '{' }))).json;
  assert.equal(scope, 'email');
});

test('id_token.sub with a value names who it has to be', async () => {
  const { surfer, id } = await told({});
  const silent = async (sub, overrides = {}) =>
    callbackOf(await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'none', ...wish({ id_token: { sub } }), ...overrides }).params)));
  assert.ok((await silent({ value: id.sub })).code);
  assert.ok((await silent({ essential: true, values: ['oauth2as|nobody', id.sub] })).code);
  assert.equal((await silent({ value: 'oauth2as|bob' })).error, 'login_required');
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', ...wish({ id_token: { sub: { value: 'oauth2as|bob' } } }) }).params));
  assert.ok('password' in page.form.fields);
  assert.equal(callbackOf(await surfer.submit(page, { username: 'alice', password: 'correct horse' })).error, 'login_required');
  const other = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', ...wish({ id_token: { sub: { value: 'oauth2as|bob' } } }) }).params));
  assert.ok(callbackOf(await surfer.submit(other, { username: 'bob', password: 'battery staple' })).code);
});

test('the metadata says so', async () => {
  const { json } = await request(server.url('.well-known/openid-configuration'));
  assert.equal(json.claims_parameter_supported, true);
  for (const name of ['name', 'email', 'groups', 'acr', 'auth_time']) assert.ok(json.claims_supported.includes(name), name);
});
