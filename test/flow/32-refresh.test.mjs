// SPDX-License-Identifier: Apache-2.0
// Refresh tokens: single-use, the same replacement for whoever asks again in time, the whole family ended for
// whoever asks too late; who gets one, for how long, for what.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently, startInstance, untilBack } from './lib/instance.mjs';
import { textOf, Surfer } from './lib/surfer.mjs';
import { alter, appUri, assertError, authorization, authorizeUrl, basic, client, decode, getCode, offline, redeem, refresh, secretOf, userinfo } from './lib/oauth.mjs';

const api = 'https://api.example.test/';
const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const server = await startInstance({
  conf:
    '<OAuth2ASResource "https://online.example.test/">\nOAuth2ASScope use\nOAuth2ASOfflineAccess off\n</OAuth2ASResource>\n' +
    'OAuth2ASAuditLog ${OAS_DIR}/audit.log\nOAuth2ASDatabaseWait 30s\nOAuth2ASRefreshReuseWindow 60s\n' +
    client('spa', { extra: skip, allow: [`${api} read:items write:items`, 'https://online.example.test/ use'] }) +
    client('asks') +
    client('fading', { extra: [...skip, 'OAuth2ASRefreshReuseWindow 1s'] }) +
    client('strict', { extra: [...skip, 'OAuth2ASRefreshReuseWindow 0'] }) +
    client('quick', { extra: [...skip, 'OAuth2ASRefreshReuseWindow 1s'] }) +
    client('web', { type: 'web', extra: [...skip, 'OAuth2ASRefreshReuseWindow 10min'] }) +
    client('patient', { type: 'web', extra: [...skip, 'OAuth2ASRefreshReuseWindow until-used'] }) +
    client('keeps', { type: 'web', extra: [...skip, 'OAuth2ASRotation off'] }) +
    client('codes-only', { extra: [...skip, 'OAuth2ASGrantTypes authorization_code'] }) +
    client('short', { extra: [...skip, 'OAuth2ASLifetime refresh-token 60s', 'OAuth2ASLifetime refresh-token-idle 60s'] }) +
    client('idle', { extra: [...skip, 'OAuth2ASLifetime refresh-token-idle 60s'] }),
});

const as = (id) => ({ client_id: id, ...(['web', 'patient', 'keeps'].includes(id) ? { client_secret: secretOf(id) } : {}) });
const start = (id, overrides) => offline(server, { client_id: id, ...overrides }, as(id));
const use = (id, token, form) => refresh(server, token, { ...as(id), ...form });
const allow = (id, to) => server.reload({ 'test.conf': (text) => text.replace(new RegExp(`(<OAuth2ASClient "${id}">[^<]*OAuth2ASAllow )[^\n]*`), `$1${to}`) });
const works = async (accessToken) => (await userinfo(server, accessToken)).status === 200;

async function good(answer) {
  const { status, text, json } = await answer;
  assert.equal(status, 200, text);
  return json;
}

/** The refusal of a token, which reads the same whatever the reason is. */
async function dead(answer) {
  assertError(await answer, 400, 'invalid_grant');
  assert.equal((await answer).json.error_description, 'Unknown or invalid refresh token.');
}

const lineage = (accessToken) => server.count('oas_refresh_tokens', `grant_id = '${grantOf(accessToken)}'`);
const grantOf = (accessToken) => Buffer.from(decode(accessToken).claims.grant_id, 'base64url').toString('hex');
const older = (accessToken, column, seconds) =>
  server.sql(`UPDATE oas_grants SET ${column} = ${column} - interval '${seconds} seconds' WHERE grant_id = '${grantOf(accessToken)}'`);
const auditLines = () => fs.readFileSync(`${server.dir}/audit.log`, 'utf8').trim().split('\n').map((line) => JSON.parse(line));

test('offline_access brings a refresh token, and the consent page says so', async () => {
  const { params, verifier } = authorization({ client_id: 'asks', scope: 'openid offline_access' });
  const surfer = new Surfer(server);
  const page = await surfer.submit(await surfer.go(authorizeUrl(server, params)), { username: 'alice', password: 'correct horse' });
  assert.match(textOf(page.text), /while you are away/);
  const back = (await surfer.submit(page, { decision: 'allow' })).location;
  const answer = await redeem(server, { code: back.searchParams.get('code'), params, verifier });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.scope, 'openid offline_access');
  assert.match(answer.json.refresh_token, /^[\w-]{64}$/);
});

