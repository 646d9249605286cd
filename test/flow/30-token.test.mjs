// SPDX-License-Identifier: Apache-2.0
// The token endpoint: who may redeem which code how, what a token says, and what it says to everybody else.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { appUri, assertError, basic, client, decode, getCode, redeem, revoke, secretOf, token, userinfo, verifierOf } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const server = await startInstance({
  conf:
    client('spa', { extra: skip }) +
    client('spa2', { extra: skip }) +
    client('far', { uri: ['https://far.example.test/callback'], extra: skip }) +
    client('web', { type: 'web', extra: [...skip, 'OAuth2ASClientAuth client_secret_basic client_secret_post'] }) +
    client('basic-only', { type: 'web', extra: [...skip, 'OAuth2ASClientAuth client_secret_basic'] }) +
    client('post-only', { type: 'web', extra: [...skip, 'OAuth2ASClientAuth client_secret_post'] }) +
    client('loose', { type: 'web', extra: [...skip, 'OAuth2ASRequire -pkce'] }) +
    client('hasty', { extra: [...skip, 'OAuth2ASLifetime code 1s'] }) +
    client('odd-id+%&:/~', { type: 'web', extra: skip }) +
    client('short', { extra: [...skip, 'OAuth2ASLifetime access-token 77s', 'OAuth2ASLifetime id-token 99s'] }),
});
const api = 'https://api.example.test/';

test('a code becomes tokens', async () => {
  const got = await getCode(server);
  const answer = await redeem(server, got);
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.equal(answer.json.token_type, 'Bearer');
  assert.equal(answer.json.expires_in, 300);
  assert.equal(answer.json.scope, 'openid profile email');
  assert.equal(answer.json.refresh_token, undefined);
});

test('the ID token says what OpenID Connect asks for', async () => {
  const got = await getCode(server);
  const { json } = await redeem(server, got);
  const { header, claims } = decode(json.id_token);
  assert.equal(header.alg, 'RS256');
  assert.equal(claims.iss, server.issuer);
  assert.equal(claims.sub, 'oauth2as|alice');
  assert.equal(claims.aud, 'spa');
  assert.equal(claims.nonce, got.params.nonce);
  assert.equal(claims.exp - claims.iat, 3600);
  assert.ok(Math.abs(claims.iat - Date.now() / 1000) < 10);
  assert.ok(claims.auth_time <= claims.iat);
  const hash = createHash('sha256').update(json.access_token).digest();
  assert.equal(claims.at_hash, hash.subarray(0, 16).toString('base64url'));
  assert.equal(claims.nbf, undefined);
});

test('the access token is the JWT of RFC 9068 and verifies with the published key', async () => {
  const { json } = await redeem(server, await getCode(server, { audience: api, scope: 'openid read:items' }));
  const { header, claims } = decode(json.access_token);
  assert.equal(header.typ.toLowerCase(), 'at+jwt');
  assert.equal(claims.iss, server.issuer);
  assert.deepEqual(claims.aud, [api, server.url('userinfo')]);
  assert.equal(claims.client_id, 'spa');
  assert.equal(claims.scope, 'openid read:items');
  assert.equal(claims.exp - claims.iat, 300);
  assert.ok(claims.jti && claims.sub);
  const keys = (await request(server.url('.well-known/jwks.json'))).json.keys;
  const key = createPublicKey({ key: keys.find(({ kid }) => kid === header.kid), format: 'jwk' });
  const at = json.access_token.lastIndexOf('.');
  const signed = Buffer.from(json.access_token.slice(0, at));
  assert.ok(verify('sha256', signed, key, Buffer.from(json.access_token.slice(at + 1), 'base64url')));
});

test('without an API the token is for the issuer; with one and without openid for the API alone', async () => {
  const plain = decode((await redeem(server, await getCode(server))).json.access_token).claims;
  assert.equal(plain.aud, server.issuer);
  const { json } = await redeem(server, await getCode(server, { resource: api, scope: 'read:items' }));
  assert.equal(decode(json.access_token).claims.aud, api);
  assert.equal(json.id_token, undefined);
});

