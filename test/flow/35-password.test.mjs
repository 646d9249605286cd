// SPDX-License-Identifier: Apache-2.0
// The password grants, for the operator's own applications in profile auth0: with a file, a directory and the
// built-in users, realm by realm, throttled together with the login page.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { startDirectory } from './lib/ldap.mjs';
import { request } from './lib/http.mjs';
import { Surfer } from './lib/surfer.mjs';
import { assertError, authorization, authorizeUrl, basic, client, decode, getCode, redeem, refresh, secretOf, token, userinfo } from './lib/oauth.mjs';

const api = 'https://api.example.test/';
const passwordRealm = 'http://auth0.com/oauth/grant-type/password-realm';
const directory = await startDirectory([
  { uid: 'dora', cn: 'Dora Directory', mail: 'dora@example.test', password: 'ldap word' },
  { uid: 'late', cn: 'Late Comer', mail: 'late@example.test', password: 'not seen before' },
  { uid: 'alice', cn: 'Alice of the directory', mail: 'alice@directory.test', password: 'another alice' },
]);
const own = (id, extra = []) =>
  client(id, { type: 'web', extra: ['OAuth2ASFirstParty on', `OAuth2ASGrantTypes authorization_code refresh_token password ${passwordRealm}`, ...extra] });
const server = await startInstance({
  args: ['--module', 'ldap', '--module', 'authnz_ldap'],
  prepare: (dir) => fs.writeFileSync(`${dir}/people`, `carol:{SHA}${createHash('sha1').update('file word').digest('base64')}\n`),
  conf:
    'OAuth2ASProfile auth0\nOAuth2ASAuditLog ${OAS_DIR}/audit.log\n' +
    'OAuth2ASThrottle pair=3 account=50 address=20 max=2h\n' +
    'OAuth2ASPasswordProvider file ldap oauth2as\n' +
    'OAuth2ASClaim email "%{reqenv:AUTHENTICATE_MAIL}%{reqenv:AUTHENTICATE_EMAIL}" scope=email\n' +
    `<Location "/authorize">\nAuthUserFile \${OAS_DIR}/people\nAuthLDAPURL ${directory.url}\n</Location>\n` +
    own('own') +
    own('trusted', ['OAuth2ASForwardedFor on']) +
    client('web', { type: 'web' }) +
    client('spa'),
});
const strict = await startInstance({ conf: client('web', { type: 'web' }) });

const ask = (username, password, form = {}, headers = {}) =>
  token(server, { grant_type: 'password', client_id: 'own', client_secret: secretOf('own'), username, password, scope: 'openid email', ...form }, headers);
const realm = (name, username, password, form) => ask(username, password, { grant_type: passwordRealm, realm: name, ...form });

async function good(answer) {
  const { status, text, json } = await answer;
  assert.equal(status, 200, text);
  return json;
}

async function wrong(answer) {
  assertError(await answer, 403, 'invalid_grant');
  assert.equal((await answer).json.error_description, 'Wrong user name or password.');
}

const auditLines = () => fs.readFileSync(`${server.dir}/audit.log`, 'utf8').trim().split('\n').map((line) => JSON.parse(line));

test('each provider in order, with the configuration of /authorize', async () => {
  const people = { 'file|carol': ['carol', 'file word'], 'ldap|dora': ['dora', 'ldap word'], 'oauth2as|bob': ['bob', 'battery staple'] };
  for (const [sub, [username, password]] of Object.entries(people)) {
    const begun = Date.now() / 1000;
    const json = await good(ask(username, password));
    assert.equal(json.token_type, 'Bearer');
    assert.equal(json.scope, 'openid email');
    assert.equal(json.refresh_token, undefined);
    const { claims } = decode(json.id_token);
    assert.equal(claims.sub, sub);
    assert.equal(claims.aud, 'own');
    assert.deepEqual(claims.amr, ['pwd']);
    assert.equal(claims.nonce, undefined);
    assert.equal(claims.sid, undefined);
    assert.ok(claims.auth_time >= begun - 2 && claims.auth_time <= Date.now() / 1000 + 2);
    const info = await userinfo(server, json.access_token);
    assert.equal(info.status, 200, info.text);
    assert.equal(info.json.sub, sub);
  }
  const { claims } = decode((await good(ask('dora', 'ldap word'))).id_token);
  assert.equal(claims.email, 'dora@example.test', 'what the directory exports is there for claims');
});

test('the same person as at the login page', async () => {
  const answer = await redeem(server, await getCode(server, { client_id: 'own' }, { username: 'dora', password: 'ldap word' }), { client_secret: secretOf('own') });
  assert.equal(decode(answer.json.id_token).claims.sub, 'ldap|dora');
});