test('a refresh gives everything anew', async () => {
  const first = await start('spa', { audience: api, scope: 'openid email read:items offline_access' });
  await sleep(1100);
  const next = await good(use('spa', first.refresh_token));
  assert.notEqual(next.refresh_token, first.refresh_token);
  assert.notEqual(next.access_token, first.access_token);
  assert.equal(next.token_type, 'Bearer');
  assert.equal(next.expires_in, 300);
  assert.equal(next.scope, 'openid email read:items offline_access');
  const [before, after] = [first, next].map(({ id_token }) => decode(id_token).claims);
  assert.ok(after.iat > before.iat);
  for (const name of ['iss', 'sub', 'aud', 'azp', 'auth_time', 'sid', 'amr', 'email']) assert.deepEqual(after[name], before[name], name);
  assert.ok(before.nonce);
  assert.equal(after.nonce, undefined);
  assert.equal(after.at_hash, createHash('sha256').update(next.access_token).digest().subarray(0, 16).toString('base64url'));
  assert.deepEqual(decode(next.access_token).claims.aud, decode(first.access_token).claims.aud);
  assert.ok(await works(next.access_token));
  assert.ok(await works(first.access_token), 'what is out stays good');
});

test('who gets none: a client without the grant type, an API without offline access, no offline_access', async () => {
  for (const [id, overrides] of [['codes-only', {}], ['spa', { audience: 'https://online.example.test/' }], ['spa', { scope: 'openid' }]]) {
    const json = await start(id, { scope: 'openid offline_access', ...overrides });
    assert.equal(json.refresh_token, undefined);
    assert.equal(json.scope, 'openid', 'dropped in silence');
  }
  assertError(await refresh(server, 'A'.repeat(64), { client_id: 'codes-only' }), 400, 'unauthorized_client');
});

test('inside the window the parent gives the same child, and a fresh access token', async () => {
  const first = await start('spa');
  const children = [await good(use('spa', first.refresh_token)), await good(use('spa', first.refresh_token)), await good(use('spa', first.refresh_token))];
  assert.equal(new Set(children.map(({ refresh_token }) => refresh_token)).size, 1);
  assert.equal(new Set(children.map(({ access_token }) => access_token)).size, 3);
  assert.equal(await lineage(first.access_token), 2);
  const grandchild = await good(use('spa', children[0].refresh_token));
  assert.ok(await works(grandchild.access_token));
});

test('outside it the whole family ends, access tokens included', async () => {
  const first = await start('quick');
  const second = await good(use('quick', first.refresh_token));
  await sleep(1300);
  await dead(use('quick', first.refresh_token));
  await dead(use('quick', second.refresh_token));
  assert.equal(await works(second.access_token), false);
  const reuse = auditLines().filter(({ event, grant_id }) => event === 'refresh_token_reuse' && grant_id === decode(first.access_token).claims.grant_id);
  assert.equal(reuse.length, 1);
  assert.equal(reuse[0].generation, 1);
  assert.ok(reuse[0].age >= 1 && reuse[0].age < 60, `age ${reuse[0].age}`);
  assert.equal(reuse[0].sub, 'oauth2as|alice');
  assert.equal(reuse[0].client_id, 'quick');
  const refused = auditLines().filter(({ event, grant_id }) => event === 'refuse' && grant_id === reuse[0].grant_id);
  assert.deepEqual(refused.map(({ sub, error }) => [sub, error]).slice(0, 2), Array(2).fill(['oauth2as|alice', 'invalid_grant']));
});

test('an older ancestor ends the family inside the window, too', async () => {
  const first = await start('spa');
  const second = await good(use('spa', first.refresh_token));
  const third = await good(use('spa', second.refresh_token));
  await dead(use('spa', first.refresh_token));
  await dead(use('spa', third.refresh_token));
  assert.equal(await works(third.access_token), false);
});

test('a window of 0: never again', async () => {
  const first = await start('strict');
  const second = await good(use('strict', first.refresh_token));
  await dead(use('strict', first.refresh_token));
  await dead(use('strict', second.refresh_token));
});

