// SPDX-License-Identifier: Apache-2.0
// A client in its own name: which API, which scopes, what its token says; and no database behind it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance, untilBack } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { assertError, basic, client, decode, introspect, secretOf, token, userinfo } from './lib/oauth.mjs';

const api = 'https://api.example.test/';
const billing = 'https://billing.example.test/';
const machine = (id, options) => client(id, { type: 'machine', uri: [], ...options });
const conf =
  `<OAuth2ASResource "${billing}">\nOAuth2ASScope invoices\nOAuth2ASLifetime access-token 40s\n</OAuth2ASResource>\n` +
  '<OAuth2ASResource "urn:bare">\n</OAuth2ASResource>\n' +
  machine('worker', { allow: [`${api} read:items`, `${billing} *`, 'urn:bare *'] }) +
  machine('narrow', { allow: [`${billing} invoices`] }) +
  client('web', { type: 'web', extra: ['OAuth2ASGrantTypes authorization_code client_credentials'] }) +
  client('spa');
const strict = await startInstance({ conf });
const auth0 = await startInstance({ conf: `OAuth2ASProfile auth0\nOAuth2ASDefaultResource ${api}\n${conf}` });

const ask = (server, id, form = {}, headers = {}) =>
  token(server, { grant_type: 'client_credentials', client_id: id, client_secret: secretOf(id), ...form }, headers);

test('a token for the API that is named, with all scopes the client has there', async () => {
  for (const name of ['audience', 'resource']) {
    const begun = Date.now() / 1000;
    const answer = await ask(strict, 'worker', { [name]: api });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.deepEqual(Object.keys(answer.json).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
    assert.equal(answer.json.token_type, 'Bearer');
    assert.equal(answer.json.expires_in, 300);
    assert.equal(answer.json.scope, 'read:items');
    const { header, claims } = decode(answer.json.access_token);
    assert.equal(header.typ, 'at+jwt');
    assert.equal(claims.iss, strict.issuer);
    assert.equal(claims.sub, 'worker');
    assert.equal(claims.client_id, 'worker');
    assert.equal(claims.aud, api);
    assert.equal(claims.scope, 'read:items');
    assert.equal(claims.exp - claims.iat, 300);
    assert.ok(claims.iat >= begun - 2 && claims.iat <= Date.now() / 1000 + 2);
    assert.ok(claims.jti);
    for (const name of ['auth_time', 'sid', 'grant_id', 'gty', 'amr', 'email']) assert.equal(claims[name], undefined, name);
  }
});

test('each token has an id of its own', async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, async () => decode((await ask(strict, 'worker', { resource: api })).json.access_token).claims.jti));
  assert.equal(new Set(ids).size, 8);
});

test("the API's own lifetime, an API without scopes, authentication by header", async () => {
  assert.equal((await ask(strict, 'worker', { resource: billing })).json.expires_in, 40);
  const bare = await ask(strict, 'worker', { resource: 'urn:bare' });
  assert.equal(bare.status, 200, bare.text);
  assert.equal(bare.json.scope, undefined);
  assert.equal(decode(bare.json.access_token).claims.scope, undefined);
  const headers = { authorization: basic('web', secretOf('web')) };
  assert.equal((await token(strict, { grant_type: 'client_credentials', resource: api, scope: 'write:items' }, headers)).json.scope, 'write:items');
});

test('scopes beyond the client', async () => {
  for (const scope of ['write:items', 'read:items write:items', 'invoices', 'openid', 'read:items offline_access', 'profile', 'made:up']) {
    assertError(await ask(strict, 'worker', { resource: api, scope }), 400, 'invalid_scope');
  }
  assertError(await ask(strict, 'worker', { resource: api, scope: 'a"b' }), 400, 'invalid_scope');
});

test('profile auth0 grants what is left of them, and refuses when nothing is', async () => {
  assert.equal((await ask(auth0, 'worker', { audience: api, scope: 'openid read:items write:items offline_access' })).json.scope, 'read:items');
  assertError(await ask(auth0, 'worker', { audience: api, scope: 'openid' }), 400, 'invalid_scope');
  assertError(await ask(auth0, 'worker', { audience: api, scope: 'offline_access online_access' }), 400, 'invalid_request');
});

test('an API is needed, one, and one that the client may use', async () => {
  const unnamed = await ask(strict, 'worker');
  assertError(unnamed, 400, 'invalid_target');
  assert.equal(unnamed.json.error_description, 'audience (or resource) is missing.');
  assertError(await ask(strict, 'worker', { audience: strict.url('userinfo') }), 400, 'invalid_target');
  assertError(await ask(strict, 'worker', { audience: 'https://other.example.test/' }), 400, 'invalid_target');
  assertError(await ask(strict, 'narrow', { audience: api }), 400, 'invalid_target');
  assertError(await ask(strict, 'worker', { audience: api, resource: billing }), 400, 'invalid_target');
  assert.equal((await ask(auth0, 'worker')).json.scope, 'read:items', 'the default API');
  assertError(await ask(auth0, 'narrow'), 400, 'invalid_target');
});

