// SPDX-License-Identifier: Apache-2.0
// Tokens and ID tokens from the authorization endpoint: every response type by every response mode, as a third
// party's client sees them, and everything that is refused.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Issuer, custom } from 'openid-client-5';
import * as openid from 'openid-client';
import { startInstance, until } from './lib/instance.mjs';
import { fetchWith, request } from './lib/http.mjs';
import { Surfer, textOf, unescapeHtml } from './lib/surfer.mjs';
import { appUri, authorization, authorizeUrl, callbackOf, client, decode, redeem, token, userinfo } from './lib/oauth.mjs';

custom.setHttpOptionsDefaults({ timeout: 60_000 });
const types = ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'];
const front = types.slice(1);
const all = `OAuth2ASResponseTypes ${types.map((type) => `"${type}"`).join(' ')}`;
const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const everything = [all];
const server = await startInstance({
  conf:
    'OAuth2ASProfile auth0\nOAuth2ASClaim colour "blue" in=userinfo\n' +
    client('all', { extra: [...skip, ...everything] }) +
    client('es', { extra: [...skip, ...everything, 'OAuth2ASIDTokenAlg ES256'] }) +
    client('ed', { extra: [...skip, ...everything, 'OAuth2ASIDTokenAlg EdDSA'] }) +
    client('web', { type: 'web', extra: [...skip, ...everything, 'OAuth2ASClientAuth client_secret_post'] }) +
    client('asks', { extra: everything }) +
    client('code', { extra: skip }) +
    types.map((type, i) => client(`only${i}`, { extra: [...skip, `OAuth2ASResponseTypes "${type}"`] })).join(''),
});
const strict = await startInstance({
  conf: client('all', { extra: [...skip, 'OAuth2ASResponseTypes code id_token "code id_token"'] }),
});
const api = 'https://api.example.test/';

/** The parameters of an answer, and that they came by no other way. */
function answerBy(mode, answer) {
  if (mode === 'form_post') {
    assert.equal(answer.status, 200, textOf(answer.text));
    assert.equal(answer.form.action, appUri);
    assert.equal(answer.form.method, 'post');
    return answer.form.fields;
  }
  if (mode === 'web_message') {
    const found = /data-response="([^"]*)"/.exec(answer.text);
    assert.ok(found, textOf(answer.text));
    return JSON.parse(unescapeHtml(found[1]));
  }
  assert.ok(answer.location, textOf(answer.text));
  assert.equal(answer.location.origin + answer.location.pathname, appUri);
  assert.equal(mode === 'query' ? answer.location.hash : answer.location.search, '');
  return callbackOf(answer);
}

const has = (type, part) => type.split(' ').includes(part);
const defaultMode = (type) => (type === 'code' ? 'query' : 'fragment');

async function ask(overrides, { surfer = new Surfer(server), mode, ...options } = {}) {
  const { params, verifier } = authorization({ client_id: 'all', ...overrides });
  const answer = await surfer.through(authorizeUrl(surfer.instance, params), options);
  const got = answerBy(mode ?? params.response_mode ?? defaultMode(params.response_type), answer);
  return { ...got, params, verifier, surfer, answer };
}

// ---- what comes ----

for (const type of types) {
  for (const mode of [undefined, 'query', 'fragment', 'form_post', 'web_message']) {
    const refused = mode === 'query' && type !== 'code';
    test(`${type} by ${mode ?? 'its default mode'}${refused ? ' is refused, by fragment' : ''}`, async () => {
      const got = await ask({ response_type: type, response_mode: mode }, { mode: refused ? 'fragment' : mode });
      assert.equal(got.state, got.params.state);
      assert.equal(got.iss, server.issuer);
      if (refused) {
        assert.equal(got.error, 'invalid_request');
        for (const name of ['code', 'id_token', 'access_token']) assert.equal(got[name], undefined);
        return;
      }
      assert.equal(got.error, undefined);
      assert.equal(got.code !== undefined, has(type, 'code'));
      assert.equal(got.id_token !== undefined, has(type, 'id_token'));
      assert.equal(got.access_token !== undefined, has(type, 'token'));
      assert.equal(got.token_type, has(type, 'token') ? 'Bearer' : undefined);
      assert.equal(Number(got.expires_in), has(type, 'token') ? 300 : NaN);
      assert.equal(got.scope, has(type, 'token') ? 'openid profile email' : undefined);
      assert.equal(got.answer.headers['cache-control'], 'no-store');
    });
  }
}

