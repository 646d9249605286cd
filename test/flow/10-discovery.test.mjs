// SPDX-License-Identifier: Apache-2.0
// Metadata and keys: what every client reads first.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createPublicKey, createHash } from 'node:crypto';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { client } from './lib/oauth.mjs';

const server = await startInstance({ conf: client('spa') });

test('the OpenID configuration names every endpoint below the issuer', async () => {
  const answer = await request(server.url('.well-known/openid-configuration'));
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'], /^application\/json/);
  const metadata = answer.json;
  assert.equal(metadata.issuer, server.issuer);
  assert.equal(metadata.authorization_endpoint, server.url('authorize'));
  assert.equal(metadata.token_endpoint, server.url('oauth/token'));
  assert.equal(metadata.userinfo_endpoint, server.url('userinfo'));
  assert.equal(metadata.jwks_uri, server.url('.well-known/jwks.json'));
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  assert.deepEqual(metadata.response_types_supported, ['code']);
  assert.deepEqual(metadata.code_challenge_methods_supported, ['S256']);
  assert.deepEqual([...metadata.id_token_signing_alg_values_supported].sort(), ['ES256', 'EdDSA', 'PS256', 'RS256']);
  for (const scope of ['openid', 'profile', 'email', 'read:items', 'write:items']) {
    assert.ok(metadata.scopes_supported.includes(scope), scope);
  }
  for (const mode of ['query', 'fragment', 'form_post']) assert.ok(metadata.response_modes_supported.includes(mode), mode);
});

test('the metadata names nothing that does not answer', async () => {
  const { json } = await request(server.url('.well-known/openid-configuration'));
  for (const [name, value] of Object.entries(json)) {
    if (!/_endpoint$|_uri$/.test(name)) continue;
    const answer = await request(value, { headers: { accept: 'application/json' } });
    assert.notEqual(answer.status, 404, `${name} ${value}`);
    assert.ok(answer.status < 500, `${name} ${value} answers ${answer.status}`);
  }
});

test('OAuth metadata stands where RFC 8414 puts it', async () => {
  const openid = await request(server.url('.well-known/openid-configuration'));
  const oauth = await request(server.url('.well-known/oauth-authorization-server'));
  assert.equal(oauth.status, 200);
  assert.deepEqual(oauth.json, openid.json);
});

test('the key set holds public keys only, each named by its thumbprint', async () => {
  const { json, status } = await request(server.url('.well-known/jwks.json'));
  assert.equal(status, 200);
  assert.deepEqual(json.keys.map(({ alg }) => alg).sort(), ['ES256', 'EdDSA', 'PS256', 'RS256']);
  const members = { RSA: ['e', 'kty', 'n'], EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'] };
  for (const key of json.keys) {
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[secret], undefined);
    createPublicKey({ key, format: 'jwk' });
    const canonical = JSON.stringify(Object.fromEntries(members[key.kty].map((name) => [name, key[name]])));
    const thumbprint = createHash('sha256').update(canonical).digest('base64url');
    assert.equal(key.kid, key.alg === 'PS256' ? `${thumbprint}-PS256` : thumbprint, 'kid by RFC 7638; an RSA key may serve two algorithms');
    assert.equal(key.use, 'sig');
  }
});

for (const where of ['.well-known/jwks.json', '.well-known/openid-configuration']) {
  test(`${where} is cacheable, has an ETag, and may be read from any page`, async () => {
    const first = await request(server.url(where), { headers: { origin: 'https://anybody.example' } });
    assert.match(first.headers['cache-control'], /max-age=\d+/);
    assert.ok(first.headers.etag);
    assert.equal(first.headers['access-control-allow-origin'], '*');
    const again = await request(server.url(where), { headers: { 'if-none-match': first.headers.etag } });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
    const other = await request(server.url(where), { headers: { 'if-none-match': '"another"' } });
    assert.equal(other.status, 200);
    const head = await request(server.url(where), { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
  });

  test(`${where} refuses other methods in JSON`, async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await request(server.url(where), { method });
      assert.equal(answer.status, 405, method);
      assert.match(answer.headers.allow, /GET/);
      assert.match(answer.headers['content-type'], /^application\/json/);
      assert.ok(answer.json.error);
    }
  });
}

test('URLs come from the issuer, whatever Host and X-Forwarded say', async () => {
  const answer = await request(server.url('.well-known/openid-configuration'), {
    headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
  });
  assert.equal(answer.json.issuer, server.issuer);
  assert.doesNotMatch(answer.text, /evil/);
});

test('the metadata announces what any client may use, and no exotic method that nobody has', async () => {
  const { json } = await request(server.url('.well-known/openid-configuration'));
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
  assert.deepEqual([...json.token_endpoint_auth_methods_supported].sort(), [...methods, 'none'].sort());
  assert.deepEqual([...json.revocation_endpoint_auth_methods_supported].sort(), [...methods, 'none'].sort());
  assert.deepEqual([...json.introspection_endpoint_auth_methods_supported].sort(), methods);
  assert.deepEqual([...json.token_endpoint_auth_signing_alg_values_supported].sort(), ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256']);
  assert.equal(json.tls_client_certificate_bound_access_tokens, false);
  assert.equal(json.mtls_endpoint_aliases, undefined);
  for (const claim of ['c_hash', 's_hash']) assert.ok(!json.claims_supported.includes(claim), claim);
});

test('other paths of the virtual host are left to httpd', async () => {
  const answer = await request(server.url('nothing/here'));
  assert.equal(answer.status, 404);
});

test('metrics are not there unless the configuration gives them a path', async () => {
  assert.equal((await request(server.url('oauth2as/metrics'))).status, 404);
});
