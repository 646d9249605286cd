// SPDX-License-Identifier: Apache-2.0
// Introspection (RFC 7662): what a token's own client is told, and that nobody else is told anything.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently, startInstance, untilBack } from './lib/instance.mjs';
import { withProxy } from './lib/proxy.mjs';
import { fetchWith, request } from './lib/http.mjs';
import { alter, assertError, basic, client, decode, getCode, introspect, redeem, revoke, secretOf, token } from './lib/oauth.mjs';

const openid = await import('openid-client');
const oauth = await import('oauth4webapi');

const orders = 'https://orders.example.test/';
const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const [options, proxyOf] = withProxy({
  conf:
    `<OAuth2ASResource "${orders}">\nOAuth2ASScope read:orders "Read your orders"\nOAuth2ASIntrospectionClient orders-api\n</OAuth2ASResource>\n` +
    client('spa', { allow: ['https://api.example.test/ *', `${orders} *`], extra: skip }) +
    client('orders-api', { type: 'web', allow: [], extra: skip }) +
    client('web', { type: 'web', extra: skip }) +
    client('other', { type: 'web', extra: skip }) +
    client('worker', { type: 'machine', uri: [], allow: [`${orders} *`] }) +
    client('idle', { type: 'web', extra: [...skip, 'OAuth2ASLifetime refresh-token-idle 60s'] }) +
    client('brief', { type: 'web', extra: [...skip, 'OAuth2ASLifetime refresh-token 60s'] }) +
    client('hasty', { type: 'web', extra: [...skip, 'OAuth2ASLifetime access-token 1s'] }),
});
const server = await startInstance(options);
const proxy = proxyOf();
const api = 'https://api.example.test/';
const as = (id) => ({ authorization: basic(id, secretOf(id)) });

async function tokens(overrides = {}) {
  const id = overrides.client_id ?? 'web';
  const got = await getCode(server, { client_id: id, ...overrides });
  const answer = await redeem(server, got, id === 'spa' ? {} : { client_secret: secretOf(id) });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

function assertInactive(answer, what) {
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.json, { active: false }, what);
}

test('an access token reads as it says itself', async () => {
  const { access_token } = await tokens({ audience: api, scope: 'openid read:items' });
  const answer = await introspect(server, { token: access_token }, as('web'));
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.match(answer.headers['cache-control'], /no-store/);
  const { claims } = decode(access_token);
  assert.deepEqual(answer.json, { ...claims, active: true, token_type: 'Bearer' });
  assert.equal(answer.json.client_id, 'web');
  assert.equal(answer.json.sub, 'oauth2as|alice');
  assert.equal(answer.json.username, undefined);
  assert.deepEqual((await introspect(server, { token: access_token, token_type_hint: 'refresh_token' }, as('web'))).json, answer.json);
  assert.deepEqual((await introspect(server, { token: access_token, client_id: 'web', client_secret: secretOf('web') })).json, answer.json);
});

test('nobody else is told anything', async () => {
  const { access_token } = await tokens({ client_id: 'spa', audience: api, scope: 'openid read:items' });
  assertInactive(await introspect(server, { token: access_token }, as('web')));
  const own = await tokens();
  assertInactive(await introspect(server, { token: own.access_token }, as('other')));
});

test('an API that names a client lets it ask about all tokens for the API, and no others', async () => {
  const { access_token } = await tokens({ client_id: 'spa', audience: orders, scope: 'openid read:orders' });
  const answer = await introspect(server, { token: access_token }, as('orders-api'));
  assert.deepEqual(answer.json, { ...decode(access_token).claims, active: true, token_type: 'Bearer' });
  assert.equal(answer.json.client_id, 'spa');
  assert.deepEqual(answer.json.aud, [orders, server.url('userinfo')]);
  const other = await tokens({ client_id: 'spa', audience: api, scope: 'openid read:items' });
  assertInactive(await introspect(server, { token: other.access_token }, as('orders-api')), 'another API');
  const none = await tokens({ client_id: 'spa' });
  assertInactive(await introspect(server, { token: none.access_token }, as('orders-api')), 'no API');
  assertInactive(await introspect(server, { token: access_token }, as('web')), 'a client that the API does not name');
  await revoke(server, { token: access_token, client_id: 'spa' });
  assertInactive(await introspect(server, { token: access_token }, as('orders-api')), 'revoked');
});

test("a client's own token", async () => {
  const answer = await token(server, { grant_type: 'client_credentials', resource: orders }, as('worker'));
  const { access_token } = answer.json;
  for (const id of ['worker', 'orders-api']) {
    const told = await introspect(server, { token: access_token }, as(id));
    assert.deepEqual(told.json, { ...decode(access_token).claims, active: true, token_type: 'Bearer' });
    assert.equal(told.json.grant_id, undefined);
  }
  assertInactive(await introspect(server, { token: access_token }, as('web')));
  await revoke(server, { token: access_token }, as('worker'));
  for (const id of ['worker', 'orders-api']) assertInactive(await introspect(server, { token: access_token }, as(id)));
});