test('lifetimes of a client', async () => {
  const { json } = await redeem(server, await getCode(server, { client_id: 'short' }));
  assert.equal(json.expires_in, 77);
  const { claims } = decode(json.id_token);
  assert.equal(claims.exp - claims.iat, 99);
});

test('a code is good once, and its replay ends what came of it', async () => {
  const got = await getCode(server);
  const first = await redeem(server, got);
  assert.equal(first.status, 200);
  const headers = { authorization: `Bearer ${first.json.access_token}` };
  assert.equal((await request(server.url('userinfo'), { headers })).status, 200);
  assertError(await redeem(server, got), 400, 'invalid_grant');
  assert.equal((await request(server.url('userinfo'), { headers })).status, 401);
});

test("somebody else's attempt at a used code changes nothing", async () => {
  const got = await getCode(server);
  const { json } = await redeem(server, got);
  assertError(await redeem(server, got, { client_id: 'spa2' }), 400, 'invalid_grant');
  assertError(await redeem(server, got, { code_verifier: verifierOf() }), 400, 'invalid_grant');
  assertError(await redeem(server, got, { redirect_uri: 'https://evil.example/' }), 400, 'invalid_grant');
  assert.equal((await request(server.url('userinfo'), { headers: { authorization: `Bearer ${json.access_token}` } })).status, 200);
});

test("somebody else's attempt at a fresh code does not spoil it", async () => {
  const got = await getCode(server);
  assertError(await redeem(server, got, { client_id: 'spa2' }), 400, 'invalid_grant');
  assertError(await redeem(server, got, { code_verifier: verifierOf() }), 400, 'invalid_grant');
  assertError(await redeem(server, got, { code_verifier: undefined }), 400, 'invalid_grant');
  assertError(await redeem(server, got, { redirect_uri: 'https://evil.example/' }), 400, 'invalid_grant');
  assert.equal((await redeem(server, got)).status, 200);
});

test('an expired code', async () => {
  const got = await getCode(server, { client_id: 'hasty' });
  await sleep(1600);
  assertError(await redeem(server, got), 400, 'invalid_grant');
});

const badCodes = { empty: '', short: 'abc', invented: 'A'.repeat(64), 'with odd characters': 'ü{}"\\', long: 'A'.repeat(10_000) };
for (const [what, code] of Object.entries(badCodes)) {
  test(`a code that is ${what}`, async () => {
    const answer = await redeem(server, { ...(await getCode(server)), code });
    assertError(answer, 400, what === 'empty' ? 'invalid_request' : 'invalid_grant');
  });
}

test('half a code, and a code with another end', async () => {
  const got = await getCode(server);
  assertError(await redeem(server, got, { code: got.code.slice(0, got.code.length / 2) }), 400, 'invalid_grant');
  const end = got.code.endsWith('A') ? 'E' : 'A';
  assertError(await redeem(server, got, { code: got.code.slice(0, -1) + end }), 400, 'invalid_grant');
  assert.equal((await redeem(server, got)).status, 200);
});

test('redirect_uri may be left out where PKCE was used', async () => {
  assert.equal((await redeem(server, await getCode(server), { redirect_uri: undefined })).status, 200);
});

test('without PKCE it must be there', async () => {
  const plain = { client_id: 'loose', code_challenge: undefined, code_challenge_method: undefined };
  const form = { code_verifier: undefined, client_secret: secretOf('loose') };
  assertError(await redeem(server, await getCode(server, plain), { ...form, redirect_uri: undefined }), 400, 'invalid_request');
  assert.equal((await redeem(server, await getCode(server, plain), form)).status, 200);
});

test('PKCE downgrade: a verifier where there was no challenge, no verifier where there was one', async () => {
  const plain = await getCode(server, { client_id: 'loose', code_challenge: undefined, code_challenge_method: undefined });
  assertError(await redeem(server, plain, { client_secret: secretOf('loose') }), 400, 'invalid_grant');
  const strict = await getCode(server, { client_id: 'loose' });
  assertError(await redeem(server, strict, { client_secret: secretOf('loose'), code_verifier: undefined }), 400, 'invalid_grant');
});