test('until-used: the parent is good until its child is', async () => {
  const first = await start('patient');
  const second = await good(use('patient', first.refresh_token));
  await sleep(1500);
  assert.equal((await good(use('patient', first.refresh_token))).refresh_token, second.refresh_token);
  const third = await good(use('patient', second.refresh_token));
  assert.equal((await good(use('patient', second.refresh_token))).refresh_token, third.refresh_token);
  await dead(use('patient', first.refresh_token));
  await dead(use('patient', third.refresh_token));
});

test('64 refreshes of one token at once: one child', async () => {
  const first = await start('spa');
  const answers = await Promise.all(Array.from({ length: 64 }, () => use('spa', first.refresh_token)));
  assert.deepEqual(answers.map(({ status }) => status), Array(64).fill(200));
  assert.equal(new Set(answers.map(({ json }) => json.refresh_token)).size, 1);
  assert.equal(await lineage(first.access_token), 2);
});

test('a narrower scope holds for one answer', async () => {
  const first = await start('spa', { audience: api, scope: 'openid read:items write:items offline_access' });
  const narrow = await good(use('spa', first.refresh_token, { scope: 'read:items' }));
  assert.equal(narrow.scope, 'read:items');
  assert.equal(narrow.id_token, undefined);
  assert.equal(decode(narrow.access_token).claims.scope, 'read:items');
  assert.equal(decode(narrow.access_token).claims.aud, api);
  const wide = await good(use('spa', narrow.refresh_token));
  assert.equal(wide.scope, 'openid read:items write:items offline_access');
});

test('a wider scope, another API: refused, and nothing is spent', async () => {
  const first = await start('spa', { audience: api, scope: 'openid read:items offline_access' });
  assertError(await use('spa', first.refresh_token, { scope: 'read:items write:items' }), 400, 'invalid_scope');
  assertError(await use('spa', first.refresh_token, { scope: 'a"b' }), 400, 'invalid_scope');
  for (const resource of ['https://online.example.test/', 'https://nowhere.example.test/', server.issuer]) {
    assertError(await use('spa', first.refresh_token, { resource }), 400, 'invalid_target');
  }
  assertError(await use('spa', first.refresh_token, { resource: api, audience: server.issuer }), 400, 'invalid_target');
  const next = await good(use('spa', first.refresh_token, { resource: api, audience: api }));
  assert.equal(next.scope, 'openid read:items offline_access');
});

test('an older token is noticed whatever else the request asks for', async () => {
  for (const extra of [{ scope: 'openid write:items' }, { resource: 'https://nowhere.example.test/' }]) {
    const first = await start('spa', { audience: api, scope: 'openid read:items offline_access' });
    const second = await good(use('spa', first.refresh_token));
    const third = await good(use('spa', second.refresh_token));
    assertError(await use('spa', first.refresh_token, extra), 400, 'invalid_grant');
    assertError(await use('spa', third.refresh_token), 400, 'invalid_grant');
  }
});

test('a grant without an API is good for the issuer and userinfo', async () => {
  const first = await start('spa');
  assertError(await use('spa', first.refresh_token, { audience: api }), 400, 'invalid_target');
  const next = await good(use('spa', first.refresh_token, { audience: server.url('userinfo') }));
  await good(use('spa', next.refresh_token, { resource: server.issuer }));
});

test('what else a request carries does not count', async () => {
  const first = await start('spa');
  await good(use('spa', first.refresh_token, { redirect_uri: 'https://elsewhere.example.test/', code: 'x', code_verifier: 'y', nonce: 'n', state: 's', response_type: 'token', max_age: '0' }));
});

test("another client's token, and another's secret", async () => {
  const first = await start('web');
  await dead(refresh(server, first.refresh_token, { client_id: 'spa' }));
  await dead(use('patient', first.refresh_token));
  assertError(await refresh(server, first.refresh_token, { client_id: 'web' }), 401, 'invalid_client');
  assertError(await refresh(server, first.refresh_token, { client_id: 'web', client_secret: secretOf('patient') }), 401, 'invalid_client');
  await good(use('web', first.refresh_token));
});

