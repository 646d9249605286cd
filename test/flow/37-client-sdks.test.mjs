// SPDX-License-Identifier: Apache-2.0
// openid-client and oauth4webapi, unchanged from the registry, authenticate in each way beyond a plain secret: at the
// code, which a person at a browser got for them, and in their own name. And what a bound token is worth elsewhere.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { webcrypto } from 'node:crypto';
import { startInstance } from './lib/instance.mjs';
import { fetchWith, request } from './lib/http.mjs';
import { makeCertificates, thumbprint } from './lib/certificate.mjs';
import { appUri, assertError, client as section, decode, getCode, redeem, secretOf, userinfo } from './lib/oauth.mjs';
import { Surfer } from './lib/surfer.mjs';

const openid = await import('openid-client');
const oauth = await import('oauth4webapi');
const api = 'https://api.example.test/';
const scope = 'openid email read:items';
const both = ['OAuth2ASGrantTypes authorization_code refresh_token client_credentials', 'OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];

const algorithms = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
};
const pairs = {};
for (const [alg, how] of Object.entries(algorithms)) pairs[alg] = await webcrypto.subtle.generateKey(how, true, ['sign', 'verify']);
const jwks = await Promise.all(Object.values(pairs).map(async ({ publicKey }, i) => ({ ...(await webcrypto.subtle.exportKey('jwk', publicKey)), kid: Object.keys(pairs)[i], key_ops: undefined, ext: undefined })));

/** A client that authenticates in this way only. */
const only = (id, method, ...extra) =>
  section(id, { type: 'web', extra: [...both, `OAuth2ASClientAuth ${method}`, ...extra] }).replace(method.startsWith('client_secret') ? '' : /OAuth2ASClientSecret .*\n/, '');

let certificates;
const server = await startInstance({
  args: ['--tls', '--host', 'as1.localhost'],
  prepare(dir) {
    certificates = makeCertificates(dir);
    fs.writeFileSync(path.join(dir, 'keys.json'), JSON.stringify({ keys: jwks }));
    fs.writeFileSync(path.join(dir, 'secret'), secretOf('client_secret_jwt'), { mode: 0o600 });
  },
  conf:
    'SSLVerifyClient optional_no_ca\nSSLCACertificateFile ${OAS_DIR}/clients.pem\n' +
    only('private_key_jwt', 'private_key_jwt', 'OAuth2ASClientKeys file:${OAS_DIR}/keys.json') +
    only('client_secret_jwt', 'client_secret_jwt', 'OAuth2ASClientSecret file:${OAS_DIR}/secret').replace(/OAuth2ASClientSecret sha256:.*\n/, '') +
    only('tls_client_auth', 'tls_client_auth', 'OAuth2ASClientCertificate "subject=CN=shop,O=Example"', 'OAuth2ASRequire mtls') +
    only('by-name', 'tls_client_auth', 'OAuth2ASClientCertificate san-dns=shop.example.test') +
    only('self_signed_tls_client_auth', 'self_signed_tls_client_auth', 'OAuth2ASClientKeys file:${OAS_DIR}/own.json', 'OAuth2ASRequire mtls') +
    section('bound-spa', { type: 'native', uri: 'com.example.app:/callback', extra: ['OAuth2ASRequire mtls', 'OAuth2ASFirstParty on'] }),
});
const { named, own } = certificates;
const shows = (certificate) => ({ cert: certificate.pem, key: certificate.key });

// How each library is told to authenticate; and the certificate it uses.
const ways = [
  ...Object.keys(algorithms).map((alg) => ({ what: `private_key_jwt, ${alg}`, id: 'private_key_jwt', make: (lib) => lib.PrivateKeyJwt({ key: pairs[alg].privateKey, kid: alg }) })),
  { what: 'private_key_jwt without kid', id: 'private_key_jwt', make: (lib) => lib.PrivateKeyJwt(pairs.ES256.privateKey) },
  { what: 'client_secret_jwt', id: 'client_secret_jwt', make: (lib) => lib.ClientSecretJwt(secretOf('client_secret_jwt')) },
  { what: 'tls_client_auth', id: 'tls_client_auth', make: (lib) => lib.TlsClientAuth(), certificate: named, bound: true },
  { what: 'tls_client_auth by an alternative name', id: 'by-name', make: (lib) => lib.TlsClientAuth(), certificate: named },
  { what: 'self_signed_tls_client_auth', id: 'self_signed_tls_client_auth', make: (lib) => lib.TlsClientAuth(), certificate: own, bound: true },
];

async function visit(url) {
  const answer = await new Surfer(server).through(url.href);
  assert.ok(answer.location, `no redirect: ${answer.status}`);
  return answer.location;
}

