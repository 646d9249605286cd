// SPDX-License-Identifier: Apache-2.0
// Revocation (RFC 7009): a client ends its own tokens, nobody ends another's, and the answer never tells which it was.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { fetchWith, request } from './lib/http.mjs';
import { alter, appUri, assertError, basic, client, decode, getCode, introspect, redeem, revoke, secretOf, token, userinfo } from './lib/oauth.mjs';

const openid = await import('openid-client');
const oauth = await import('oauth4webapi');
const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const conf =
  client('spa', { extra: skip }) +
  client('spa2', { extra: skip }) +
  client('web', { type: 'web', extra: skip }) +
  client('hasty', { extra: [...skip, 'OAuth2ASLifetime access-token 1s'] }) +
  client('worker', { type: 'machine', uri: [] });
const server = await startInstance({ conf: `OAuth2ASAuditLog \${OAS_DIR}/audit.log\n${conf}` });
const auth0 = await startInstance({ conf: `OAuth2ASProfile auth0\n${conf}` });
const offline = { scope: 'openid offline_access' };
const asWeb = { authorization: basic('web', secretOf('web')) };

async function tokens(overrides, at = server) {
  const got = await getCode(at, overrides);
  const answer = await redeem(at, got, overrides?.client_id === 'web' ? { client_secret: secretOf('web') } : {});
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

function assertDone(answer) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.text, '');
  assert.match(answer.headers['cache-control'], /no-store/);
}

const works = async (accessToken, at = server) => (await userinfo(at, accessToken)).status === 200;
const refresh = (refresh_token, client_id = 'spa', at = server) => token(at, { grant_type: 'refresh_token', refresh_token, client_id });

async function assertFamilyEnded(refreshToken, at = server) {
  const answer = await refresh(refreshToken, 'spa', at);
  assert.equal(answer.json.error, 'invalid_grant', answer.text);
}

test('an access token ends with its grant', async () => {
  const { access_token } = await tokens();
  assert.ok(await works(access_token));
  assertDone(await revoke(server, { token: access_token, client_id: 'spa' }));
  assert.ok(!(await works(access_token)));
  assert.equal(await server.count('oas_grants', "revoked_reason = 'access token revoked'"), 1);
  assertDone(await revoke(server, { token: access_token, client_id: 'spa' }));
});

test('a confidential client authenticates in the header or in the body', async () => {
  for (const [form, headers] of [[{}, asWeb], [{ client_id: 'web', client_secret: secretOf('web') }, {}]]) {
    const { access_token } = await tokens({ client_id: 'web' });
    assertDone(await revoke(server, { token: access_token, ...form }, headers));
    assert.ok(!(await works(access_token)));
  }
});

test('a hint may be wrong or unknown', async () => {
  for (const token_type_hint of ['access_token', 'refresh_token', 'made_up', '']) {
    const { access_token } = await tokens();
    assertDone(await revoke(server, { token: access_token, client_id: 'spa', token_type_hint }));
    assert.ok(!(await works(access_token)), token_type_hint);
  }
});

test("another client's token is left alone, and the answer is the same", async () => {
  const { access_token } = await tokens();
  assertDone(await revoke(server, { token: access_token, client_id: 'spa2' }));
  assertDone(await revoke(server, { token: access_token }, asWeb));
  assert.ok(await works(access_token));
  assert.match(server.log(), /OAS00860: nothing revoked: the access token of another client client=spa2/);
});

test('only what was presented ends', async () => {
  const [first, second] = [await tokens(), await tokens()];
  assertDone(await revoke(server, { token: first.access_token, client_id: 'spa' }));
  assert.ok(!(await works(first.access_token)));
  assert.ok(await works(second.access_token));
});

test('who does not say who it is ends nothing', async () => {
  const { access_token } = await tokens({ client_id: 'web' });
  assertError(await revoke(server, { token: access_token }), 401, 'invalid_client');
  assertError(await revoke(server, { token: access_token, client_id: 'web' }), 401, 'invalid_client');
  assertError(await revoke(server, { token: access_token, client_id: 'web', client_secret: 'wrong' }), 401, 'invalid_client');
  assertError(await revoke(server, { token: access_token, client_id: 'nobody' }), 401, 'invalid_client');
  assertError(await revoke(server, { token: access_token, client_secret: secretOf('web') }, asWeb), 400, 'invalid_request');
  assert.ok(await works(access_token));
});

test('a page may end its tokens when its origin is that of the client', async () => {
  const { origin } = new URL(appUri);
  const { access_token } = await tokens();
  const answer = await revoke(server, { token: access_token, client_id: 'spa' }, { origin });
  assertDone(answer);
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  const stranger = await revoke(server, { token: access_token, client_id: 'spa' }, { origin: 'https://evil.example' });
  assert.equal(stranger.headers['access-control-allow-origin'], undefined);
  const preflight = await request(server.url('oauth/revoke'), {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], origin);
});