/** openid-client 5 verifies signature, nonce, at_hash, c_hash and s_hash, and redeems the code. */
async function withClient(id, type, mode, alg) {
  const issuer = await Issuer.discover(server.issuer);
  assert.ok(issuer.response_types_supported.includes(type));
  const rp = new issuer.Client({
    client_id: id,
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: alg,
    redirect_uris: [appUri],
    response_types: [type],
  });
  rp[custom.clock_tolerance] = 5;
  const { params, verifier } = authorization({ client_id: id, response_type: type, response_mode: mode });
  const url = rp.authorizationUrl(params);
  const got = answerBy(mode ?? defaultMode(type), await new Surfer(server).through(url));
  const checks = { state: params.state, nonce: params.nonce, response_type: type, code_verifier: verifier };
  if (got.id_token) assert.ok(decode(got.id_token).claims.s_hash, 'what openid-client checks only when it is there');
  const set = await rp.callback(appUri, rp.callbackParams(mode === 'form_post' ? { method: 'POST', url: appUri, body: got } : `${appUri}?${new URLSearchParams(got)}`), checks);
  if (set.id_token) {
    assert.equal(set.claims().sub, 'oauth2as|alice');
    assert.equal(set.claims().email, 'alice@example.test');
  }
  if (set.access_token) assert.equal((await rp.userinfo(set.access_token)).sub, 'oauth2as|alice');
  await assert.rejects(
    rp.callback(appUri, { ...got, ...(got.access_token ? { access_token: `${got.access_token}x` } : { code: `${got.code}x` }) }, { ...checks, response_type: type }),
    has(type, 'id_token') && type !== 'id_token' ? /hash mismatch/ : /./,
    'it does look',
  );
}

for (const type of types) {
  for (const mode of type === 'code' ? [undefined] : [undefined, 'form_post']) {
    test(`openid-client 5 takes ${type}${mode ? ` by ${mode}` : ''}`, () => withClient('all', type, mode, 'RS256'));
  }
}
test('openid-client 5: hashes of ES256', () => withClient('es', 'code id_token token', undefined, 'ES256'));
test('openid-client 5: hashes of EdDSA', () => withClient('ed', 'code id_token token', undefined, 'EdDSA'));

test('openid-client 6: id_token by form_post, as Auth0\'s SDK for Express asks', async () => {
  const config = await openid.discovery(new URL(server.issuer), 'all', undefined, openid.None(), {
    execute: [openid.allowInsecureRequests],
    [openid.customFetch]: fetchWith(),
  });
  openid.useIdTokenResponseType(config);
  const [nonce, state] = [openid.randomNonce(), openid.randomState()];
  const url = openid.buildAuthorizationUrl(config, { redirect_uri: appUri, scope: 'openid profile email', response_mode: 'form_post', nonce, state });
  const fields = answerBy('form_post', await new Surfer(server).through(url.href));
  const claims = await openid.implicitAuthentication(config, new Request(appUri, { method: 'POST', body: new URLSearchParams(fields) }), nonce, { expectedState: state });
  assert.equal(claims.name, 'Alice Example');
});