test('a malformed verifier', async () => {
  for (const bad of ['short', 'a'.repeat(129), `${'a'.repeat(42)} `, `${'a'.repeat(42)}ü`]) {
    assertError(await redeem(server, await getCode(server), { code_verifier: bad }), 400, 'invalid_request');
  }
});

test('client_secret_basic and client_secret_post', async () => {
  const byHeader = await redeem(server, await getCode(server, { client_id: 'web' }), { client_id: undefined }, { authorization: basic('web', secretOf('web')) });
  assert.equal(byHeader.status, 200, byHeader.text);
  const byBody = await redeem(server, await getCode(server, { client_id: 'web' }), { client_secret: secretOf('web') });
  assert.equal(byBody.status, 200, byBody.text);
  const named = await redeem(server, await getCode(server, { client_id: 'web' }), {}, { authorization: basic('web', secretOf('web')) });
  assert.equal(named.status, 200, 'the same client_id in the body does no harm');
});

test('an id with every odd character, percent-encoded in the header', async () => {
  const id = 'odd-id+%&:/~';
  const answer = await redeem(server, await getCode(server, { client_id: id }), { client_id: undefined }, { authorization: basic(id, secretOf(id)) });
  assert.equal(answer.status, 200, answer.text);
});

test('wrong ways to authenticate', async () => {
  const got = await getCode(server, { client_id: 'web' });
  const bad = async (form, headers, status, error) => {
    const answer = await redeem(server, got, form, headers);
    assertError(answer, status, error);
    return answer;
  };
  const none = { client_id: undefined };
  assert.match((await bad(none, { authorization: basic('web', 'wrong') }, 401, 'invalid_client')).headers['www-authenticate'], /^Basic /);
  await bad(none, { authorization: basic('nobody', secretOf('web')) }, 401, 'invalid_client');
  await bad(none, { authorization: basic('spa', '') }, 401, 'invalid_client');
  await bad({ client_secret: 'wrong' }, {}, 401, 'invalid_client');
  await bad({ client_secret: secretOf('loose') }, {}, 401, 'invalid_client');
  await bad({}, {}, 401, 'invalid_client');
  await bad(none, {}, 401, 'invalid_client');
  await bad({ client_id: 'nobody' }, {}, 401, 'invalid_client');
  await bad({ client_id: 'nobody', client_secret: 'x' }, {}, 401, 'invalid_client');
  await bad({ client_secret: secretOf('web') }, { authorization: basic('web', secretOf('web')) }, 400, 'invalid_request');
  await bad({ client_id: 'loose' }, { authorization: basic('web', secretOf('web')) }, 400, 'invalid_request');
  for (const header of ['Basic', 'Basic !', 'Basic d2Vi', `Basic ${Buffer.from('web:%zz').toString('base64')}`, `Basic ${Buffer.from('web:\0').toString('base64')}`]) {
    await bad(none, { authorization: header }, 401, 'invalid_client');
  }
  await bad({ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: 'e30.e30.' }, {}, 401, 'invalid_client');
  assert.equal((await redeem(server, got, none, { authorization: basic('web', secretOf('web')) })).status, 200, 'the code is still good');
});

test('a method that the client is not registered for', async () => {
  const post = await getCode(server, { client_id: 'post-only' });
  assertError(await redeem(server, post, { client_id: undefined }, { authorization: basic('post-only', secretOf('post-only')) }), 401, 'invalid_client');
  const header = await getCode(server, { client_id: 'basic-only' });
  assertError(await redeem(server, header, { client_secret: secretOf('basic-only') }), 401, 'invalid_client');
});

test('unknown client and wrong secret read the same', async () => {
  const a = await token(server, { grant_type: 'authorization_code', code: 'x', client_id: 'web', client_secret: 'wrong' });
  const b = await token(server, { grant_type: 'authorization_code', code: 'x', client_id: 'nobody', client_secret: 'wrong' });
  assert.deepEqual(a.json, b.json);
});

