// SPDX-License-Identifier: Apache-2.0
// What the OpenID Foundation's conformance tests ask of an OpenID provider and other tests here do not: each with
// every response type, as a browser and an application see it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { Surfer } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, offline, redeem, refresh, userinfo } from './lib/oauth.mjs';

const types = ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'];
const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const all = `OAuth2ASResponseTypes ${types.map((type) => `"${type}"`).join(' ')}`;
const address = '{"street_address":"1 Main Street","locality":"Example","country":"XX"}';
const server = await startInstance({
  conf:
    'OAuth2ASProfile auth0\n' +
    `OAuth2ASClaim address '${address}' type=json scope=address\n` +
    'OAuth2ASClaim phone_number "+1 555 0100" scope=phone\nOAuth2ASClaim phone_number_verified "true" type=boolean scope=phone\n' +
    'OAuth2ASClaim updated_at "1700000000" type=integer scope=profile\n' +
    client('all', { extra: [...skip, all] }) +
    client('spa') +
    client('spa2'),
});
const has = (type, part) => type.split(' ').includes(part);

/** The person signs in; what comes back is sound, whatever the response type is. */
async function flow(response_type, overrides = {}, { post = false, surfer = new Surfer(server) } = {}) {
  const { params, verifier } = authorization({ client_id: 'all', response_type, ...overrides });
  const options = post ? { form: params } : {};
  const answer = await surfer.through(post ? server.url('authorize') : authorizeUrl(server, params), options);
  const back = callbackOf(answer);
  assert.equal(back.error, undefined, back.error_description);
  assert.equal(back.state, params.state);
  assert.equal(back.iss, server.issuer);
  const redeemed = back.code ? (await redeem(server, { ...back, verifier, params })).json : {};
  const tokens = [back.id_token, redeemed.id_token].filter(Boolean).map((token) => decode(token).claims);
  for (const claims of tokens) {
    assert.equal(claims.iss, server.issuer);
    assert.equal(claims.aud, 'all');
    assert.equal(claims.sub, tokens[0].sub, 'both tokens of one answer are of one user');
    if (params.nonce) assert.equal(claims.nonce, params.nonce);
  }
  return { ...back, ...redeemed, claims: tokens[0], front: back, surfer };
}

const harmless = {
  'a parameter that nobody knows': { extra: 'foobar' },
  'display=page': { display: 'page' },
  'display=popup': { display: 'popup' },
  'display=touch': { display: 'touch' },
  'display=wap': { display: 'wap' },
  'a display that nobody knows': { display: 'hologram' },
  'login_hint of nobody': { login_hint: 'buffy@example.test' },
  'ui_locales=se': { ui_locales: 'se' },
  'ui_locales that are none': { ui_locales: '!! 12345678901234567890 -' },
  'claims_locales=se': { claims_locales: 'se' },
  'acr_values that nothing reaches': { acr_values: '1 2 urn:example:gold' },
  'an essential claim': { claims: JSON.stringify({ userinfo: { name: { essential: true } }, id_token: { name: { essential: true } } }) },
  'scopes in another order': { scope: 'email profile openid' },
  'a state of 128 characters': { state: randomBytes(64).toString('hex') },
  'registration, which is not for us': { registration: '{}' },
};

for (const type of types) {
  test(`${type}: what is no error is none`, async () => {
    const { surfer } = await flow(type);
    for (const [title, overrides] of Object.entries(harmless)) {
      const got = await flow(type, overrides, { surfer });
      if (has(type, 'code')) assert.ok(got.code, title);
      if (has(type, 'token')) assert.ok(got.front.access_token, title);
      if (has(type, 'id_token')) assert.ok(got.front.id_token, title);
      if (title === 'an essential claim' && got.claims) assert.equal(got.claims.name, 'Alice Example');
    }
  });

  test(`${type}: by POST as by GET, and parameters in any order`, async () => {
    await flow(type, {}, { post: true });
    const { params } = authorization({ client_id: 'all', response_type: type });
    const reversed = Object.fromEntries(Object.entries(params).reverse());
    assert.equal(callbackOf(await new Surfer(server).through(authorizeUrl(server, reversed))).state, params.state);
  });

  test(`${type}: max_age and prompt`, async () => {
    const first = await flow(type, { max_age: '10000' });
    const second = await flow(type, { max_age: '10000', prompt: 'none' }, { surfer: first.surfer });
    assert.equal(callbackOf(await new Surfer(server).go(authorizeUrl(server, authorization({ client_id: 'all', response_type: type, prompt: 'none' }).params))).error, 'login_required');
    if (!first.claims) return;
    assert.equal(first.claims.auth_time, second.claims.auth_time);
    const hinted = await flow(type, { prompt: 'none', id_token_hint: first.id_token }, { surfer: first.surfer });
    assert.equal(hinted.claims.sub, first.claims.sub);
  });
}