test('truncated, altered and invented tokens change nothing', async () => {
  const first = await start('spa');
  const token = first.refresh_token;
  const swap = (at) => alter(token, at);
  for (const bad of [token.slice(0, -1), token.slice(0, 22), `${token}A`, swap(0), swap(30), swap(63), 'A'.repeat(64), 'x', first.access_token, first.id_token, `${token} `, token.toUpperCase(), 'é', 'A'.repeat(20_000)]) {
    await dead(use('spa', bad));
  }
  assertError(await refresh(server, undefined), 400, 'invalid_request');
  assertError(await refresh(server, ''), 400, 'invalid_request');
  await good(use('spa', token));
});

test('a code is no refresh token, and a refresh token no code', async () => {
  const got = await getCode(server);
  await dead(use('spa', got.code));
  const { refresh_token } = await start('spa');
  assertError(await redeem(server, { ...got, code: refresh_token }), 400, 'invalid_grant');
  await good(use('spa', refresh_token));
});

test('the absolute end is fixed when the family begins', async () => {
  let { refresh_token, access_token } = await start('short');
  for (let times = 0; times < 3; times++) {
    await sleep(900);
    ({ refresh_token, access_token } = await good(use('short', refresh_token)));
  }
  // as if it had begun earlier: over by a second now, unless a use has moved the end
  await older(access_token, 'refresh_expires_at', 59);
  await dead(use('short', refresh_token));
});

test('the idle end moves with each use', async () => {
  let { refresh_token, access_token } = await start('idle');
  for (let times = 0; times < 3; times++) {
    await older(access_token, 'refresh_used_at', 31);
    ({ refresh_token, access_token } = await good(use('idle', refresh_token)));
  }
  await older(access_token, 'refresh_used_at', 60);
  await dead(use('idle', refresh_token));
});

test('a client that does not rotate keeps its token; switched to rotation, its families follow', async () => {
  const first = await start('keeps');
  for (let times = 0; times < 3; times++) assert.equal((await good(use('keeps', first.refresh_token))).refresh_token, first.refresh_token);
  assert.equal(await lineage(first.access_token), 1);
  await server.reload({ 'test.conf': (text) => text.replace('OAuth2ASRotation off', 'OAuth2ASRotation on') });
  const second = await good(use('keeps', first.refresh_token));
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal((await good(use('keeps', first.refresh_token))).refresh_token, second.refresh_token);
  await server.reload({ 'test.conf': (text) => text.replace('OAuth2ASRotation on', 'OAuth2ASRotation off') });
  assert.equal((await good(use('keeps', second.refresh_token))).refresh_token, second.refresh_token);
});

test('what OAuth2ASAllow gives no longer, the next refresh gives no longer', async () => {
  const first = await start('fading', { audience: api, scope: 'openid read:items write:items offline_access' });
  await allow('fading', `${api} read:items`);
  const second = await good(use('fading', first.refresh_token));
  assert.equal(second.scope, 'openid read:items offline_access');
  assert.equal(decode(second.access_token).claims.scope, second.scope);
  assertError(await use('fading', second.refresh_token, { scope: 'write:items' }), 400, 'invalid_scope');
});

test('nor does a refusal because of that spend the token: with OAuth2ASAllow as it was, the next refresh works, and nobody is a thief', async () => {
  const first = await start('fading', { audience: api, scope: 'read:items offline_access' });
  await allow('fading', 'https://online.example.test/ use');
  assertError(await use('fading', first.refresh_token), 400, 'invalid_target');
  await allow('fading', `${api} write:items`);
  assertError(await use('fading', first.refresh_token, { scope: 'read:items' }), 400, 'invalid_scope');
  assert.equal(await lineage(first.access_token), 1);
  await allow('fading', `${api} read:items write:items`);
  await sleep(1300); // behind the window
  const second = await good(use('fading', first.refresh_token));
  assert.equal(second.scope, 'read:items offline_access');
  await allow('fading', 'https://online.example.test/ use');
  assertError(await use('fading', second.refresh_token), 400, 'invalid_target');
});

