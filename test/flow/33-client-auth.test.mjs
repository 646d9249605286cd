// SPDX-License-Identifier: Apache-2.0
// Clients that authenticate by a signed assertion: by key, by secret; what is refused, and that each one is good once.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createPublicKey, randomUUID } from 'node:crypto';
import { startInstance, untilBack } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { assertError, basic, client, getCode, redeem, secretOf, token } from './lib/oauth.mjs';
import { assertionClaims, assertionForm, assertionType, keyAlgs, makeKey, signJws } from './lib/assertion.mjs';

const api = 'https://api.example.test/';
const keys = Object.fromEntries(keyAlgs.map((alg) => [alg, makeKey(alg, `key-${alg}`)]));
const nameless = makeKey('ES256');
const both = 'OAuth2ASGrantTypes authorization_code client_credentials';
const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const secretFile = (id) => `OAuth2ASClientSecret file:\${OAS_DIR}/${id}.secret`;

/** A client without the secret that type web usually has. */
const keyed = (id, extra) => client(id, { type: 'web', extra: [both, ...skip, ...extra] }).replace(/OAuth2ASClientSecret sha256:.*\n/, '');
const conf =
  keyed('keyed', ['OAuth2ASClientAuth private_key_jwt', 'OAuth2ASClientKeys file:${OAS_DIR}/keys.json']) +
  keyed('nameless', ['OAuth2ASClientAuth private_key_jwt', 'OAuth2ASClientKeys file:${OAS_DIR}/nameless.json']) +
  keyed('strict', ['OAuth2ASClientAuth private_key_jwt', 'OAuth2ASClientKeys file:${OAS_DIR}/keys.json', 'OAuth2ASAssertionAudience issuer']) +
  keyed('hmac', ['OAuth2ASClientAuth client_secret_jwt', secretFile('hmac'), secretFile('hmac-next')]) +
  client('web', { type: 'web', extra: [both, ...skip] }) +
  client('changing', { type: 'web', extra: [both, 'OAuth2ASClientSecret file:${OAS_DIR}/changing.secret'] }) +
  client('any', { type: 'web', extra: [both, 'OAuth2ASClientAuth client_secret_basic client_secret_post private_key_jwt', 'OAuth2ASClientKeys file:${OAS_DIR}/keys.json'] });
const newSecret = 'the next secret, with more than thirty-two characters';
const server = await startInstance({
  conf,
  prepare: (dir) => {
    const write = (name, content) => fs.writeFileSync(path.join(dir, name), content, { mode: 0o600 });
    write('keys.json', JSON.stringify({ keys: [{ kty: 'oct-unknown', kid: 'x' }, ...keyAlgs.map((alg) => keys[alg].jwk)] }));
    write('nameless.json', JSON.stringify({ keys: [keys.ES256.jwk, nameless.jwk] }));
    write('hmac.secret', secretOf('hmac'));
    write('hmac-next.secret', newSecret);
    write('changing.secret', newSecret);
  },
});

const credentials = (form, headers) => token(server, { grant_type: 'client_credentials', resource: api, ...form }, headers);
const ask = (id, key, options, more = {}) => credentials({ ...assertionForm(server, id, key, options), ...more });

async function assertRefused(answer, error = 'invalid_client', status = 401) {
  assertError(await answer, status, error);
}

for (const alg of keyAlgs) {
  test(`private_key_jwt with ${alg}`, async () => {
    const answer = await ask('keyed', keys[alg]);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await ask('keyed', keys[alg], { header: { kid: undefined } })).status, 200, 'without kid');
    await assertRefused(ask('keyed', makeKey(alg, `key-${alg}`)));
    await assertRefused(ask('keyed', keys[alg], { header: { kid: 'other' } }));
  });
}

test('a key without a name, and EdDSA by the name of its curve', async () => {
  assert.equal((await ask('nameless', nameless, { header: { kid: 'whatever' } })).status, 200);
  assert.equal((await ask('keyed', keys.EdDSA, { header: { alg: 'Ed25519' } })).status, 200);
});