test('a realm is one provider, and no other is asked', async () => {
  assert.equal(decode((await good(realm('oauth2as', 'alice', 'correct horse'))).id_token).claims.sub, 'oauth2as|alice');
  assert.equal(decode((await good(realm('ldap', 'alice', 'another alice'))).id_token).claims.sub, 'ldap|alice');
  await wrong(realm('ldap', 'carol', 'file word'));
  await wrong(realm('file', 'dora', 'ldap word'));
  for (const name of ['dbd', 'LDAP', 'ldap oauth2as', 'anon']) assertError(await realm(name, 'alice', 'correct horse'), 400, 'invalid_request');
  assertError(await realm(undefined, 'alice', 'correct horse'), 400, 'invalid_request');
  assert.equal(decode((await good(ask('carol', 'file word', { realm: 'ldap' }))).id_token).claims.sub, 'file|carol', 'plain password has no realm');
});

test('the access token: API, dialect, gty', async () => {
  const json = await good(ask('carol', 'file word', { audience: api, scope: 'openid read:items delete:items' }));
  assert.equal(json.scope, 'openid read:items');
  const { header, claims } = decode(json.access_token);
  assert.equal(header.typ, 'JWT');
  assert.equal(claims.gty, 'password');
  assert.equal(claims.azp, 'own');
  assert.equal(claims.sub, 'file|carol');
  assert.deepEqual(claims.aud, [api, server.url('userinfo')]);
  assertError(await ask('carol', 'file word', { audience: 'https://other.example.test/' }), 400, 'invalid_target');
  assertError(await ask('carol', 'file word', { scope: 'delete:items' }), 400, 'invalid_scope');
});

test('offline_access brings a refresh token, but not to a page', async () => {
  const scope = 'openid offline_access';
  const { refresh_token, id_token } = await good(ask('dora', 'ldap word', { scope }));
  const next = await good(refresh(server, refresh_token, { client_id: 'own', client_secret: secretOf('own') }));
  assert.notEqual(next.refresh_token, refresh_token);
  assert.equal(decode(next.id_token).claims.auth_time, decode(id_token).claims.auth_time);
  assert.equal(decode(next.access_token).claims.gty, 'refresh_token');
  const page = await good(ask('dora', 'ldap word', { scope }, { origin: 'https://app.example.test' }));
  assert.equal(page.refresh_token, undefined);
  assert.equal(page.scope, 'openid');
});

test('a wrong password and an unknown user read the same; what is missing is said', async () => {
  await wrong(ask('carol', 'wrong'));
  await wrong(ask('nobody-at-all', 'wrong'));
  await wrong(ask('x'.repeat(300), 'file word'));
  await wrong(ask('carol', 'y'.repeat(2000)));
  assertError(await ask(undefined, 'file word'), 400, 'invalid_request');
  assertError(await ask('carol', undefined), 400, 'invalid_request');
  assertError(await ask('carol', ''), 400, 'invalid_request');
  const bare = await ask('carol', 'file word', { scope: undefined });
  assertError(bare, 400, 'invalid_scope');
  assert.equal(bare.json.error_description, 'scope is missing.');
  await good(ask('carol', 'file word'));
});

test('as JSON, and with the secret in the header', async () => {
  const body = JSON.stringify({ grant_type: 'password', username: 'carol', password: 'file word', scope: 'openid' });
  const headers = { 'content-type': 'application/json', authorization: basic('own', secretOf('own')) };
  await good(request(server.url('oauth/token'), { method: 'POST', headers, body }));
});

test('who may not: other clients, wrong secrets', async () => {
  assertError(await ask('carol', 'file word', { client_id: 'web', client_secret: secretOf('web') }), 400, 'unauthorized_client');
  assertError(await ask('carol', 'file word', { client_id: 'spa', client_secret: undefined }), 400, 'unauthorized_client');
  assertError(await ask('carol', 'file word', { client_secret: 'wrong' }), 401, 'invalid_client');
});

test("clients of the database: the operator's own may, others may not, whatever they list", async () => {
  const copy = (id, firstParty) =>
    server.sql(
      `INSERT INTO oas_clients (client_id, source, config_hash, metadata) SELECT '${id}', 'database', 'x', metadata || ` +
        `'{"client_id": "${id}", "first_party": ${firstParty}}' FROM oas_clients WHERE client_id = 'own'`,
    );
  await until('a background task has stored the client', async () => (await server.count('oas_clients', "client_id = 'own'")) > 0);
  await copy('stored', true);
  await copy('stranger', false);
  await good(ask('carol', 'file word', { client_id: 'stored' }));
  server.announce(/OAS00893: client stranger of the database counts for none/);
  assertError(await ask('carol', 'file word', { client_id: 'stranger' }), 401, 'invalid_client');
  const page = await new Surfer(server).go(authorizeUrl(server, authorization({ client_id: 'stranger' }).params));
  assert.equal(page.status, 400, 'as any client that is not registered');
});

test('profile oauth21 knows no such grant', async () => {
  const form = { client_id: 'web', client_secret: secretOf('web'), username: 'alice', password: 'correct horse', realm: 'oauth2as' };
  for (const grant_type of ['password', passwordRealm]) assertError(await token(strict, { ...form, grant_type }), 400, 'unsupported_grant_type');
  const grants = async (instance) => (await request(instance.url('.well-known/openid-configuration'))).json.grant_types_supported;
  assert.ok(!(await grants(strict)).some((name) => name.includes('password')));
  assert.ok((await grants(server)).includes('password') && (await grants(server)).includes(passwordRealm));
});