test('a refresh token is shown to its own client only', async () => {
  const begun = Date.now() / 1000;
  const { refresh_token } = await tokens({ scope: 'openid offline_access' });
  const { json } = await introspect(server, { token: refresh_token, token_type_hint: 'refresh_token' }, as('web'));
  const { exp, ...rest } = json;
  assert.deepEqual(rest, { active: true, iss: server.issuer, aud: server.issuer, sub: 'oauth2as|alice', client_id: 'web', scope: 'openid offline_access' });
  const issued = exp - 30 * 86400;
  assert.ok(issued >= begun - 2 && issued <= Date.now() / 1000 + 2, 'the absolute end of its family');
  assert.deepEqual((await introspect(server, { token: refresh_token, token_type_hint: 'access_token' }, as('web'))).json, json);
  const orderly = await tokens({ client_id: 'spa', scope: 'openid offline_access read:orders', audience: orders });
  assertInactive(await introspect(server, { token: orderly.refresh_token }, as('orders-api')), 'not even to its API');
  assertInactive(await introspect(server, { token: refresh_token }, as('other')));
});

test('a refresh token that cannot be used is inactive', async () => {
  const scope = 'openid offline_access';
  const first = await tokens({ scope });
  const next = await token(server, { grant_type: 'refresh_token', refresh_token: first.refresh_token }, as('web'));
  assert.equal(next.status, 200, next.text);
  assertInactive(await introspect(server, { token: first.refresh_token }, as('web')), 'replaced');
  assert.equal((await introspect(server, { token: next.json.refresh_token }, as('web'))).json.active, true);
  await revoke(server, { token: next.json.access_token }, as('web'));
  assertInactive(await introspect(server, { token: next.json.refresh_token }, as('web')), 'its grant has ended');
  for (const [client_id, column] of [['idle', 'refresh_used_at'], ['brief', 'refresh_expires_at']]) {
    const held = await tokens({ scope, client_id });
    assert.equal((await introspect(server, { token: held.refresh_token }, as(client_id))).json.active, true);
    const grant = Buffer.from(decode(held.access_token).claims.grant_id, 'base64url').toString('hex');
    await server.sql(`UPDATE oas_grants SET ${column} = ${column} - interval '60 seconds' WHERE grant_id = '${grant}'`);
    assertInactive(await introspect(server, { token: held.refresh_token }, as(client_id)), client_id);
  }
  const { refresh_token } = await tokens({ scope });
  for (const text of [...[0, 30, 63].map((at) => alter(refresh_token, at)), refresh_token.slice(0, -1), `${refresh_token}A`]) {
    assertInactive(await introspect(server, { token: text }, as('web')), text);
  }
  assert.equal((await introspect(server, { token: refresh_token }, as('web'))).json.active, true);
});

test('by oauth4webapi and by openid-client', async () => {
  const issuer = new URL(server.issuer);
  const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: fetchWith() };
  const metadata = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  const web = { client_id: 'web' };
  const ask = async (text) =>
    oauth.processIntrospectionResponse(metadata, web, await oauth.introspectionRequest(metadata, web, oauth.ClientSecretPost(secretOf('web')), text, options));
  const { access_token, refresh_token } = await tokens({ scope: 'openid offline_access' });
  assert.equal((await ask(access_token)).sub, 'oauth2as|alice');
  assert.equal((await ask(refresh_token)).active, true);
  assert.deepEqual(await ask('x'), { active: false });
  const config = await openid.discovery(issuer, 'web', undefined, openid.ClientSecretBasic(secretOf('web')), { execute: [openid.allowInsecureRequests], [openid.customFetch]: fetchWith() });
  assert.equal((await openid.tokenIntrospection(config, access_token)).client_id, 'web');
  assert.equal((await openid.tokenIntrospection(config, 'x')).active, false);
});

test('each question is one statement', async () => {
  const { access_token, refresh_token } = await tokens({ scope: 'openid offline_access' });
  const own = (await token(server, { grant_type: 'client_credentials', resource: orders }, as('worker'))).json.access_token;
  const statements = (text, id = 'web') => proxy.during(() => introspect(server, { token: text }, as(id)));
  assert.deepEqual(await statements(access_token), ['oas_grant_load']);
  assert.deepEqual(await statements(refresh_token), ['oas_refresh_load']);
  assert.deepEqual(await statements(own, 'worker'), ['oas_jti_load']);
  assert.deepEqual(await statements(access_token, 'other'), [], 'what is not for it to know is not looked up');
  assert.deepEqual(await statements('x'), []);
  const revocation = (text, id = 'web') => proxy.during(() => revoke(server, { token: text }, as(id)));
  assert.deepEqual(await revocation(access_token), ['oas_grant_revoke']);
  assert.deepEqual(await revocation(refresh_token), ['oas_refresh_revoke']);
  assert.deepEqual(await revocation(own, 'worker'), ['oas_jti_revoke']);
  assert.deepEqual(await revocation(access_token, 'other'), []);
});