test('at the code as well, with client_id or without', async () => {
  for (const client_id of ['keyed', undefined]) {
    const got = await getCode(server, { client_id: 'keyed' });
    const answer = await redeem(server, got, { client_id, ...assertionForm(server, 'keyed', keys.ES256) });
    assert.equal(answer.status, 200, answer.text);
  }
});

const url = (where) => server.url(where);
const now = () => Math.floor(Date.now() / 1000);
const good = {
  'the token endpoint': () => ({ aud: url('oauth/token') }),
  'several audiences': () => ({ aud: ['https://elsewhere.example/', server.issuer] }),
  'no iat': () => ({ iat: undefined }),
  'an hour ahead': () => ({ exp: now() + 3600 }),
  'just expired, within the skew': () => ({ exp: now() - 5 }),
};
for (const [what, claims] of Object.entries(good)) {
  test(`taken: ${what}`, async () => assert.equal((await ask('keyed', keys.ES256, { claims: claims() })).status, 200));
}

const bad = {
  'the issuer without its slash': () => ({ aud: server.issuer.slice(0, -1) }),
  'a foreign audience': () => ({ aud: 'https://elsewhere.example/' }),
  'no audience': () => ({ aud: undefined }),
  'a foreign iss': () => ({ iss: 'web' }),
  'a foreign sub': () => ({ sub: 'web' }),
  'no iss': () => ({ iss: undefined }),
  'no sub': () => ({ sub: undefined }),
  'no exp': () => ({ exp: undefined }),
  'an expired one': () => ({ exp: now() - 120 }),
  'a day ahead': () => ({ exp: now() + 86400 }),
  'not yet': () => ({ nbf: now() + 120 }),
  'issued tomorrow': () => ({ iat: now() + 86400 }),
  'no jti': () => ({ jti: undefined }),
  'a jti that is no string': () => ({ jti: 7 }),
};
for (const [what, claims] of Object.entries(bad)) {
  test(`refused: ${what}`, () => assertRefused(ask('keyed', keys.ES256, { claims: claims() })));
}

test('what is refused on the wire in one way is told apart in the error log', async () => {
  const before = server.log().length;
  await ask('keyed', keys.ES256, { claims: bad['a foreign audience']() });
  await ask('keyed', keys.ES256, { claims: bad['an expired one']() });
  await ask('keyed', makeKey('ES256', 'key-ES256'));
  const log = server.log().slice(before);
  for (const word of [/aud is neither the issuer nor the token endpoint/, /it has expired/, /signature wrong/]) assert.match(log, word);
  assert.doesNotMatch(log, /eyJ/, 'no assertion in the log');
});

test('issuer alone where the client is held to that', async () => {
  assert.equal((await ask('strict', keys.ES256)).status, 200);
  await assertRefused(ask('strict', keys.ES256, { claims: { aud: [server.issuer] } }));
  await assertRefused(ask('strict', keys.ES256, { claims: { aud: url('oauth/token') } }));
});

test('an assertion is good once, also for another request, and of many at once one wins', async () => {
  const form = assertionForm(server, 'keyed', keys.ES256);
  assert.equal((await credentials(form)).status, 200);
  await assertRefused(credentials(form));
  await assertRefused(redeem(server, await getCode(server, { client_id: 'keyed' }), form));
  for (let round = 0; round < 5; round++) {
    const shared = assertionForm(server, 'keyed', keys.ES256);
    const statuses = (await Promise.all(Array.from({ length: 16 }, () => credentials(shared)))).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, ...Array(15).fill(401)]);
  }
});

test('an assertion is good once on all nodes together', async () => {
  const elsewhere = await server.neighbour();
  const at = (where, form) => request(where('oauth/token'), { form: { grant_type: 'client_credentials', resource: api, ...form } });
  const nodes = [server.url.bind(server), elsewhere];
  for (let round = 0; round < 6; round++) {
    const [one, other] = round % 2 ? nodes : nodes.slice().reverse();
    const form = assertionForm(server, 'keyed', keys.ES256);
    assert.equal((await at(one, form)).status, 200);
    await assertRefused(at(other, form));
    const shared = assertionForm(server, 'keyed', keys.ES256);
    const statuses = (await Promise.all(Array.from({ length: 8 }, (_, i) => at(nodes[i % 2], shared)))).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, ...Array(7).fill(401)]);
  }
});

