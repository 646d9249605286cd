// SPDX-License-Identifier: Apache-2.0
// Certificates are asked for at a host of their own (RFC 8705 section 5): clients that know how go there by the metadata,
// Auth0's SDK by its own rule; nobody is asked at the login page.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { startInstance } from './lib/instance.mjs';
import { fetchWith, request } from './lib/http.mjs';
import { makeCertificates, makeServerCertificate, thumbprint } from './lib/certificate.mjs';
import { assertionForm } from './lib/assertion.mjs';
import { appUri, assertError, client as section, decode, secretOf, userinfo } from './lib/oauth.mjs';
import { Surfer } from './lib/surfer.mjs';

const openid = await import('openid-client');
const oauth = await import('oauth4webapi');
const { AuthenticationClient } = await import('auth0');
const api = 'https://api.example.test/';
const host = 'as1.localhost';
const scope = 'openid email read:items';
const grants = 'OAuth2ASGrantTypes authorization_code refresh_token client_credentials';
const keyed = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A client that authenticates in this way only. */
const only = (id, ...extra) => section(id, { type: 'web', extra: [grants, 'OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', ...extra] }).replace(/OAuth2ASClientSecret .*\n/, '');

let certificates;
const server = await startInstance({
  args: ['--tls', '--host', host],
  prepare(dir) {
    certificates = makeCertificates(dir);
    fs.writeFileSync(`${dir}/keys.json`, JSON.stringify({ keys: [keyed.publicKey.export({ format: 'jwk' })] }));
  },
  conf:
    'OAuth2ASProfile auth0\nOAuth2ASMutualTLS https://mtls.as1.localhost:${OAS_PORT}\n' +
    only('by-ca', 'OAuth2ASClientAuth tls_client_auth', 'OAuth2ASClientCertificate "subject=CN=shop,O=Example"', 'OAuth2ASRequire mtls') +
    only('by-key', 'OAuth2ASClientAuth self_signed_tls_client_auth', 'OAuth2ASClientKeys file:${OAS_DIR}/own.json', 'OAuth2ASRequire mtls') +
    only('signer', 'OAuth2ASClientAuth private_key_jwt', 'OAuth2ASClientKeys file:${OAS_DIR}/keys.json') +
    only('strict-signer', 'OAuth2ASClientAuth private_key_jwt', 'OAuth2ASClientKeys file:${OAS_DIR}/keys.json', 'OAuth2ASAssertionAudience issuer') +
    section('web', { type: 'web', extra: [grants] }),
});
const port = new URL(server.issuer).port;
const mtls = `https://mtls.${host}:${port}`;
const shows = (certificate) => ({ cert: certificate.pem, key: certificate.key });
const ways = { 'by-ca': certificates.named, 'by-key': certificates.own };

// The second virtual host as docs/clients.md has it: the same directives, and what asks for certificates.
makeServerCertificate(server.dir, `mtls.${host}`);
await server.reload({
  'httpd/httpd.conf': (text) => {
    const first = text.match(/<VirtualHost [^]*<\/VirtualHost>/)[0];
    const home = `${server.dir}/httpd/mtls.${host}`;
    return `${text}\n${first
      .replace(/ServerName .*/, `ServerName mtls.${host}`)
      .replace(/SSLCertificateFile .*/, `SSLCertificateFile ${home}.pem`)
      .replace(/SSLCertificateKeyFile .*/, `SSLCertificateKeyFile ${home}.key`)
      .replace('</VirtualHost>', `SSLVerifyClient optional_no_ca\nSSLCACertificateFile ${server.dir}/clients.pem\n</VirtualHost>`)}\n`;
  },
});

const metadata = async (where = server.issuer) => (await request(`${where}.well-known/openid-configuration`, { ca: server.ca })).json;

test('the metadata says where certificates are asked for, at either host', async () => {
  const json = await metadata();
  assert.deepEqual(json.mtls_endpoint_aliases, {
    token_endpoint: `${mtls}/oauth/token`,
    userinfo_endpoint: `${mtls}/userinfo`,
    revocation_endpoint: `${mtls}/oauth/revoke`,
    introspection_endpoint: `${mtls}/oauth/introspect`,
  });
  assert.equal(json.token_endpoint, server.url('oauth/token'));
  assert.equal(json.tls_client_certificate_bound_access_tokens, true);
  for (const method of ['tls_client_auth', 'self_signed_tls_client_auth']) assert.ok(json.token_endpoint_auth_methods_supported.includes(method), method);
  assert.deepEqual(await metadata(`${mtls}/`), json);
});

/** Whether the server at that name asks for a certificate. */
function asks(name) {
  const { stdout } = spawnSync('openssl', ['s_client', '-tls1_2', '-connect', `127.0.0.1:${port}`, '-servername', name], { input: '', encoding: 'utf8' });
  assert.match(stdout, /BEGIN CERTIFICATE/);
  return /^Client Certificate Types:/m.test(stdout);
}