test('by POST only', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await request(server.url('oauth/revoke', { client_id: 'spa', token: 'x' }), { method });
    assertError(answer, 405, 'invalid_request');
    assert.match(answer.headers.allow, /POST/);
  }
});

test('what is no token of ours, or not a request', async () => {
  const { access_token, id_token } = await tokens();
  const [header, claims, signature] = access_token.split('.');
  const before = await server.count('oas_grants', 'revoked_at IS NOT NULL');
  const nothing = [
    'x', 'A'.repeat(64), 'A'.repeat(63), '!'.repeat(64), 'A'.repeat(60_000), `${header}.${claims}.`, `${header}.${claims}.${alter(signature, 20)}`,
    `${header}.${claims}`, access_token.slice(0, -10), `${access_token}A`, ` ${access_token}`, id_token, '..', '[{"a":1}]',
  ];
  for (const text of nothing) assertDone(await revoke(server, { token: text, client_id: 'spa' }));
  assertError(await revoke(server, { client_id: 'spa' }), 400, 'invalid_request');
  assertError(await revoke(server, { client_id: 'spa', token: '' }), 400, 'invalid_request');
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const post = (body, headers = form) => request(server.url('oauth/revoke'), { method: 'POST', headers, body });
  assertError(await post(`client_id=spa&token=${access_token}&token=${access_token}`), 400, 'invalid_request');
  assertError(await post(`client_id=spa&token=%zz`), 400, 'invalid_request');
  assertError(await post(`client_id=spa&token=${'A'.repeat(100_000)}`), 413, 'invalid_request');
  assertError(await post(JSON.stringify({ client_id: 'spa', token: access_token }), { 'content-type': 'application/json' }), 415, 'invalid_request');
  assert.equal(await server.count('oas_grants', 'revoked_at IS NOT NULL'), before, 'nothing has ended');
  assert.ok(await works(access_token));
});

test('a code that is revoked like a token stays what it is', async () => {
  const got = await getCode(server);
  assertDone(await revoke(server, { token: got.code, client_id: 'spa' }));
  assert.equal((await redeem(server, got)).status, 200);
  assert.equal((await token(server, { grant_type: 'authorization_code', client_id: 'spa', code: got.code })).status, 400);
});

test('a refresh token ends with its grant, and so does what was issued from it', async () => {
  const { access_token, refresh_token } = await tokens(offline);
  assertDone(await revoke(server, { token: refresh_token, client_id: 'spa', token_type_hint: 'refresh_token' }));
  assert.ok(!(await works(access_token)));
  await assertFamilyEnded(refresh_token);
  assert.equal(await server.count('oas_grants', "revoked_reason = 'refresh token revoked'"), 1);
  assertDone(await revoke(server, { token: refresh_token, client_id: 'spa' }));
});

test('a refresh token that was replaced ends its family too', async () => {
  const first = await tokens(offline);
  const second = await refresh(first.refresh_token);
  assert.equal(second.status, 200, second.text);
  const third = await refresh(second.json.refresh_token);
  assert.equal(third.status, 200, third.text);
  assertDone(await revoke(server, { token: first.refresh_token, client_id: 'spa' }));
  await assertFamilyEnded(third.json.refresh_token);
  for (const { access_token } of [first, second.json, third.json]) assert.ok(!(await works(access_token)));
});

test('an access token ends the family of its grant', async () => {
  const { access_token, refresh_token } = await tokens(offline);
  assertDone(await revoke(server, { token: access_token, client_id: 'spa' }));
  await assertFamilyEnded(refresh_token);
});

test("another client's refresh token, and one that is not quite ours, is left alone", async () => {
  const { access_token, refresh_token } = await tokens(offline);
  assertDone(await revoke(server, { token: refresh_token, client_id: 'spa2' }));
  assertDone(await revoke(server, { token: refresh_token }, asWeb));
  const nearly = [0, 30, 63].map((at) => alter(refresh_token, at));
  for (const text of [...nearly, refresh_token.slice(1), refresh_token.slice(0, -1), `${refresh_token}A`, `${refresh_token}=`]) {
    assertDone(await revoke(server, { token: text, client_id: 'spa' }));
  }
  assert.ok(await works(access_token));
  assert.equal((await refresh(refresh_token)).status, 200);
});

test('an expired access token does not end what is still going on', async () => {
  const { access_token, refresh_token } = await tokens({ ...offline, client_id: 'hasty' });
  await sleep(2100);
  assertDone(await revoke(server, { token: access_token, client_id: 'hasty' }));
  assert.equal((await refresh(refresh_token, 'hasty')).status, 200);
});

