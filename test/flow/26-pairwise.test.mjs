// SPDX-License-Identifier: Apache-2.0
// Pairwise subjects: one user, another sub for each sector, and the same one wherever a client of it sees one
// (OpenID Connect Core 8).
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { afterUri, Receiver } from './lib/logout.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, introspect, offline, redeem, refresh, secretOf, token, userinfo } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const pairwise = [...skip, 'OAuth2ASSubjectType pairwise'];
const types = 'OAuth2ASResponseTypes code id_token "code id_token"';
const other = 'https://other.example.test/callback';
const frameUri = 'https://framed.example.test/callback';
const receiver = await Receiver.start();
const server = await startInstance({
  conf:
    'OAuth2ASProfile auth0\nOAuth2ASOutboundAllow 127.0.0.1/32\n' +
    client('told', { extra: [...pairwise, `OAuth2ASPostLogoutRedirectURI ${afterUri}`, `OAuth2ASBackchannelLogoutURI ${receiver.url('/told')}`] }) +
    client('open', { extra: skip }) +
    client('one', { type: 'web', extra: [...pairwise, types, 'OAuth2ASClientAuth client_secret_post', 'OAuth2ASGrantTypes authorization_code refresh_token password client_credentials'] }) +
    client('two', { uri: [`${new URL(other).origin}/a`, other], extra: pairwise }) +
    client('same', { extra: pairwise }) +
    client('framed', { uri: frameUri, extra: [...pairwise, `OAuth2ASFrontchannelLogoutURI ${new URL('/framed', frameUri)}`] }) +
    client('joined', { uri: other, extra: [...skip, 'OAuth2ASSubjectType pairwise sector=app.example.test'] }),
});
const own = { client_secret: secretOf('one') };

async function subOf(id, overrides = {}, form = {}) {
  const got = await getCode(server, { client_id: id, ...overrides });
  const answer = await redeem(server, got, form);
  assert.equal(answer.status, 200, answer.text);
  return { ...got, ...answer.json, sub: decode(answer.json.id_token).claims.sub };
}

test('a sector has a sub of its own; clients of one sector share it', async () => {
  const open = await subOf('open');
  const one = await subOf('one', {}, own);
  const two = await subOf('two', { redirect_uri: other });
  assert.equal(open.sub, 'oauth2as|alice');
  for (const { sub } of [one, two]) assert.match(sub, /^[\w-]{43}$/);
  assert.notEqual(one.sub, two.sub);
  assert.equal((await subOf('same')).sub, one.sub);
  assert.equal((await subOf('joined', { redirect_uri: other })).sub, one.sub, 'sector=');
  assert.equal((await subOf('one', {}, own)).sub, one.sub, 'and it stays');
  const bob = await getCode(server, { client_id: 'same' }, { username: 'bob', password: 'battery staple' });
  assert.notEqual(decode((await redeem(server, bob)).json.id_token).claims.sub, one.sub);
});

test('wherever the client sees a sub it is this one', async () => {
  const { sub } = await subOf('one', {}, own);
  const { access_token, refresh_token, got } = await offline(server, { client_id: 'one' }, own);
  assert.equal(decode(access_token).claims.sub, sub);
  assert.equal((await userinfo(server, access_token)).json.sub, sub);
  const ask = async (asked) => (await introspect(server, { token: asked, client_id: 'one', ...own })).json;
  assert.equal((await ask(access_token)).sub, sub);
  assert.equal((await ask(refresh_token)).sub, sub);
  const fresh = await refresh(server, refresh_token, { client_id: 'one', ...own });
  assert.equal(decode(fresh.json.id_token).claims.sub, sub);
  assert.equal(decode(fresh.json.access_token).claims.sub, sub);
  const { params } = authorization({ client_id: 'one', response_type: 'code id_token' });
  const hybrid = callbackOf(await got.surfer.go(authorizeUrl(server, params)));
  assert.equal(decode(hybrid.id_token).claims.sub, sub);
  const password = await token(server, { grant_type: 'password', username: 'alice', password: 'correct horse', scope: 'openid', client_id: 'one', ...own });
  assert.equal(decode(password.json.id_token).claims.sub, sub);
  for (const { json } of [fresh, password]) assert.doesNotMatch(JSON.stringify(decode(json.access_token)), /alice/);
});

test("a client's own token has its own name", async () => {
  const answer = await token(server, { grant_type: 'client_credentials', audience: 'https://api.example.test/', client_id: 'one', ...own });
  assert.equal(decode(answer.json.access_token).claims.sub, 'one@clients');
});