test('the same jti of another client is another one', async () => {
  const jti = randomUUID();
  assert.equal((await ask('keyed', keys.ES256, { claims: { jti } })).status, 200);
  assert.equal((await ask('strict', keys.ES256, { claims: { jti } })).status, 200);
  await assertRefused(ask('keyed', keys.ES256, { claims: { jti } }));
});

test('an assertion that is refused does not use up its jti', async () => {
  const jti = randomUUID();
  await assertRefused(ask('keyed', makeKey('ES256', 'key-ES256'), { claims: { jti } }));
  await assertRefused(ask('keyed', keys.ES256, { claims: { jti, aud: 'https://elsewhere.example/' } }));
  assert.equal((await ask('keyed', keys.ES256, { claims: { jti } })).status, 200);
});

test('no signature, and a public key as the secret of an HMAC', async () => {
  const claims = assertionClaims(server, 'keyed');
  const parts = (header) => [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
    await assertRefused(credentials({ client_assertion_type: assertionType, client_assertion: `${parts({ alg })}.` }));
  }
  for (const format of [{ type: 'spki', format: 'pem' }, { type: 'pkcs1', format: 'pem' }]) {
    const pem = createPublicKey(keys.RS256.publicKey.export({ type: 'spki', format: 'pem' })).export(format);
    await assertRefused(ask('keyed', pem));
    await assertRefused(ask('hmac', pem));
  }
});

test('a key that the header brings along is not looked at', async () => {
  const own = makeKey('ES256');
  for (const header of [{ jwk: own.jwk }, { jku: 'http://127.0.0.1:1/keys' }, { x5u: 'http://127.0.0.1:1/cert' }, { x5c: ['AAAA'] }]) {
    await assertRefused(ask('keyed', own, { header: { ...header, kid: undefined } }));
    assert.equal((await ask('keyed', keys.ES256, { header })).status, 200, 'nor does it do harm');
  }
  await assertRefused(ask('keyed', keys.ES256, { header: { crit: ['exp'] } }));
});

test('what is no assertion', async () => {
  const texts = ['x', '..', 'e30.e30.', 'e30.e30.e30', signJws(keys.ES256, { alg: 'ES256' }, '[]'), signJws(keys.ES256, { alg: 'ES256' }, '"x"'),
    signJws(keys.ES256, { alg: 'ES256' }, '{"a":1,"a":2}'), signJws(keys.ES256, { alg: 'ES256' }, '['.repeat(5000)),
    signJws(keys.ES256, { alg: 'ES256', typ: 'at+jwt' }, assertionClaims(server, 'keyed')), 'ü', 'A'.repeat(50_000)];
  for (const client_assertion of texts) await assertRefused(credentials({ client_assertion_type: assertionType, client_assertion }));
  await assertRefused(ask('keyed', keys.ES256, { claims: { x: 'x'.repeat(40_000) } }));
  await assertRefused(ask('keyed', keys.ES256, { claims: { x: 'x'.repeat(100_000) } }), 'invalid_request', 413);
});

test('type and assertion belong together', async () => {
  const form = assertionForm(server, 'keyed', keys.ES256);
  await assertRefused(credentials({ client_assertion: form.client_assertion }));
  await assertRefused(credentials({ client_assertion_type: assertionType }));
  await assertRefused(credentials({ ...form, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }));
  assert.equal((await credentials(form)).status, 200);
});

test('one way to authenticate in a request', async () => {
  const form = () => assertionForm(server, 'any', keys.ES256);
  const header = { authorization: basic('any', secretOf('any')) };
  const body = { client_id: 'any', client_secret: secretOf('any') };
  assert.equal((await credentials(form())).status, 200);
  assert.equal((await credentials({}, header)).status, 200);
  assert.equal((await credentials(body)).status, 200);
  await assertRefused(credentials(form(), header), 'invalid_request', 400);
  await assertRefused(credentials({ ...form(), ...body }), 'invalid_request', 400);
  await assertRefused(credentials(body, header), 'invalid_request', 400);
  await assertRefused(credentials({ ...form(), ...body }, header), 'invalid_request', 400);
  await assertRefused(credentials({ ...form(), client_id: 'web' }), 'invalid_request', 400);
  assert.equal((await credentials({ ...form(), client_id: 'any' })).status, 200);
});

