// SPDX-License-Identifier: Apache-2.0
// Real clients, unchanged from the registry: openid-client and oauth4webapi go the whole way, with each
// algorithm, as each kind of client.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { startInstance } from './lib/instance.mjs';
import { fetchWith } from './lib/http.mjs';
import { Surfer } from './lib/surfer.mjs';
import { appUri, client as section, decode, secretOf } from './lib/oauth.mjs';

const openid = await import('openid-client');
const oauth = await import('oauth4webapi');
const algs = ['RS256', 'ES256', 'PS256', 'EdDSA'];
const custom = 'com.example.app:/callback';
const kinds = {
  'confidential client, basic': { type: 'web', auth: 'client_secret_basic', uri: appUri },
  'confidential client, post': { type: 'web', auth: 'client_secret_post', uri: appUri },
  'public client': { type: 'spa', uri: appUri },
  'native client, custom scheme': { type: 'native', uri: custom },
  'native client, loopback': { type: 'native', uri: 'http://127.0.0.1/callback', sent: 'http://127.0.0.1:49152/callback' },
};
const idOf = (kind, alg) => `${kind} ${alg}`.replace(/\W+/g, '-').toLowerCase();

function sections() {
  return algs
    .flatMap((alg) =>
      Object.entries(kinds).map(([kind, { type, uri, auth }]) =>
        section(idOf(kind, alg), { type, uri, extra: [`OAuth2ASIDTokenAlg ${alg}`, ...(auth ? [`OAuth2ASClientAuth ${auth}`] : [])] }),
      ),
    )
    .join('');
}

for (const name of ['openid-client', 'oauth4webapi']) {
  const { version } = JSON.parse(fs.readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url)));
  console.log(`${name} ${version}`);
}
const server = await startInstance({ conf: sections(), args: ['--tls', '--host', 'as1.localhost'] });
const api = 'https://api.example.test/';
const scope = 'openid profile email read:items';
const overTls = fetchWith(server.ca);

/** The person at the browser: from the authorization URL to the redirect. */
async function visit(url) {
  const answer = await new Surfer(server).through(url.href);
  assert.ok(answer.location, `no redirect: ${answer.status}`);
  return answer.location;
}

function assertIdToken(claims, id) {
  assert.equal(claims.iss, server.issuer);
  assert.equal(claims.aud, id);
  assert.equal(claims.sub, 'oauth2as|alice');
}

async function withOpenidClient(id, alg, { auth, uri, sent }) {
  const methods = { client_secret_basic: openid.ClientSecretBasic, client_secret_post: openid.ClientSecretPost };
  const config = await openid.discovery(
    new URL(server.issuer),
    id,
    { id_token_signed_response_alg: alg },
    auth ? methods[auth](secretOf(id)) : openid.None(),
    { [openid.customFetch]: overTls },
  );
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
  const redirect_uri = sent ?? uri;
  const back = await visit(
    openid.buildAuthorizationUrl(config, {
      redirect_uri,
      scope,
      audience: api,
      state: expectedState,
      nonce: expectedNonce,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    }),
  );
  const tokens = await openid.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
  assertIdToken(tokens.claims(), id);
  assert.equal(decode(tokens.id_token).header.alg, alg);
  const person = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.equal(person.email, 'alice@example.test');
}

async function withOauth4webapi(id, alg, { auth, uri, sent }) {
  const options = { [oauth.customFetch]: overTls };
  const issuer = new URL(server.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  const client = { client_id: id, id_token_signed_response_alg: alg };
  const methods = { client_secret_basic: oauth.ClientSecretBasic, client_secret_post: oauth.ClientSecretPost };
  const clientAuth = auth ? methods[auth](secretOf(id)) : oauth.None();
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const redirectUri = sent ?? uri;
  const url = new URL(as.authorization_endpoint);
  const query = {
    client_id: id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    resource: api,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const params = oauth.validateAuthResponse(as, client, await visit(url), state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, clientAuth, params, redirectUri, verifier, options);
  const result = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
  const claims = oauth.getValidatedIdTokenClaims(result);
  assertIdToken(claims, id);
  await oauth.validateApplicationLevelSignature(as, response, options);
  assert.equal(decode(result.id_token).header.alg, alg);
  const info = await oauth.userInfoRequest(as, client, result.access_token, options);
  assert.equal((await oauth.processUserInfoResponse(as, client, claims.sub, info)).name, 'Alice Example');
  const api2 = await overTls(as.jwks_uri);
  assert.equal(api2.status, 200);
  const verified = await oauth.validateJwtAccessToken(
    as,
    new Request(api, { headers: { authorization: `Bearer ${result.access_token}` } }),
    api,
    options,
  );
  assert.equal(verified.scope, scope);
}

for (const alg of algs) {
  for (const [kind, settings] of Object.entries(kinds)) {
    test(`openid-client, ${alg}, ${kind}`, () => withOpenidClient(idOf(kind, alg), alg, settings));
    test(`oauth4webapi, ${alg}, ${kind}`, () => withOauth4webapi(idOf(kind, alg), alg, settings));
  }
}

test('over TLS the cookie is a __Host- cookie', async () => {
  const surfer = new Surfer(server);
  const page = await surfer.send(server.url('authorize', { client_id: idOf('public client', 'RS256'), redirect_uri: appUri, response_type: 'code', scope: 'openid', code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }));
  assert.equal(page.status, 200);
  assert.match(page.cookies[0], /^__Host-oas-[\w-]+=/);
  assert.match(page.cookies[0], /; Secure/);
  assert.match(page.cookies[0], /; Path=\/(;|$)/);
  assert.doesNotMatch(page.cookies[0], /domain/i);
});
