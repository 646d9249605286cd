// SPDX-License-Identifier: Apache-2.0
// Revocation (RFC 7009): a client ends its own tokens, nobody ends another's, and the answer never tells which it was.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { appUri, assertError, basic, client, getCode, redeem, revoke, secretOf, token, userinfo } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const server = await startInstance({
  conf: client('spa', { extra: skip }) + client('spa2', { extra: skip }) + client('web', { type: 'web', extra: skip }),
});
const asWeb = { authorization: basic('web', secretOf('web')) };

async function tokens(overrides) {
  const got = await getCode(server, overrides);
  const answer = await redeem(server, got, overrides?.client_id === 'web' ? { client_secret: secretOf('web') } : {});
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

function assertDone(answer) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.text, '');
  assert.match(answer.headers['cache-control'], /no-store/);
}

const works = async (accessToken) => (await userinfo(server, accessToken)).status === 200;

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
  const other = signature.slice(0, 20) + (signature[20] === 'A' ? 'B' : 'A') + signature.slice(21);
  const nothing = [
    'x', 'A'.repeat(64), 'A'.repeat(63), '!'.repeat(64), 'A'.repeat(60_000), `${header}.${claims}.`, `${header}.${claims}.${other}`,
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