test('a method that the client is not registered for', async () => {
  await assertRefused(credentials({ ...assertionForm(server, 'web', keys.ES256) }));
  await assertRefused(credentials({ ...assertionForm(server, 'web', secretOf('web')) }));
  await assertRefused(credentials({ client_id: 'keyed' }));
  await assertRefused(credentials({ client_id: 'hmac', client_secret: secretOf('hmac') }));
  await assertRefused(ask('nobody', keys.ES256));
});

test('client_secret_jwt, with either of two secrets during a change', async () => {
  for (const secret of [secretOf('hmac'), newSecret]) assert.equal((await ask('hmac', secret)).status, 200);
  await assertRefused(ask('hmac', `${newSecret}.`));
  const got = await getCode(server, { client_id: 'hmac' });
  assert.equal((await redeem(server, got, { client_id: undefined, ...assertionForm(server, 'hmac', newSecret) })).status, 200);
  const form = assertionForm(server, 'hmac', newSecret);
  assert.equal((await credentials(form)).status, 200);
  await assertRefused(credentials(form));
});

test('either of two secrets in clear', async () => {
  for (const secret of [secretOf('changing'), newSecret]) {
    assert.equal((await credentials({ client_id: 'changing', client_secret: secret })).status, 200);
    assert.equal((await credentials({}, { authorization: basic('changing', secret) })).status, 200);
  }
  await assertRefused(credentials({ client_id: 'changing', client_secret: `${newSecret}.` }));
});

test('unknown client and wrong assertion read the same', async () => {
  const a = await ask('keyed', makeKey('ES256', 'key-ES256'));
  const b = await ask('nobody', makeKey('ES256', 'key-ES256'));
  assert.deepEqual([a.status, a.json], [b.status, b.json]);
});

test('revocation and introspection take assertions too, with their own address as audience', async () => {
  const { access_token } = (await ask('keyed', keys.ES256)).json;
  const form = () => assertionForm(server, 'keyed', keys.ES256, { claims: { aud: url('oauth/introspect') } });
  const seen = await request(url('oauth/introspect'), { form: { token: access_token, ...form() } });
  assert.equal(seen.json.active, true, seen.text);
  await assertRefused(request(url('oauth/revoke'), { form: { token: access_token, ...form() } }));
  const revoked = await request(url('oauth/revoke'), { form: { token: access_token, ...assertionForm(server, 'keyed', keys.ES256) } });
  assert.equal(revoked.status, 200, revoked.text);
});

test('metadata says what there is', async () => {
  const { json } = await request(url('.well-known/openid-configuration'));
  for (const method of ['private_key_jwt', 'client_secret_jwt']) assert.ok(json.token_endpoint_auth_methods_supported.includes(method), method);
  assert.ok(!json.token_endpoint_auth_methods_supported.some((method) => /tls/.test(method)), 'no client here has a certificate');
  for (const alg of [...keyAlgs, 'HS256']) assert.ok(json.token_endpoint_auth_signing_alg_values_supported.includes(alg), alg);
  assert.ok(!json.token_endpoint_auth_signing_alg_values_supported.includes('none'));
  assert.equal(json.tls_client_certificate_bound_access_tokens, false);
});

test('while the database is away it is not the client that is wrong', async () => {
  server.announce(/OAS00684/);
  server.announceAway();
  await server.postgres('stop', 'fast');
  try {
    const answer = await ask('keyed', keys.ES256);
    assert.equal(answer.status, 503);
    assert.equal(answer.json.error, 'temporarily_unavailable');
    assert.ok(Number(answer.headers['retry-after']) > 0);
    assert.equal((await credentials({}, { authorization: basic('web', secretOf('web')) })).status, 200, 'a secret needs no database');
  } finally {
    await server.postgres('start');
  }
  await untilBack(() => ask('keyed', keys.ES256)); // what there is to be logged of this comes before the test ends
});