test('while the database is away nothing is called inactive', async () => {
  server.announceAway();
  const { access_token, refresh_token } = await tokens({ scope: 'openid offline_access' });
  const own = (await token(server, { grant_type: 'client_credentials', resource: orders }, as('worker'))).json.access_token;
  for (const [text, id, statement] of [[access_token, 'web', 'oas_grant_load'], [refresh_token, 'web', 'oas_refresh_load'], [own, 'worker', 'oas_jti_load']]) {
    proxy.plan(statement, 'cut', Infinity);
    const answer = await introspect(server, { token: text }, as(id));
    assert.ok(proxy.settled().length >= 3, 'it is tried on a new connection, twice');
    assertError(answer, 503, 'temporarily_unavailable');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    assert.equal((await patiently(() => introspect(server, { token: text }, as(id)))).json.active, true);
  }
  await untilBack(() => introspect(server, { token: access_token }, as('web')));
});

test('a key that has retired still verifies', async () => {
  const { access_token } = await tokens();
  await server.reload({
    'httpd/httpd.conf': (text) => text.replace(/RS256\.pem alg=RS256/g, 'RS256.pem retired alg=RS256'),
    'test.conf': (text) => text.replaceAll('OAuth2ASType', 'OAuth2ASIDTokenAlg ES256\nOAuth2ASType'),
  });
  assert.equal((await introspect(server, { token: access_token }, as('web'))).json.active, true);
  const next = await tokens();
  assert.notEqual(decode(next.access_token).header.alg, 'RS256');
  assert.equal((await introspect(server, { token: next.access_token }, as('web'))).json.active, true);
});

test('a public client cannot ask', async () => {
  const { access_token } = await tokens({ client_id: 'spa' });
  assertError(await introspect(server, { token: access_token, client_id: 'spa' }), 403, 'unauthorized_client');
  assertError(await introspect(server, { token: access_token }), 401, 'invalid_client');
  assertError(await introspect(server, { token: access_token, client_id: 'web', client_secret: 'wrong' }), 401, 'invalid_client');
});

test('an expired, a revoked, an ended token is inactive', async () => {
  const hasty = await tokens({ client_id: 'hasty' });
  await sleep(2100);
  assertInactive(await introspect(server, { token: hasty.access_token }, as('hasty')), 'expired');
  const { access_token } = await tokens();
  assert.equal((await introspect(server, { token: access_token }, as('web'))).json.active, true);
  await revoke(server, { token: access_token }, as('web'));
  assertInactive(await introspect(server, { token: access_token }, as('web')), 'revoked');
});

test('what is no token of ours', async () => {
  const { access_token, id_token } = await tokens();
  const code = (await getCode(server, { client_id: 'web' })).code;
  const [header, claims, signature] = access_token.split('.');
  const forged = Buffer.from(JSON.stringify({ ...decode(access_token).claims, sub: 'oauth2as|bob' })).toString('base64url');
  const none = Buffer.from(JSON.stringify({ ...decode(access_token).header, alg: 'none' })).toString('base64url');
  const nothing = [
    'x', 'A'.repeat(64), '!'.repeat(64), 'A'.repeat(60_000), `${header}.${claims}.${alter(signature, 20)}`, `${header}.${forged}.${signature}`, `${none}.${claims}.`,
    `${header}.${claims}.`, access_token.slice(0, -1), `${access_token}.`, id_token, code, '..', '{"active":true}',
  ];
  for (const text of nothing) assertInactive(await introspect(server, { token: text }, as('web')), text.slice(0, 80));
});

test('what is no request', async () => {
  assertError(await introspect(server, {}, as('web')), 400, 'invalid_request');
  const { access_token } = await tokens();
  const form = { 'content-type': 'application/x-www-form-urlencoded', ...as('web') };
  const post = (body, headers = form) => request(server.url('oauth/introspect'), { method: 'POST', headers, body });
  assertError(await post(`token=${access_token}&token=${access_token}`), 400, 'invalid_request');
  assertError(await post('token=%00'), 400, 'invalid_request');
  assertError(await post(`token=${'A'.repeat(100_000)}`), 413, 'invalid_request');
  assertError(await post(`{"token":{"token":"${access_token}"}}`, { ...form, 'content-type': 'application/json' }), 415, 'invalid_request');
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const answer = await request(server.url('oauth/introspect', { token: access_token }), { method, headers: as('web') });
    assertError(answer, 405, 'invalid_request');
    assert.match(answer.headers.allow, /POST/);
  }
});