test('nonce: echoed as it is, needed where an ID token comes by the browser, and never invented', async () => {
  const { surfer } = await flow('code');
  for (const type of types) {
    const { params } = authorization({ client_id: 'all', response_type: type, nonce: undefined });
    const back = callbackOf(await surfer.through(authorizeUrl(server, params)));
    assert.equal(back.error, has(type, 'id_token') ? 'invalid_request' : undefined, type);
  }
  const { claims } = await flow('code', { nonce: undefined });
  assert.equal(claims.nonce, undefined);
  const long = 'n'.repeat(64);
  assert.equal((await flow('code id_token', { nonce: long })).claims.nonce, long);
});

const expected = {
  profile: { name: 'string', given_name: 'string', family_name: 'string', updated_at: 'number' },
  email: { email: 'string', email_verified: 'boolean' },
  address: { address: 'object' },
  phone: { phone_number: 'string', phone_number_verified: 'boolean' },
};

/** Claims of these scopes are there, well-typed; those of others are not. */
function assertClaims(claims, scopes) {
  for (const [scope, members] of Object.entries(expected)) {
    for (const [name, type] of Object.entries(members)) {
      assert.equal(typeof claims[name], scopes.includes(scope) ? type : 'undefined', `${name} with ${scopes}`);
    }
  }
}

test('claims of each scope at userinfo, and in the ID token where there is nothing else', async () => {
  const { surfer } = await flow('code');
  for (const scopes of [['profile'], ['email'], ['address'], ['phone'], ['profile', 'email', 'address', 'phone']]) {
    const scope = ['openid', ...scopes].join(' ');
    const { access_token, claims } = await flow('code', { scope }, { surfer });
    const { json } = await userinfo(server, access_token);
    assert.equal(json.sub, claims.sub);
    assertClaims(json, scopes);
    assertClaims((await flow('id_token', { scope }, { surfer })).claims, scopes);
  }
});

test('refresh: the new ID token speaks of the same login, and another client cannot use the token', async () => {
  const { id_token, refresh_token } = await offline(server, { scope: 'openid offline_access', prompt: 'consent' });
  const first = decode(id_token).claims;
  const other = await refresh(server, refresh_token, { client_id: 'spa2' });
  assert.ok([400, 401, 403].includes(other.status));
  assert.equal(other.json.error, 'invalid_grant');
  const { json, headers } = await refresh(server, refresh_token);
  assert.match(headers['cache-control'], /no-store/);
  const again = decode(json.id_token).claims;
  for (const name of ['iss', 'sub', 'aud', 'auth_time', 'sid']) assert.equal(again[name], first[name], name);
  assert.equal(again.nonce, undefined);
  const { json: metadata } = await request(server.url('.well-known/openid-configuration'));
  for (const grant of ['authorization_code', 'refresh_token', 'implicit']) assert.ok(metadata.grant_types_supported.includes(grant), grant);
});

test('what is harmless shows the login page to whoever is not signed in', async () => {
  for (const [title, overrides] of Object.entries(harmless)) {
    const page = await new Surfer(server).go(authorizeUrl(server, authorization({ client_id: 'all', ...overrides }).params));
    assert.ok('password' in page.form.fields, title);
    assert.equal(page.form.fields.username, overrides.login_hint ?? '', title);
  }
});

test('expires_in is a number above zero, and descriptions of errors are of what RFC 6749 allows', async () => {
  const got = await getCode(server, { client_id: 'all' });
  assert.ok((await redeem(server, got)).json.expires_in > 0);
  for (const overrides of [{ prompt: 'never' }, { claims: '{' }, { scope: undefined, response_type: 'code id_token' }, { max_age: 'x' }, { acr_values: '"' }]) {
    const back = callbackOf(await new Surfer(server).through(authorizeUrl(server, authorization({ client_id: 'all', ...overrides }).params)));
    assert.ok(back.error, JSON.stringify(overrides));
    assert.match(back.error_description, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  }
});