test('a hint is known again: of this client, of another sector, of a public client', async () => {
  const one = await subOf('one', {}, own);
  const two = await subOf('two', { redirect_uri: other });
  const open = await subOf('open');
  const bob = await redeem(server, await getCode(server, { client_id: 'same' }, { username: 'bob', password: 'battery staple' }));
  const silent = async (overrides) =>
    callbackOf(await one.surfer.go(authorizeUrl(server, authorization({ client_id: 'one', prompt: 'none', ...overrides }).params)));
  for (const { id_token } of [one, two, open]) assert.ok((await silent({ id_token_hint: id_token })).code);
  assert.equal((await silent({ id_token_hint: bob.json.id_token })).error, 'login_required');
  const expect = (value) => ({ claims: JSON.stringify({ id_token: { sub: { value } } }) });
  assert.ok((await silent(expect(one.sub))).code);
  for (const sub of [two.sub, 'oauth2as|alice']) assert.equal((await silent(expect(sub))).error, 'login_required');
});

test('a logout token has it, too, and its ID tokens are understood as hints of a logout', async () => {
  const { surfer, id_token, sub } = await subOf('told');
  const answer = await surfer.send(server.url('oidc/logout', { id_token_hint: id_token, logout_hint: sub, post_logout_redirect_uri: afterUri }));
  assert.equal(answer.location?.href, afterUri, 'its sid is understood, too: nobody is asked');
  const [call] = await receiver.wait('/told');
  assert.equal(decode(call.token).claims.sub, sub);
});

test('a sector knows the session by a sid of its own, by which it is understood at logout', async () => {
  const receiver_calls = receiver.at('/told').length;
  const first = await subOf('told');
  const { surfer } = first;
  const sidOf = async (id, overrides = {}, form = {}) => {
    const { params, verifier } = authorization({ client_id: id, ...overrides });
    const { json } = await redeem(server, { ...callbackOf(await surfer.go(authorizeUrl(server, params))), params, verifier }, form);
    const { sid } = decode(json.id_token).claims;
    assert.equal(decode(json.access_token).claims.sid, sid, id);
    return sid;
  };
  const told = decode(first.id_token).claims.sid;
  const [open, one, framed] = [await sidOf('open'), await sidOf('one', {}, own), await sidOf('framed', { redirect_uri: frameUri })];
  assert.equal((await server.sql(`SELECT session_id FROM oas_sessions WHERE session_id = '${Buffer.from(open, 'base64url').toString('hex')}'`)).length, 1);
  assert.equal(one, told, 'one sector');
  assert.equal(new Set([open, told, framed]).size, 3);
  for (const sid of [told, framed]) assert.match(sid, /^[\w-]{22}$/);
  const out = (overrides) => surfer.clone().send(server.url('oidc/logout', { client_id: 'told', post_logout_redirect_uri: afterUri, ...overrides }));
  assert.equal((await out({ logout_hint: open })).status, 200, 'what another sector knows it by is no hint: the page asks');
  const page = await out({ logout_hint: told });
  assert.equal(page.status, 200);
  const frame = /src="([^"]*\/framed[^"]*)"/.exec(page.text)?.[1];
  assert.equal(new URL(frame.replaceAll('&amp;', '&').replaceAll('&#x3D;', '=')).searchParams.get('sid'), framed, page.text);
  const calls = await receiver.wait('/told', receiver_calls + 1);
  assert.equal(decode(calls.at(-1).token).claims.sid, told);
});

test('a client of the database has them, too', async () => {
  await until('the client is in the database', async () => (await server.count('oas_clients', "client_id = 'two'")) > 0);
  const metadata = JSON.parse((await server.sql("SELECT metadata::text FROM oas_clients WHERE client_id = 'two'"))[0][0]);
  assert.equal(metadata.subject_type, 'pairwise');
  assert.equal(metadata.sector, 'other.example.test');
  const stored = JSON.stringify({ ...metadata, client_id: 'stored' });
  await server.sql(`INSERT INTO oas_clients (client_id, source, config_hash, metadata) VALUES ('stored', 'database', '', '${stored}')`);
  const { sub } = await subOf('stored', { redirect_uri: other });
  assert.equal(sub, (await subOf('two', { redirect_uri: other })).sub);
});

test('the metadata says so', async () => {
  const { json } = await request(server.url('.well-known/openid-configuration'));
  assert.deepEqual(json.subject_types_supported, ['public', 'pairwise']);
});
