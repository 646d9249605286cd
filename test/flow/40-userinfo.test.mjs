// SPDX-License-Identifier: Apache-2.0
// The userinfo endpoint: claims by scope, and every way a token can be wrong.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { client, getCode, redeem, userinfo } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const server = await startInstance({
  conf: client('spa', { extra: skip }) + client('hasty', { extra: [...skip, 'OAuth2ASLifetime access-token 1s'] }),
});
const auth0 = await startInstance({
  conf: `OAuth2ASProfile auth0\n${client('spa', { extra: skip })}${client('passport', { extra: [...skip, 'OAuth2ASQueryToken on'] })}`,
});
const api = 'https://api.example.test/';

async function tokens(overrides) {
  const answer = await redeem(server, await getCode(server, overrides));
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

function assertRefused(answer, status, error) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.match(answer.headers['www-authenticate'], /^Bearer /);
  if (error) {
    assert.equal(answer.json.error, error);
    assert.match(answer.headers['www-authenticate'], new RegExp(`error="${error}"`));
  }
}

test('claims follow the scopes', async () => {
  const all = (await userinfo(server, (await tokens()).access_token)).json;
  assert.deepEqual(all, {
    sub: 'oauth2as|alice',
    name: 'Alice Example',
    given_name: 'Alice',
    family_name: 'Example',
    email: 'alice@example.test',
    email_verified: true,
  });
  const email = (await userinfo(server, (await tokens({ scope: 'openid email' })).access_token)).json;
  assert.deepEqual(email, { sub: 'oauth2as|alice', email: 'alice@example.test', email_verified: true });
  const bare = (await userinfo(server, (await tokens({ scope: 'openid' })).access_token)).json;
  assert.deepEqual(bare, { sub: 'oauth2as|alice' });
});

test('GET with a header, POST with a header, POST with a form', async () => {
  const { access_token } = await tokens();
  assert.equal((await userinfo(server, access_token)).status, 200);
  assert.equal((await userinfo(server, access_token, { method: 'POST' })).status, 200);
  const form = await request(server.url('userinfo'), { form: { access_token } });
  assert.equal(form.status, 200);
  assert.match(form.headers['cache-control'], /no-store/);
});

test('never in the query', async () => {
  const { access_token } = await tokens();
  assertRefused(await request(server.url('userinfo', { access_token })), 401);
});

test('in profile auth0 in the query, from the client that is configured for it', async () => {
  const ask = (id, query) => getCode(auth0, { client_id: id }).then((got) => redeem(auth0, got)).then(({ json }) => request(auth0.url('userinfo', query(json))));
  const answer = await ask('passport', ({ access_token }) => ({ access_token }));
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.sub, 'oauth2as|alice');
  assert.match(answer.headers['cache-control'], /no-store/);
  const other = await ask('spa', ({ access_token }) => ({ access_token }));
  assertRefused(other, 401);
  assert.doesNotMatch(other.headers['www-authenticate'], /error=/, 'as if none had been sent');
  assertRefused(await ask('passport', ({ access_token }) => ({ access_token: `${access_token}x` })), 401, 'invalid_token');
  const { json } = await redeem(auth0, await getCode(auth0, { client_id: 'passport' }));
  assertRefused(await request(auth0.url('userinfo', { access_token: json.access_token }), { headers: { authorization: `Bearer ${json.access_token}` } }), 400, 'invalid_request');
});

test('not twice', async () => {
  const { access_token } = await tokens();
  assertRefused(await userinfo(server, access_token, { form: { access_token } }), 400, 'invalid_request');
});

test('no token: a challenge without an error', async () => {
  const answer = await request(server.url('userinfo'));
  assertRefused(answer, 401);
  assert.doesNotMatch(answer.headers['www-authenticate'], /error=/);
  assertRefused(await request(server.url('userinfo'), { headers: { authorization: 'Basic d2ViOng=' } }), 401);
});

test('a token for an API with openid is good, without openid it is not', async () => {
  const both = await tokens({ audience: api, scope: 'openid email read:items' });
  assert.equal((await userinfo(server, both.access_token)).json.email, 'alice@example.test');
  const only = await tokens({ audience: api, scope: 'read:items' });
  assertRefused(await userinfo(server, only.access_token), 401, 'invalid_token');
  const alone = await tokens({ scope: 'email' });
  assertRefused(await userinfo(server, alone.access_token), 403, 'insufficient_scope');
});

test('an ID token is no access token', async () => {
  assertRefused(await userinfo(server, (await tokens()).id_token), 401, 'invalid_token');
});

test('an expired token', async () => {
  const { access_token } = await tokens({ client_id: 'hasty' });
  await sleep(2100);
  assertRefused(await userinfo(server, access_token), 401, 'invalid_token');
});

test('every part of the token counts', async () => {
  const { access_token } = await tokens();
  const [header, claims, signature] = access_token.split('.');
  const json = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const text = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const other = (part) => part.slice(0, 20) + (part[20] === 'A' ? 'B' : 'A') + part.slice(21);
  const forged = {
    'another signature': [header, claims, other(signature)],
    'no signature': [header, claims, ''],
    'other claims': [header, text({ ...json(claims), sub: 'oauth2as|bob' }), signature],
    'alg none': [text({ ...json(header), alg: 'none' }), claims, ''],
    'alg None': [text({ ...json(header), alg: 'None' }), claims, signature],
    'alg HS256': [text({ ...json(header), alg: 'HS256' }), claims, signature],
    'alg PS256': [text({ ...json(header), alg: 'PS256' }), claims, signature],
    'another kid': [text({ ...json(header), kid: 'x' }), claims, signature],
    'a key of its own': [text({ ...json(header), jwk: { kty: 'oct', k: 'AAAA' } }), claims, signature],
    crit: [text({ ...json(header), crit: ['x'], x: 1 }), claims, signature],
    'two parts': [header, claims],
    'four parts': [header, claims, signature, 'x'],
    'one part': [header],
    'another text': ['x'.repeat(5000)],
  };
  for (const [what, parts] of Object.entries(forged)) {
    const answer = await userinfo(server, parts.join('.'));
    assert.equal(answer.status, 401, what);
    assert.equal(answer.json.error, 'invalid_token', what);
  }
  assert.equal((await userinfo(server, access_token)).status, 200);
});

test('other methods', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const answer = await request(server.url('userinfo'), { method });
    assert.equal(answer.status, 405);
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.match(answer.headers.allow, /GET/);
  }
});

test("a page may read the answer when its origin is that of the token's client", async () => {
  const { access_token } = await tokens();
  const origin = 'https://app.example.test';
  const answer = await userinfo(server, access_token, { headers: { origin } });
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  const stranger = await userinfo(server, access_token, { headers: { origin: 'https://evil.example' } });
  assert.equal(stranger.headers['access-control-allow-origin'], undefined);
});