test("a page's request: none with a secret, one with PKCE alone", async () => {
  const origin = new URL(appUri).origin;
  const web = await redeem(server, await getCode(server, { client_id: 'web', scope: 'openid offline_access' }), as('web'), { origin });
  assert.equal(web.status, 200, web.text);
  assert.equal(web.json.refresh_token, undefined);
  assert.equal(web.json.scope, 'openid');
  const byHeader = await redeem(server, await getCode(server, { client_id: 'web', scope: 'openid offline_access' }), {}, { origin, authorization: basic('web', secretOf('web')) });
  assert.equal(byHeader.json.refresh_token, undefined);
  const spa = await offline(server, {}, {}, { origin });
  assert.ok(spa.refresh_token);
  assert.ok((await good(refresh(server, spa.refresh_token, {}, { origin }))).refresh_token);
  for (const id of ['web', 'keeps', 'patient']) {
    const first = await start(id);
    for (const origin of [new URL(appUri).origin, 'https://elsewhere.example', 'null']) {
      assertError(await refresh(server, first.refresh_token, as(id), { origin }), 400, 'unauthorized_client');
      assertError(await refresh(server, first.refresh_token, { client_id: undefined }, { origin, authorization: basic(id, secretOf(id)) }), 400, 'unauthorized_client');
    }
    assert.equal(await lineage(first.access_token), 1, 'nothing is consumed');
    await good(use(id, first.refresh_token));
  }
});

test('secrets in another order, and a new first one: a retry still gets its child, and no family ends', async () => {
  const first = await start('web'); // its window is longer than all this takes
  const second = await good(use('web', first.refresh_token));
  const secret = /OAuth2ASSecret .*/;
  const [main, more] = ['main/secret', 'main/more'].map((name) => `file:${server.dir}/httpd/${name}`);
  fs.writeFileSync(`${server.dir}/httpd/main/more`, '0123456789abcdef0123456789abcdef0123456789abcdef', { mode: 0o600 });
  const secrets = (...list) => server.reload({ 'httpd/httpd.conf': (text) => text.replace(secret, `OAuth2ASSecret ${list.join(' ')}`) });
  await secrets(more, main);
  assert.equal((await good(use('web', first.refresh_token))).refresh_token, second.refresh_token, 'derived with the second of the list');
  const third = await good(use('web', second.refresh_token));
  await secrets(main, more);
  assert.equal((await good(use('web', second.refresh_token))).refresh_token, third.refresh_token);
  await secrets(main);
  server.announce(/OAS00835.*lists of secrets/);
  const elsewhere = await use('web', second.refresh_token);
  assertError(elsewhere, 503, 'temporarily_unavailable');
  assert.ok(Number(elsewhere.headers['retry-after']) >= 1);
  const fourth = await good(use('web', third.refresh_token));
  assert.ok(await works(fourth.access_token), 'the head is good whatever it was derived with');
});

test('the database away in the middle of a series: after the retry the client still has a working token', async () => {
  server.announceAway();
  const first = await start('spa');
  await server.postgres('stop', 'immediate');
  const away = await use('spa', first.refresh_token);
  assertError(away, 503, 'temporarily_unavailable');
  assert.ok(Number(away.headers['retry-after']) >= 1);
  await server.postgres('start');
  const second = await good(patiently(() => use('spa', first.refresh_token)));
  await good(patiently(() => use('spa', second.refresh_token)));
  await untilBack(() => userinfo(server, first.access_token));
});

test('the audit log tells each refresh, and no token', async () => {
  const first = await start('spa');
  const second = await good(use('spa', first.refresh_token));
  await good(use('spa', first.refresh_token));
  await good(use('spa', second.refresh_token));
  const id = decode(first.access_token).claims.grant_id;
  const lines = auditLines().filter(({ event, grant_id }) => event === 'refresh' && grant_id === id);
  assert.deepEqual(lines.map(({ generation, repeated }) => [generation, repeated]), [[1, false], [1, true], [2, false]]);
  const text = JSON.stringify(auditLines());
  for (const token of [first.refresh_token, second.refresh_token, first.access_token]) assert.ok(!text.includes(token) && !server.log().includes(token));
});

test('a locked user is said to be blocked, each time, and the log says why', async () => {
  const first = await start('spa');
  await server.ctl(['user', 'lock', 'alice']);
  for (let times = 0; times < 2; times++) {
    const answer = await use('spa', first.refresh_token);
    assertError(answer, 400, 'invalid_grant');
    assert.match(answer.json.error_description, /user is blocked/);
  }
  await server.ctl(['user', 'unlock', 'alice']);
});