test('grant types', async () => {
  const id = { client_id: 'spa' };
  assertError(await token(server, id), 400, 'invalid_request');
  assertError(await token(server, { ...id, grant_type: 'password', username: 'alice', password: 'correct horse' }), 400, 'unsupported_grant_type');
  assertError(await token(server, { ...id, grant_type: 'Authorization_Code', code: 'x' }), 400, 'unsupported_grant_type');
  assertError(await token(server, { ...id, grant_type: 'authorization_code' }), 400, 'invalid_request');
});

test('other methods', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await request(server.url('oauth/token'), { method });
    assertError(answer, 405, 'invalid_request');
    assert.match(answer.headers.allow, /POST/);
  }
});

const listOf = (header) => header.toLowerCase().split(/, */).sort();

test('a page may read the answer when its origin is that of the client, and not otherwise', async () => {
  const origin = new URL(appUri).origin;
  const got = await getCode(server);
  const answer = await redeem(server, got, {}, { origin });
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  assert.match(answer.headers.vary, /origin/i);
  const failed = await redeem(server, got, {}, { origin });
  assert.equal(failed.headers['access-control-allow-origin'], origin, 'errors too');
  const stranger = await redeem(server, await getCode(server), {}, { origin: 'https://evil.example' });
  assert.equal(stranger.headers['access-control-allow-origin'], undefined);
  const neighbour = await redeem(server, await getCode(server), {}, { origin: 'https://far.example.test' });
  assert.equal(neighbour.headers['access-control-allow-origin'], undefined, "another client's origin is not this one's");
});

test('what a page may read of an answer beside its body, at each endpoint that pages call', async () => {
  const headers = { origin: new URL(appUri).origin };
  const answers = {
    token: await redeem(server, await getCode(server), {}, headers),
    'a refusal at token': await token(server, { grant_type: 'authorization_code', client_id: 'spa' }, headers),
  };
  answers.userinfo = await userinfo(server, answers.token.json.access_token, { headers });
  answers.revoke = await revoke(server, { token: answers.token.json.access_token, client_id: 'spa' }, headers);
  answers['a refusal at revoke'] = await revoke(server, { client_id: 'spa' }, headers);
  answers['a refusal at userinfo'] = await userinfo(server, answers.token.json.access_token, { headers });
  for (const [name, answer] of Object.entries(answers)) {
    assert.equal(answer.headers['access-control-allow-origin'], headers.origin, name);
    assert.deepEqual(listOf(answer.headers['access-control-expose-headers']), ['dpop-nonce', 'retry-after', 'www-authenticate'], name);
    assert.match(answer.headers.vary, /origin/i, name);
    assert.equal(answer.headers['access-control-allow-credentials'], undefined, name);
  }
  assert.equal(answers['a refusal at userinfo'].status, 401);
  const stranger = await revoke(server, { token: 'x', client_id: 'spa' }, { origin: 'https://evil.example' });
  assert.equal(stranger.headers['access-control-expose-headers'], undefined);
});

test('preflights are answered for registered origins', async () => {
  const ask = (where, origin) =>
    request(server.url(where), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
    });
  for (const where of ['oauth/token', 'oauth/revoke', 'userinfo']) {
    for (const origin of ['https://app.example.test', 'https://far.example.test']) {
      const answer = await ask(where, origin);
      assert.equal(answer.status, 204);
      assert.equal(answer.headers['access-control-allow-origin'], origin);
      assert.match(answer.headers['access-control-allow-methods'], /POST/);
      assert.deepEqual(listOf(answer.headers['access-control-allow-headers']), ['auth0-client', 'authorization', 'content-type', 'dpop', 'x-request-language']);
    }
    assert.equal((await ask(where, 'https://evil.example')).headers['access-control-allow-origin'], undefined);
    assert.equal((await ask(where, 'null')).headers['access-control-allow-origin'], undefined);
  }
});