test("a client's own access token ends too, and no other", async () => {
  const asWorker = { authorization: basic('worker', secretOf('worker')) };
  const own = async () => (await token(server, { grant_type: 'client_credentials', resource: 'https://api.example.test/' }, asWorker)).json.access_token;
  const active = async (text) => (await introspect(server, { token: text }, asWorker)).json.active;
  const [first, second] = [await own(), await own()];
  assertDone(await revoke(server, { token: first }, asWeb));
  assert.equal(await active(first), true, 'not for another client to end');
  assertDone(await revoke(server, { token: first }, asWorker));
  assertDone(await revoke(server, { token: first }, asWorker));
  assert.equal(await active(first), false);
  assert.equal(await active(second), true);
  assert.equal(await server.count('oas_revoked_jtis'), 1);
});

test('by oauth4webapi and by openid-client', async () => {
  const issuer = new URL(server.issuer);
  const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: fetchWith() };
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  for (const kind of ['access_token', 'refresh_token']) {
    const held = await tokens({ ...offline, client_id: 'web' });
    const response = await oauth.revocationRequest(as, { client_id: 'web' }, oauth.ClientSecretBasic(secretOf('web')), held[kind], options);
    assert.equal(await oauth.processRevocationResponse(response), undefined);
    assert.ok(!(await works(held.access_token)), kind);
  }
  const config = await openid.discovery(issuer, 'spa', undefined, openid.None(), { execute: [openid.allowInsecureRequests], [openid.customFetch]: fetchWith() });
  const held = await tokens(offline);
  await openid.tokenRevocation(config, held.refresh_token, { token_type_hint: 'refresh_token' });
  assert.ok(!(await works(held.access_token)));
});

test('profile auth0: JSON too, as its SDKs send it', async () => {
  const post = (body) => request(auth0.url('oauth/revoke'), { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const held = await tokens(offline, auth0);
  assertDone(await post(JSON.stringify({ client_id: 'spa', token: held.refresh_token })));
  await assertFamilyEnded(held.refresh_token, auth0);
  const web = await tokens({ ...offline, client_id: 'web' }, auth0);
  assertError(await post(JSON.stringify({ client_id: 'web', token: web.refresh_token })), 401, 'invalid_client');
  const asWebToo = `"client_id":"web","client_secret":"${secretOf('web')}"`;
  const bad = [
    `{${asWebToo},"token":"a","token":"${web.refresh_token}"}`,
    `{${asWebToo},"token":["${web.refresh_token}"]}`,
    `{${asWebToo},"token":{"token":"${web.refresh_token}"}}`,
    `{${asWebToo}}`,
    `{${asWebToo},"token":null}`,
    `[{${asWebToo},"token":"${web.refresh_token}"}]`,
    '['.repeat(5000),
    `{${asWebToo},"token":"${web.refresh_token}"`,
  ];
  for (const body of bad) assertError(await post(body), 400, 'invalid_request');
  assert.ok(await works(web.access_token, auth0));
  assertDone(await post(`{${asWebToo},"token":"${web.refresh_token}"}`));
  assert.ok(!(await works(web.access_token, auth0)));
  const form = await tokens(offline, auth0);
  assertDone(await revoke(auth0, { client_id: 'spa', token: form.refresh_token, token_type_hint: 'refresh_token' }));
  await assertFamilyEnded(form.refresh_token, auth0);
});

test('the audit log says who ended what, and no token', async () => {
  const file = `${server.dir}/audit.log`;
  const before = fs.statSync(file).size;
  const [held, other] = [await tokens(offline), await tokens()];
  await revoke(server, { token: held.refresh_token, client_id: 'spa' });
  await revoke(server, { token: other.access_token, client_id: 'spa' });
  await revoke(server, { token: other.access_token, client_id: 'spa' });
  await revoke(server, { token: other.access_token, client_id: 'web', client_secret: 'wrong' });
  const text = fs.readFileSync(file, 'utf8').slice(before);
  const lines = text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const [first, second, ...more] = lines.filter(({ event }) => event === 'revoke');
  assert.deepEqual(more, [], 'nothing is said of what had ended before');
  const grant = (accessToken) => decode(accessToken).claims.grant_id;
  assert.deepEqual([first.reason, first.client_id, first.grant_id], ['refresh token', 'spa', grant(held.access_token)]);
  assert.deepEqual([second.reason, second.client_id, second.grant_id, second.sub], ['access token', 'spa', grant(other.access_token), 'oauth2as|alice']);
  const refused = lines.find(({ event }) => event === 'refuse');
  assert.deepEqual([refused.endpoint, refused.error, refused.client_id], ['revoke', 'invalid_client', 'web']);
  for (const secret of [held.refresh_token, held.access_token, other.access_token]) assert.ok(!text.includes(secret));
});