test('the token as Auth0 writes it', async () => {
  const { header, claims } = decode((await ask(auth0, 'worker', { audience: api })).json.access_token);
  assert.equal(header.typ, 'JWT');
  assert.equal(claims.sub, 'worker@clients');
  assert.equal(claims.azp, 'worker');
  assert.equal(claims.gty, 'client-credentials');
  assert.equal(claims.client_id, undefined);
  assert.equal(claims.aud, api);
});

test('a JSON body in profile auth0, and in no other', async () => {
  const post = (server, body, type = 'application/json') =>
    request(server.url('oauth/token'), { method: 'POST', headers: { 'content-type': type }, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const good = { grant_type: 'client_credentials', client_id: 'worker', client_secret: secretOf('worker'), audience: api };
  assert.equal((await post(auth0, good)).status, 200);
  assert.equal((await post(auth0, good, 'Application/JSON; charset=utf-8')).status, 200);
  assert.equal((await post(auth0, { ...good, scope: null, extra: { nested: [1, 2] }, number: 1.5, flag: true })).status, 200);
  assertError(await post(strict, good), 415, 'invalid_request');
  const says = async (answer, status, text) => {
    assertError(await answer, status, 'invalid_request');
    assert.equal((await answer).json.error_description, text);
  };
  await says(post(auth0, good, 'text/plain'), 415, 'The body must be application/x-www-form-urlencoded or application/json.');
  await says(post(auth0, JSON.stringify(good).replace('{', '{"audience":"urn:bare",')), 400, 'A parameter occurs more than once.');
  await says(post(auth0, { ...good, audience: [api] }), 400, 'A parameter must be a string, a number or a boolean.');
  await says(post(auth0, [good]), 400, 'The body must be one JSON object.');
  const forms = await request(auth0.url('oauth/introspect'), { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  assert.equal(forms.json.error_description, 'The body must be application/x-www-form-urlencoded.');
  assertError(await post(auth0, { ...good, client_id: 7 }), 401, 'invalid_client');
  for (const value of [['read:items'], { a: 1 }]) assertError(await post(auth0, { ...good, scope: value }), 400, 'invalid_request');
  assertError(await post(auth0, { ...good, resource: [api, billing] }), 400, 'invalid_request');
  const text = JSON.stringify(good);
  for (const body of ['{', '[]', '"x"', 'null', `[${text}]`, `${text}x`, text.replace('{', '{"client_id":"spa",'), '{"a":'.repeat(3000) + '1' + '}'.repeat(3000), text.replace('worker', 'work\\u0000er')]) {
    assertError(await post(auth0, body), 400, 'invalid_request');
  }
  assertError(await post(auth0, JSON.stringify({ ...good, pad: 'x'.repeat(70_000) })), 413, 'invalid_request');
  assertError(await post(auth0, Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`p${i}`, 1]))), 400, 'invalid_request');
});

test('clients that may not', async () => {
  assertError(await token(strict, { grant_type: 'client_credentials', client_id: 'spa', audience: api }), 400, 'unauthorized_client');
  assertError(await token(strict, { grant_type: 'client_credentials', client_id: 'worker', audience: api }), 401, 'invalid_client');
  assertError(await ask(strict, 'worker', { client_secret: 'wrong', audience: api }), 401, 'invalid_client');
  assertError(await ask(strict, 'worker', { grant_type: 'authorization_code', code: 'x' }), 400, 'unauthorized_client');
});

test('such a token is nobody at userinfo', async () => {
  assert.equal((await userinfo(strict, (await ask(strict, 'worker', { resource: api })).json.access_token)).status, 401);
  assert.equal((await userinfo(auth0, (await ask(auth0, 'worker')).json.access_token)).status, 401);
});

test('with PostgreSQL stopped, and without a statement in the first place', async () => {
  strict.announceAway();
  const before = await strict.count('oas_grants');
  await strict.postgres('stop', 'fast');
  try {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(strict, 'worker', { resource: api })));
    assert.deepEqual(answers.map(({ status }) => status), Array(20).fill(200));
    assertError(await ask(strict, 'worker', { resource: api, scope: 'write:items' }), 400, 'invalid_scope');
  } finally {
    await strict.postgres('start');
  }
  const { access_token } = (await ask(strict, 'worker', { resource: api })).json;
  await untilBack(() => introspect(strict, { token: access_token, client_id: 'worker', client_secret: secretOf('worker') }));
  assert.equal(await strict.count('oas_grants'), before);
});