test('the ID token says what the one of the token endpoint says', async () => {
  const got = await ask({ response_type: 'code id_token token' });
  const [here, there] = [got.id_token, (await redeem(server, got)).json.id_token].map((jwt) => decode(jwt).claims);
  const bits = (text) => createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');
  assert.equal(here.at_hash, bits(got.access_token));
  assert.equal(here.c_hash, bits(got.code));
  assert.equal(here.s_hash, bits(got.params.state));
  assert.equal(there.c_hash, undefined);
  assert.equal(there.s_hash, undefined);
  for (const claims of [here, there]) for (const name of ['iat', 'exp', 'at_hash', 'c_hash', 's_hash']) delete claims[name];
  assert.deepEqual(here, there);
  assert.equal(here.nonce, got.params.nonce);
  assert.ok(here.sid && here.auth_time && here.amr);
});

test('no state, no s_hash; an ID token alone has no other hash', async () => {
  const { claims } = decode((await ask({ response_type: 'id_token', state: undefined })).id_token);
  for (const name of ['at_hash', 'c_hash', 's_hash']) assert.equal(claims[name], undefined);
});

test('claims of userinfo are in an ID token that comes alone, and in no other', async () => {
  for (const type of front.filter((one) => has(one, 'id_token'))) {
    const { claims } = decode((await ask({ response_type: type })).id_token);
    assert.equal(claims.colour, type === 'id_token' ? 'blue' : undefined, type);
  }
});

test('the words of a response type come in any order', async () => {
  const got = await ask({ response_type: 'token id_token code' }, { mode: 'fragment' });
  assert.ok(got.code && got.id_token && got.access_token);
});

test('an access token of the front channel is for the API and for userinfo', async () => {
  const got = await ask({ response_type: 'id_token token', audience: api, scope: 'openid read:items' });
  const { claims } = decode(got.access_token);
  assert.deepEqual(claims.aud, [api, server.url('userinfo')]);
  assert.equal(claims.scope, 'openid read:items');
  assert.equal((await userinfo(server, got.access_token)).json.sub, 'oauth2as|alice');
});

test('hybrid by form_post, through login and consent', async () => {
  const got = await ask({ client_id: 'asks', response_type: 'code id_token', response_mode: 'form_post' });
  assert.equal(decode(got.id_token).claims.nonce, got.params.nonce);
  const { json } = await redeem(server, got);
  assert.equal(decode(json.id_token).claims.sub, decode(got.id_token).claims.sub);
  const denied = await ask({ client_id: 'asks', response_type: 'code id_token', response_mode: 'form_post', prompt: 'consent' }, { decision: 'deny' });
  assert.equal(denied.error, 'access_denied');
});

test('prompt=none answers by the same mode', async () => {
  for (const response_mode of ['fragment', 'form_post']) {
    assert.equal((await ask({ response_type: 'id_token', response_mode, prompt: 'none' })).error, 'login_required');
  }
  const { surfer } = await ask({ response_type: 'id_token' });
  assert.ok((await ask({ response_type: 'id_token', prompt: 'none' }, { surfer })).id_token);
});

// ---- grants ----

const grantOf = (got) => decode(got.access_token).claims.grant_id;
const alive = async (got) => (await userinfo(server, got.access_token)).status === 200;

test('a code and a token of one answer are one grant: the code used twice takes the token along', async () => {
  const got = await ask({ response_type: 'code token' });
  const redeemed = (await redeem(server, got)).json;
  assert.equal(decode(redeemed.access_token).claims.grant_id, grantOf(got));
  assert.ok((await alive(got)) && (await alive(redeemed)));
  assert.equal((await redeem(server, got)).json.error, 'invalid_grant');
  assert.ok(!(await alive(got)) && !(await alive(redeemed)));
});

test('a code of a hybrid answer needs its verifier and its client', async () => {
  const got = await ask({ response_type: 'code token' });
  assert.equal((await redeem(server, got, { client_id: 'es' })).json.error, 'invalid_grant');
  assert.equal((await redeem(server, got, { code_verifier: undefined })).json.error, 'invalid_grant');
  assert.equal((await redeem(server, got)).status, 200);
});

