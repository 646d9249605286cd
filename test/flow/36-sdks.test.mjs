// SPDX-License-Identifier: Apache-2.0
// Each grant by real clients, unchanged from the registry: openid-client, oauth4webapi and Auth0's SDK for Node,
// with each way to authenticate that they and the server have; native applications with refresh tokens.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import { startInstance } from './lib/instance.mjs';
import { fetchWith } from './lib/http.mjs';
import { Surfer } from './lib/surfer.mjs';
import { appUri, client as section, decode, introspect, secretOf, userinfo } from './lib/oauth.mjs';

const openid = await import('openid-client');
const oauth = await import('oauth4webapi');
const { AuthenticationClient } = await import('auth0');
for (const name of ['openid-client', 'oauth4webapi', 'auth0']) {
  const { version } = JSON.parse(fs.readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url)));
  console.log(`${name} ${version}`);
}

const api = 'https://api.example.test/';
const passwordRealm = 'http://auth0.com/oauth/grant-type/password-realm';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = { keys: [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] };
const signingKey = await crypto.subtle.importKey('pkcs8', rsa.privateKey.export({ type: 'pkcs8', format: 'der' }), { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign']);
const pem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' });

// How a client authenticates: what its section says, and what openid-client and oauth4webapi are given.
const methods = {
  client_secret_basic: { lines: [], with: (lib, id) => lib.ClientSecretBasic(secretOf(id)) },
  client_secret_post: { lines: [], with: (lib, id) => lib.ClientSecretPost(secretOf(id)) },
  client_secret_jwt: { clear: true, lines: [], with: (lib, id) => lib.ClientSecretJwt(secretOf(id)) },
  private_key_jwt: { lines: ['OAuth2ASClientKeys file:${OAS_DIR}/jwks.json'], with: (lib) => lib.PrivateKeyJwt({ key: signingKey, kid: 'one' }) },
};
const grants = { strict: 'authorization_code refresh_token client_credentials', auth0: `authorization_code refresh_token client_credentials password ${passwordRealm}` };

function confidential(id, method, grantTypes) {
  const { clear, lines } = methods[method];
  const secret = method.startsWith('client_secret') ? [clear ? `OAuth2ASClientSecret file:\${OAS_DIR}/${id}` : `OAuth2ASClientSecret sha256:${createHash('sha256').update(secretOf(id)).digest('hex')}`] : [];
  return [
    `<OAuth2ASClient "${id}">`,
    `OAuth2ASRedirectURI ${appUri}`,
    `OAuth2ASAllow ${api} *`,
    `OAuth2ASClientAuth ${method}`,
    `OAuth2ASGrantTypes ${grantTypes}`,
    'OAuth2ASFirstParty on',
    ...secret,
    ...lines,
    '</OAuth2ASClient>\n',
  ].join('\n');
}

const natives = { 'a custom scheme': ['custom', 'com.example.app:/callback'], 'a loopback address': ['loopback', 'http://127.0.0.1/callback', 'http://127.0.0.1:49153/callback'] };

function start(profile, host) {
  return startInstance({
    args: ['--tls', '--host', host],
    prepare: (dir) => {
      fs.writeFileSync(`${dir}/jwks.json`, JSON.stringify(jwks));
      for (const [method, { clear }] of Object.entries(methods)) if (clear) fs.writeFileSync(`${dir}/${method}`, secretOf(method), { mode: 0o600 });
    },
    conf:
      (profile === 'auth0' ? 'OAuth2ASProfile auth0\n' : '') +
      Object.keys(methods).map((method) => confidential(method, method, grants[profile])).join('') +
      section('spa') +
      Object.values(natives).map(([id, uri]) => section(id, { type: 'native', uri })).join(''),
  });
}
const servers = { strict: await start('strict', 'as1.localhost'), auth0: await start('auth0', 'as2.localhost') };
https.globalAgent.options.ca = [servers.strict.ca, servers.auth0.ca]; // what NODE_EXTRA_CA_CERTS does for a whole process

/** The person at the browser: from the authorization URL to the redirect. */
async function visit(server, url) {
  const answer = await new Surfer(server).through(String(url));
  assert.ok(answer.location, `no redirect: ${answer.status}`);
  return answer.location;
}

const scope = 'openid email read:items offline_access';

// openid-client: one object for a client of a server, with the grants as functions.
async function viaOpenidClient(server, id, auth) {
  const config = await openid.discovery(new URL(server.issuer), id, {}, auth(openid), { [openid.customFetch]: fetchWith(server.ca) });
  return {
    async code(redirect_uri) {
      const pkceCodeVerifier = openid.randomPKCECodeVerifier();
      const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
      const challenge = { code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256' };
      const back = await visit(server, openid.buildAuthorizationUrl(config, { redirect_uri, scope, audience: api, state: expectedState, nonce: expectedNonce, ...challenge }));
      return openid.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
    },
    refresh: (token) => openid.refreshTokenGrant(config, token),
    machine: () => openid.clientCredentialsGrant(config, { audience: api, scope: 'read:items' }),
    password: (form) => openid.genericGrantRequest(config, 'password', form),
    revoke: (token) => openid.tokenRevocation(config, token),
    introspect: (token) => openid.tokenIntrospection(config, token),
  };
}

// oauth4webapi: the same on the level below.
async function viaOauth4webapi(server, id, auth) {
  const options = { [oauth.customFetch]: fetchWith(server.ca) };
  const issuer = new URL(server.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  const client = { client_id: id };
  const how = auth(oauth);
  return {
    async code(redirect_uri) {
      const verifier = oauth.generateRandomCodeVerifier();
      const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
      const url = new URL(as.authorization_endpoint);
      const query = { client_id: id, redirect_uri, response_type: 'code', scope, resource: api, state, nonce, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' };
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const params = oauth.validateAuthResponse(as, client, await visit(server, url), state);
      const response = await oauth.authorizationCodeGrantRequest(as, client, how, params, redirect_uri, verifier, options);
      return oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
    },
    refresh: async (token) => {
      const response = await oauth.refreshTokenGrantRequest(as, client, how, token, options);
      const result = await oauth.processRefreshTokenResponse(as, client, response);
      await oauth.validateApplicationLevelSignature(as, response, options);
      return result;
    },
    machine: async () => oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(as, client, how, { audience: api, scope: 'read:items' }, options)),
    password: async (form) => oauth.processGenericTokenEndpointResponse(as, client, await oauth.genericTokenEndpointRequest(as, client, how, 'password', form, options)),
    revoke: async (token) => oauth.processRevocationResponse(await oauth.revocationRequest(as, client, how, token, options)),
    introspect: async (token) => oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, how, token, options)),
  };
}

const libraries = { 'openid-client': viaOpenidClient, oauth4webapi: viaOauth4webapi };

/** Code, then two refreshes; returns the last tokens. */
async function goOn(server, lib, redirectUri) {
  const first = await lib.code(redirectUri);
  assert.ok(first.refresh_token);
  const second = await lib.refresh(first.refresh_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(decode(second.id_token).claims.sub, 'oauth2as|alice');
  assert.equal(decode(second.id_token).claims.auth_time, decode(first.id_token).claims.auth_time);
  const third = await lib.refresh(second.refresh_token);
  assert.equal(third.scope, scope);
  assert.equal((await userinfo(server, third.access_token)).status, 200);
  return third;
}

for (const [name, via] of Object.entries(libraries)) {
  for (const method of Object.keys(methods)) {
    for (const [profile, server] of Object.entries(servers)) {
      test(`${name}, ${method}, ${profile}: code, refresh, client_credentials, introspection, revocation`, async () => {
        const lib = await via(server, method, (library) => methods[method].with(library, method));
        const tokens = await goOn(server, lib, appUri);
        const machine = await lib.machine();
        assert.equal(machine.scope, 'read:items');
        assert.equal(machine.refresh_token, undefined);
        assert.equal(decode(machine.access_token).claims.aud, api);
        for (const token of [tokens.access_token, tokens.refresh_token, machine.access_token]) assert.equal((await lib.introspect(token)).active, true);
        await lib.revoke(machine.access_token);
        assert.equal((await lib.introspect(machine.access_token)).active, false);
        await lib.revoke(tokens.refresh_token);
        assert.equal((await lib.introspect(tokens.access_token)).active, false);
        await assert.rejects(lib.refresh(tokens.refresh_token), (error) => error.error === 'invalid_grant');
      });
    }

    test(`${name}, ${method}: password`, async () => {
      const lib = await via(servers.auth0, method, (library) => methods[method].with(library, method));
      const tokens = await lib.password({ username: 'alice', password: 'correct horse', scope, audience: api });
      assert.ok((await lib.refresh(tokens.refresh_token)).refresh_token);
      await assert.rejects(lib.password({ username: 'alice', password: 'wrong', scope }), (error) => error.error === 'invalid_grant' && error.status === 403);
    });
  }

  test(`${name}: a browser's application`, async () => {
    for (const server of Object.values(servers)) {
      const lib = await via(server, 'spa', (library) => library.None());
      const tokens = await goOn(server, lib, appUri);
      await lib.revoke(tokens.refresh_token);
      await assert.rejects(lib.refresh(tokens.refresh_token), (error) => error.error === 'invalid_grant');
    }
  });

  for (const [what, [id, uri, sent]] of Object.entries(natives)) {
    test(`${name}: a native application with ${what}`, async () => {
      for (const server of Object.values(servers)) await goOn(server, await via(server, id, (library) => library.None()), sent ?? uri);
    });
  }
}

// Auth0's SDK.
const auth0Client = (clientId, keys) => new AuthenticationClient({ domain: new URL(servers.auth0.issuer).host, clientId, fetch: fetchWith(servers.auth0.ca), ...keys });
const auth0Clients = {
  client_secret_post: { clientSecret: secretOf('client_secret_post') },
  private_key_jwt: { clientAssertionSigningKey: pem },
};

for (const [id, keys] of Object.entries(auth0Clients)) {
  const sdk = auth0Client(id, keys);
  const server = servers.auth0;

  test(`auth0, ${id}: code, refresh, revocation (JSON)`, async () => {
    const nonce = oauth.generateRandomNonce();
    const code_verifier = oauth.generateRandomCodeVerifier();
    const query = { client_id: id, redirect_uri: appUri, response_type: 'code', scope, audience: api, nonce, state: 's', code_challenge: await oauth.calculatePKCECodeChallenge(code_verifier), code_challenge_method: 'S256' };
    const code = (await visit(server, server.url('authorize', query))).searchParams.get('code');
    const { data: first } = await sdk.oauth.authorizationCodeGrantWithPKCE({ code, redirect_uri: appUri, code_verifier }, { idTokenValidateOptions: { nonce } });
    assert.equal(decode(first.id_token).claims.sub, 'oauth2as|alice');
    const { data: second } = await sdk.oauth.refreshTokenGrant({ refresh_token: first.refresh_token });
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal((await sdk.oauth.refreshTokenGrant({ refresh_token: second.refresh_token, scope: 'openid' })).data.scope, 'openid');
    await sdk.oauth.revokeRefreshToken({ token: second.refresh_token });
    await assert.rejects(sdk.oauth.refreshTokenGrant({ refresh_token: second.refresh_token }), (error) => {
      assert.equal(error.name, 'AuthApiError');
      assert.equal(error.statusCode, 403);
      assert.equal(error.error, 'invalid_grant');
      assert.equal(error.error_description, 'Unknown or invalid refresh token.');
      return true;
    });
    await assert.rejects(sdk.oauth.authorizationCodeGrantWithPKCE({ code, redirect_uri: appUri, code_verifier }), { statusCode: 403, error: 'invalid_grant' });
  });

  test(`auth0, ${id}: client credentials`, async () => {
    const { data } = await sdk.oauth.clientCredentialsGrant({ audience: api });
    assert.equal(decode(data.access_token).claims.sub, `${id}@clients`);
    assert.equal((await introspect(server, { token: data.access_token, client_id: 'client_secret_post', client_secret: secretOf('client_secret_post') })).json.active, id === 'client_secret_post');
    await assert.rejects(sdk.oauth.clientCredentialsGrant({ audience: 'https://nowhere.example.test/' }), { error: 'invalid_target' });
  });

  test(`auth0, ${id}: password, with and without realm`, async () => {
    const who = (form) => ({ username: 'bob', password: 'battery staple', scope, audience: api, ...form }); // the SDK adds its assertion to what it is given
    for (const form of [who(), who({ realm: 'oauth2as' })]) {
      const { data } = await sdk.oauth.passwordGrant(form);
      assert.equal(decode(data.id_token).claims.sub, 'oauth2as|bob');
      assert.ok((await sdk.oauth.refreshTokenGrant({ refresh_token: data.refresh_token })).data.id_token);
    }
    await assert.rejects(sdk.oauth.passwordGrant(who({ password: 'wrong' })), { statusCode: 403, error: 'invalid_grant' });
    await assert.rejects(sdk.oauth.passwordGrant(who({ realm: 'elsewhere' })), { statusCode: 400 });
  });
}