test('browsers are not asked for certificates at the login page', async () => {
  assert.equal(await asks(host), false);
  assert.equal(await asks(`mtls.${host}`), true);
});

for (const [id, certificate] of Object.entries(ways)) {
  test(`openid-client with use_mtls_endpoint_aliases, ${id}`, async () => {
    const visited = [];
    const through = fetchWith(server.ca, shows(certificate));
    const fetch = (url, options) => (visited.push(new URL(url)), through(url, options));
    const config = await openid.discovery(new URL(server.issuer), id, { use_mtls_endpoint_aliases: true }, openid.TlsClientAuth(), { [openid.customFetch]: fetch });
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const expectedState = openid.randomState();
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: appUri, scope, audience: api, state: expectedState,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    assert.equal(url.host, `${host}:${port}`);
    const back = await new Surfer(server).through(url.href);
    const tokens = await openid.authorizationCodeGrant(config, back.location, { pkceCodeVerifier, expectedState, idTokenExpected: true });
    assert.deepEqual(decode(tokens.access_token).claims.cnf, { 'x5t#S256': thumbprint(certificate) });
    assert.equal((await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).email, 'alice@example.test');
    assert.equal((await openid.tokenIntrospection(config, tokens.access_token)).active, true);
    await openid.tokenRevocation(config, tokens.access_token);
    const used = visited.filter(({ pathname }) => !pathname.startsWith('/.well-known/'));
    assert.deepEqual(used.map(({ origin, pathname }) => origin + pathname), ['oauth/token', 'userinfo', 'oauth/introspect', 'oauth/revoke'].map((name) => `${mtls}/${name}`));
    assertError(await userinfo(server, tokens.access_token, shows(certificate)), 401, 'invalid_token');
  });

  test(`oauth4webapi with use_mtls_endpoint_aliases, ${id}`, async () => {
    const options = { [oauth.customFetch]: fetchWith(server.ca, shows(certificate)) };
    const as = await oauth.processDiscoveryResponse(new URL(server.issuer), await oauth.discoveryRequest(new URL(server.issuer), options));
    const response = await oauth.clientCredentialsGrantRequest(as, { client_id: id, use_mtls_endpoint_aliases: true }, oauth.TlsClientAuth(), { audience: api }, options);
    const result = await oauth.processClientCredentialsResponse(as, { client_id: id }, response);
    assert.deepEqual(decode(result.access_token).claims.cnf, { 'x5t#S256': thumbprint(certificate) });
    assertError(await request(server.url('oauth/token'), { ca: server.ca, ...shows(certificate), form: { grant_type: 'client_credentials', client_id: id, audience: api } }), 401, 'invalid_client');
  });

  test(`Auth0's SDK for Node with useMTLS, ${id}`, async () => {
    const auth0 = new AuthenticationClient({ domain: `${host}:${port}`, clientId: id, useMTLS: true, fetch: fetchWith(server.ca, shows(certificate)) });
    const { data } = await auth0.oauth.clientCredentialsGrant({ audience: api });
    assert.deepEqual(decode(data.access_token).claims.cnf, { 'x5t#S256': thumbprint(certificate) });
  });
}

test('the certificate of another client, and none', async () => {
  for (const [id, certificate] of [['by-ca', certificates.own], ['by-key', certificates.named], ['by-ca'], ['by-key']]) {
    const answer = await request(`${mtls}/oauth/token`, { ca: server.ca, ...(certificate && shows(certificate)), form: { grant_type: 'client_credentials', client_id: id, audience: api } });
    assertError(answer, 401, 'invalid_client');
  }
});

test('an assertion may be meant for the address that was called, unless the client takes the issuer only', async () => {
  const key = { alg: 'ES256', privateKey: keyed.privateKey };
  const ask = (id, aud) =>
    request(`${mtls}/oauth/token`, { ca: server.ca, form: { grant_type: 'client_credentials', audience: api, ...assertionForm(server, id, key, { claims: { aud } }) } });
  assert.equal((await ask('signer', `${mtls}/oauth/token`)).status, 200);
  assert.equal((await ask('signer', server.issuer)).status, 200);
  assert.notEqual((await ask('signer', mtls)).status, 200);
  assert.notEqual((await ask('signer', `${mtls}/oauth/revoke`)).status, 200);
  assert.notEqual((await ask('strict-signer', `${mtls}/oauth/token`)).status, 200);
  assert.equal((await ask('strict-signer', server.issuer)).status, 200);
});

test('a client without certificate is served there too', async () => {
  const answer = await request(`${mtls}/oauth/token`, { ca: server.ca, form: { grant_type: 'client_credentials', client_id: 'web', client_secret: secretOf('web'), audience: api } });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(decode(answer.json.access_token).claims.iss, server.issuer);
});