test('an ID token alone makes no grant that lives; a token does', async () => {
  const state = (id) => server.sql(`SELECT count(*) FROM oas_grants WHERE client_id = '${id}' AND activated_at IS NOT NULL`);
  await ask({ client_id: 'only1', response_type: 'id_token' });
  assert.deepEqual(await state('only1'), [['0']]);
  await ask({ client_id: 'only2', response_type: 'id_token token' });
  assert.deepEqual(await state('only2'), [['1']]);
});

test('offline_access is for those who get a code', async () => {
  const scope = 'openid offline_access';
  assert.equal((await ask({ response_type: 'id_token token', scope })).scope, 'openid');
  const got = await ask({ response_type: 'code token', scope });
  assert.equal(got.refresh_token, undefined);
});

// ---- what is refused ----

for (const type of front.filter((one) => has(one, 'id_token'))) {
  test(`${type} without nonce, and without openid, is refused by fragment`, async () => {
    const got = await ask({ response_type: type, nonce: undefined });
    assert.equal(got.error, 'invalid_request');
    assert.match(got.error_description, /nonce/);
    assert.equal((await ask({ response_type: type, scope: 'profile' })).error, 'invalid_scope');
  });
}

test('PKCE is for codes: asked of every type that has one, and of no other', async () => {
  for (const type of types) {
    const got = await ask({ response_type: type, code_challenge: undefined, code_challenge_method: undefined });
    assert.equal(got.error, has(type, 'code') ? 'invalid_request' : undefined, type);
  }
});

test('each type is off unless the client has it', async () => {
  const { surfer } = await ask({});
  for (const mine of types.keys()) {
    for (const [i, type] of types.entries()) {
      const got = await ask({ client_id: `only${mine}`, response_type: type }, { surfer });
      assert.equal(got.error, i === mine ? undefined : 'unauthorized_client', `${types[mine]} asks for ${type}`);
    }
  }
});

test('unknown types are refused where their answer would be', async () => {
  for (const [type, mode] of [['token', 'fragment'], ['none', 'query'], ['code code', 'query'], ['id_token  token', 'fragment'], ['code none', 'query']]) {
    assert.equal((await ask({ response_type: type }, { mode })).error, 'unsupported_response_type', type);
  }
});

test('an unknown response mode is refused by the default one', async () => {
  assert.equal((await ask({ response_type: 'code id_token', response_mode: 'query.jwt' }, { mode: 'fragment' })).error, 'invalid_request');
});

// ---- profile oauth21 ----

test('profile oauth21: an ID token may come by the front channel', async () => {
  for (const type of ['id_token', 'code id_token']) {
    assert.ok((await ask({ response_type: type }, { surfer: new Surfer(strict) })).id_token);
  }
});

test('profile oauth21 has no access tokens for the front channel, whatever the clients table says', async () => {
  await until('a background task has stored the client', async () => (await strict.count('oas_clients', "client_id = 'all'")) > 0);
  const types = '{"client_id": "stored", "response_types": ["code", "id_token token", "code token"]}';
  await strict.sql(
    `INSERT INTO oas_clients (client_id, source, config_hash, metadata)
     SELECT 'stored', 'database', '', metadata || '${types}' FROM oas_clients WHERE client_id = 'all'`,
  );
  for (const type of ['id_token token', 'code token']) {
    const got = await ask({ client_id: 'stored', response_type: type }, { surfer: new Surfer(strict) });
    assert.equal(got.error, 'unauthorized_client', type);
  }
});

test('metadata has what clients of the configuration may use', async () => {
  const of = async (instance) => (await request(instance.url('.well-known/openid-configuration'))).json;
  assert.deepEqual((await of(server)).response_types_supported, types);
  assert.ok((await of(server)).grant_types_supported.includes('implicit'));
  assert.deepEqual((await of(strict)).response_types_supported, ['code', 'id_token', 'code id_token']);
  for (const claim of ['c_hash', 's_hash']) assert.ok((await of(strict)).claims_supported.includes(claim), claim);
  assert.equal((await token(server, { grant_type: 'implicit', client_id: 'all' })).json.error, 'unsupported_grant_type');
});