function assertBinding(accessToken, { certificate, bound }) {
  const { cnf } = decode(accessToken).claims;
  assert.deepEqual(cnf, bound ? { 'x5t#S256': thumbprint(certificate) } : undefined);
}

async function withOpenidClient(way) {
  const fetch = fetchWith(server.ca, way.certificate && shows(way.certificate));
  const config = await openid.discovery(new URL(server.issuer), way.id, {}, way.make(openid), { [openid.customFetch]: fetch });
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const expectedState = openid.randomState();
  const back = await visit(
    openid.buildAuthorizationUrl(config, {
      redirect_uri: appUri,
      scope,
      resource: api,
      state: expectedState,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    }),
  );
  const tokens = await openid.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, idTokenExpected: true });
  assertBinding(tokens.access_token, way);
  assert.equal((await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).email, 'alice@example.test');
  const alone = await openid.clientCredentialsGrant(config, { resource: api, scope: 'read:items' });
  assertBinding(alone.access_token, way);
  const seen = await openid.tokenIntrospection(config, alone.access_token);
  assert.equal(seen.active, true);
  assert.deepEqual(seen.cnf, decode(alone.access_token).claims.cnf);
  await openid.tokenRevocation(config, alone.access_token);
  assert.equal((await openid.tokenIntrospection(config, alone.access_token)).active, false);
}

async function withOauth4webapi(way) {
  const options = { [oauth.customFetch]: fetchWith(server.ca, way.certificate && shows(way.certificate)) };
  const issuer = new URL(server.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  const client = { client_id: way.id };
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  const query = { client_id: way.id, redirect_uri: appUri, response_type: 'code', scope, resource: api, state, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const params = oauth.validateAuthResponse(as, client, await visit(url), state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, way.make(oauth), params, appUri, verifier, options);
  const result = await oauth.processAuthorizationCodeResponse(as, client, response, { requireIdToken: true });
  assertBinding(result.access_token, way);
  const alone = await oauth.clientCredentialsGrantRequest(as, client, way.make(oauth), { resource: api }, options);
  assertBinding((await oauth.processClientCredentialsResponse(as, client, alone)).access_token, way);
}

for (const way of ways) {
  test(`openid-client, ${way.what}`, () => withOpenidClient(way));
  test(`oauth4webapi, ${way.what}`, () => withOauth4webapi(way));
}

const ask = (id, certificate, form = {}) =>
  request(server.url('oauth/token'), { ca: server.ca, ...(certificate && shows(certificate)), form: { grant_type: 'client_credentials', client_id: id, resource: api, ...form } });

test('a wrong certificate, and none', async () => {
  for (const [id, certificate] of [['tls_client_auth', own], ['by-name', own], ['self_signed_tls_client_auth', named], ['tls_client_auth'], ['by-name'], ['self_signed_tls_client_auth']]) {
    assertError(await ask(id, certificate), 401, 'invalid_client');
  }
});

test('a certificate beside another way to authenticate is neither a second way nor a binding that nobody wants', async () => {
  const form = { client_secret: secretOf('tls_client_auth') };
  assertError(await ask('tls_client_auth', named, form), 401, 'invalid_client');
  assertError(await ask('private_key_jwt', named), 401, 'invalid_client');
});

test('a bound token is good with its certificate only', async () => {
  const got = await getCode(server, { client_id: 'tls_client_auth', scope: 'openid email' });
  const { json } = await request(server.url('oauth/token'), {
    ca: server.ca,
    ...shows(named),
    form: { grant_type: 'authorization_code', client_id: 'tls_client_auth', code: got.code, redirect_uri: got.params.redirect_uri, code_verifier: got.verifier },
  });
  assert.equal((await userinfo(server, json.access_token, shows(named))).json.email, 'alice@example.test');
  for (const other of [shows(own), {}]) {
    const answer = await userinfo(server, json.access_token, other);
    assertError(answer, 401, 'invalid_token');
    assert.match(answer.headers['www-authenticate'], /^Bearer .*error="invalid_token"/);
  }
});

test('tokens of a public client that is held to a certificate', async () => {
  const uri = 'com.example.app:/callback';
  const code = () => getCode(server, { client_id: 'bound-spa', redirect_uri: uri });
  assertError(await redeem(server, await code()), 401, 'invalid_client');
  const got = await code();
  const answer = await request(server.url('oauth/token'), {
    ca: server.ca,
    ...shows(own),
    form: { grant_type: 'authorization_code', client_id: 'bound-spa', code: got.code, redirect_uri: uri, code_verifier: got.verifier },
  });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(decode(answer.json.access_token).claims.cnf, { 'x5t#S256': thumbprint(own) });
  assertError(await userinfo(server, answer.json.access_token), 401, 'invalid_token');
  assert.equal((await userinfo(server, answer.json.access_token, shows(own))).status, 200);
});