test('the directory away: 503, and no failure is counted', async () => {
  server.announce(/OAS00751/);
  server.announce(/authnz_ldap|AH01\d\d\d|ldap/i, { maybe: true });
  await directory.stop();
  for (let times = 0; times < 5; times++) {
    const answer = await realm('ldap', 'late', 'not seen before'); // mod_ldap remembers whom it has seen
    assertError(answer, 503, 'temporarily_unavailable');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
  }
  await directory.start();
  await good(realm('ldap', 'late', 'not seen before'));
});

test('good passwords never count as failures', async () => {
  for (let times = 0; times < 8; times++) await good(ask('bob', 'battery staple'));
  assert.equal(await server.count('oas_throttle', 'failures > 40'), 0);
});

test('the wrong passwords of others, from the same application, keep nobody out', async () => {
  for (let who = 0; who < 25; who++) await wrong(ask(`user${who}`, 'wrong'));
  await good(ask('bob', 'battery staple'));
});

/** Whoever waits does so for longer than the test takes. */
const prolong = (time) => server.sql(`UPDATE oas_throttle SET waiting_until = waiting_until + interval '${time}' WHERE waiting_until IS NOT NULL`);

test('too many failures: 429 with Retry-After, but not at the login page, where somebody else may sit', async () => {
  await server.sql('DELETE FROM oas_throttle');
  for (let times = 0; times < 4; times++) await wrong(ask('bob', 'wrong'));
  await prolong('1 minute');
  const answer = await ask('bob', 'battery staple');
  assertError(answer, 429, 'too_many_attempts');
  assert.ok(Number(answer.headers['retry-after']) >= 1);
  const surfer = new Surfer(server);
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own' }).params));
  assert.notEqual((await surfer.submit(page, { username: 'bob', password: 'battery staple' })).status, 429);
  await prolong('-1 minute');
  await sleep(2300);
  await good(ask('bob', 'battery staple'));
});

const trusted = (address, username, password) =>
  ask(username, password, { client_id: 'trusted', client_secret: secretOf('trusted') }, { 'auth0-forwarded-for': address });
const lastAddress = () => auditLines().at(-1).address;

test('a client that is believed says whose failures these are', async () => {
  await server.sql('DELETE FROM oas_throttle');
  for (let who = 0; who < 21; who++) await wrong(trusted('203.0.113.7', `person${who}`, 'wrong'));
  await prolong('10 minutes');
  assert.equal(lastAddress(), '203.0.113.7');
  const answer = await trusted('203.0.113.7', 'carol', 'file word');
  assertError(answer, 429, 'too_many_attempts');
  await good(trusted('203.0.113.8', 'carol', 'file word'));
  assert.equal(lastAddress(), '203.0.113.8');
  await good(trusted('2001:DB8:0::1', 'carol', 'file word'));
  assert.equal(lastAddress(), '2001:db8::1');
});

test('what is not one address is ignored, and so is the header of all other clients', async () => {
  for (const address of ['203.0.113.7, 203.0.113.9', '203.0.113', 'host.example', '203.0.113.7:80', '[2001:db8::1]', '::ffff:1.2.3', 'x'.repeat(4000), undefined]) {
    await good(address === undefined ? ask('carol', 'file word', { client_id: 'trusted', client_secret: secretOf('trusted') }) : trusted(address, 'carol', 'file word'));
    assert.equal(lastAddress(), '127.0.0.1', address);
  }
  const headers = { 'auth0-forwarded-for': '203.0.113.7' };
  for (let who = 0; who < 25; who++) await wrong(ask(`user${who}`, 'wrong', {}, headers));
  assert.equal(lastAddress(), '127.0.0.1');
  await good(ask('carol', 'file word', {}, headers));
});

test('a wrong secret is not believed either', async () => {
  const answer = await ask('carol', 'file word', { client_id: 'trusted', client_secret: 'wrong' }, { 'auth0-forwarded-for': '203.0.113.9' });
  assertError(answer, 401, 'invalid_client');
  assert.equal(lastAddress(), '127.0.0.1');
});

test('the audit log has logins, failures and tokens, and no password', async () => {
  const lines = auditLines();
  for (const event of ['login', 'login_failed', 'login_throttled', 'token', 'refuse']) {
    assert.ok(lines.some((line) => line.event === event && line.client_id === 'own' && line.grant_type === 'password'), event);
  }
  assert.ok(lines.some((line) => line.event === 'token' && line.sub === 'ldap|dora'));
  const text = fs.readFileSync(`${server.dir}/audit.log`, 'utf8') + server.log();
  for (const secret of ['file word', 'ldap word', 'battery staple', secretOf('own')]) assert.ok(!text.includes(secret), secret);
});
