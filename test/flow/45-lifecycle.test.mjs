// SPDX-License-Identifier: Apache-2.0
// The table of docs/lifecycle.md, row by row: each event is made to happen to a user who has signed in and an
// application that holds tokens, and each cell is looked up.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, top, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, basic, callbackOf, client, decode, getCode, introspect, redeem, revoke, secretLine, secretOf, token, userinfo } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const leaving = client('leaving', { type: 'web', extra: ['OAuth2ASIDTokenAlg EdDSA'] }).replace(secretLine('leaving'), secretLine('app'));
const server = await startInstance({
  conf: client('app', { type: 'web', extra: ['OAuth2ASIDTokenAlg EdDSA'] }) + client('probe', { extra: ['OAuth2ASIDTokenAlg EdDSA', ...skip] }) + 'OAuth2ASSubjectRecheck sql\n' + leaving,
});

/** Rows of the table, as objects by its headings. */
function table() {
  const lines = fs.readFileSync(path.join(top, 'docs/lifecycle.md'), 'utf8').split('\n').filter((line) => line.startsWith('|'));
  const [head, , ...rows] = lines.map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
  return rows.map((row) => Object.fromEntries(row.map((cell, i) => [head[i], cell])));
}

const uuid = (id) => Buffer.from(id, 'base64url').toString('hex');
const basicOf = (subject) => ({ authorization: basic(subject.id, subject.secret) });
const grantOf = (subject) => uuid(decode(subject.tokens.access_token).claims.grant_id);
const sessionOf = (subject) => uuid(decode(subject.tokens.id_token).claims.sid);
const conf = (edit) => server.reload({ 'test.conf': edit });
const keys = (edit) => server.reload({ 'httpd/httpd.conf': edit });
const keyLine = (alg) => new RegExp(`OAuth2ASKey file:\\S+/${alg}\\.pem`);

/** Somebody who has signed in and allowed, and what the application got. */
async function begin(offline, id = 'app') {
  const subject = { id, secret: secretOf('app'), surfer: new Surfer(server) };
  subject.got = await getCode(server, { client_id: id, scope: offline ? 'openid offline_access' : 'openid' }, { surfer: subject.surfer });
  const answer = await redeem(server, subject.got, { client_id: undefined }, basicOf(subject));
  assert.equal(answer.status, 200, answer.text);
  subject.tokens = answer.json;
  return subject;
}

async function refresh(subject, refresh_token = subject.tokens.refresh_token) {
  const answer = await token(server, { grant_type: 'refresh_token', refresh_token }, basicOf(subject));
  if (answer.status === 200) subject.tokens = { ...subject.tokens, refresh_token: answer.json.refresh_token };
  return answer;
}

async function refused(answer) {
  assert.equal((await answer).json.error, 'invalid_grant');
}

// Forms are dated in whole seconds: one of the second in which the consent was withdrawn does not revive it.
const nextSecond = () => sleep(1100);

/** Presses a button of the account page. */
async function press(surfer, button, value, words) {
  const answer = await surfer.submit(await surfer.go(server.url('account')), { [button]: value });
  assert.match(textOf(answer.text), words);
}

/** Each event; what it returns takes it back. */
const events = {
  nothing: async () => {},
  'session ended (logout)': async ({ surfer, tokens }) => {
    const answer = await surfer.send(server.url('oidc/logout', { id_token_hint: tokens.id_token }));
    assert.match(answer.text, /You are signed out/);
  },
  'session ended at the account page, in another browser': async ({ tokens }) => {
    const { surfer } = await getCode(server, { client_id: 'probe' });
    await press(surfer, 'end_session', decode(tokens.id_token).claims.sid, /That sign-in has ended/);
  },
  'somebody else signs in in the same browser': async ({ surfer }) => {
    const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'probe', prompt: 'login' }).params));
    assert.ok(callbackOf(await surfer.submit(page, { username: 'bob', password: 'battery staple' })).code);
  },
  "session's idle or absolute time is over": (subject) =>
    server.sql(`UPDATE oas_sessions SET idle_until = clock_timestamp() WHERE session_id = '${sessionOf(subject)}'`),
  'password changed': async () => {
    await server.ctl(['user', 'passwd', 'alice'], 'another password');
    return () => server.ctl(['user', 'passwd', 'alice'], 'correct horse');
  },
  'user locked': async () => {
    await server.ctl(['user', 'lock', 'alice']);
    return () => server.ctl(['user', 'unlock', 'alice']);
  },
  'user gone from the directory': async (subject) => {
    const answer = (is) =>
      server.sql(`CREATE OR REPLACE FUNCTION oas_subject_recheck(p_sub text, p_provider text, p_name text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT ${is}'`);
    await answer(false);
    if (subject.tokens.refresh_token) await refused(refresh(subject));
    return () => answer(true);
  },
  'consent withdrawn': async ({ id, surfer }) => {
    await press(surfer, 'withdraw', id, /no longer has access/);
    return nextSecond;
  },
  'access token revoked': (subject) => revoke(server, { token: subject.tokens.access_token }, basicOf(subject)),
  'refresh token revoked': (subject) => revoke(server, { token: subject.tokens.refresh_token }, basicOf(subject)),
  'refresh token revoked, OAuth2ASRevokeConsent on': async (subject) => {
    await conf((text) => `${text}OAuth2ASRevokeConsent on\n`);
    await revoke(server, { token: subject.tokens.refresh_token }, basicOf(subject));
    return async () => {
      await conf((text) => text.replace('OAuth2ASRevokeConsent on\n', ''));
      await nextSecond();
    };
  },
  'grant revoked by an administrator': ({ tokens }) => server.ctl(['grant', 'revoke', '--grant', decode(tokens.access_token).claims.grant_id]),
  'refresh token reused': async (subject) => {
    const first = subject.tokens.refresh_token;
    assert.equal((await refresh(subject)).status, 200);
    assert.equal((await refresh(subject)).status, 200);
    const newest = subject.tokens;
    await refused(refresh(subject, first));
    subject.tokens = newest;
  },
  "refresh token's idle time is over": (subject) =>
    server.sql(`UPDATE oas_grants SET refresh_used_at = refresh_used_at - interval '16 days', refresh_rotated_at = refresh_rotated_at - interval '16 days' WHERE grant_id = '${grantOf(subject)}'`),
  "refresh token's absolute time is over": (subject) =>
    server.sql(`UPDATE oas_grants SET refresh_expires_at = clock_timestamp() WHERE grant_id = '${grantOf(subject)}'`),
  'more families than OAuth2ASRefreshLimit': async (subject) => {
    await begin(true, subject.id);
    await server.sql('SELECT oas_limit_families_1(1, 1000)'); // what the background task does, with a limit of 1
  },
  'code replayed': (subject) => refused(redeem(server, subject.got, { client_id: undefined }, basicOf(subject))),
  'client disabled': async ({ id }) => {
    const disable = (is) => server.ctl(['client', is ? 'disable' : 'enable', id]);
    await disable(true);
    await sleep(5500);
    return async () => {
      await disable(false);
      await sleep(5500);
    };
  },
  'client removed from every configuration': async (subject) => {
    const seen = (seconds) => server.sql(`UPDATE oas_clients SET seen_at = clock_timestamp() - interval '${seconds} seconds' WHERE client_id = 'leaving'`);
    await conf((text) => text.replace(leaving, ''));
    await seen(150);
    assert.equal((await userinfo(server, subject.tokens.access_token)).status, 200, 'another node may have it');
    await seen(181);
    await sleep(5500);
    return () => conf((text) => text + leaving);
  },
  'client secret changed': async (subject) => {
    const digest = (text) => createHash('sha256').update(text).digest('hex');
    const next = `another secret of ${subject.id}, long enough for a secret`;
    await conf((text) => text.replace(secretLine('app'), `OAuth2ASClientSecret sha256:${digest(next)}`));
    assert.equal((await introspect(server, { token: 'x' }, basicOf(subject))).status, 401);
    subject.secret = next;
    return () => conf((text) => text.replace(digest(next), digest(secretOf('app'))));
  },
  'signing key retired': async ({ tokens }) => {
    const { alg } = decode(tokens.access_token).header;
    await keys((text) => text.replace(keyLine(alg), '$& retired'));
    return () => keys((text) => text.replace(' retired', ''));
  },
  'signing key removed': async ({ tokens }) => {
    const { alg } = decode(tokens.access_token).header;
    await keys((text) => text.replace(keyLine(alg), '# $&'));
    return () => keys((text) => text.replace('# OAuth2ASKey', 'OAuth2ASKey'));
  },
};

/** A client of the database, which can be disabled here. */
async function storeClient(id) {
  const found = await server.count('oas_clients', `client_id = '${id}'`);
  if (found) return;
  await until('a background task has stored client app', async () => (await server.count('oas_clients', "client_id = 'app'")) > 0);
  await server.sql(
    `INSERT INTO oas_clients (client_id, source, config_hash, metadata) SELECT '${id}', 'database', config_hash, jsonb_set(metadata, '{client_id}', '"${id}"') FROM oas_clients WHERE client_id = 'app'`,
  );
}

const word = (lives) => (lives ? 'lives' : 'ends');

/** userinfo and introspection must agree. */
async function accessToken(subject) {
  const { status } = await userinfo(server, subject.tokens.access_token);
  assert.ok(status === 200 || status === 401, `userinfo answers ${status}`);
  const answer = await introspect(server, { token: subject.tokens.access_token }, basicOf(subject));
  if (answer.status === 401) assert.equal(status, 401, 'the client is none any more');
  else assert.equal(answer.json.active, status === 200, 'userinfo and introspection agree');
  return word(status === 200);
}

/** As an API does that asks nobody: a published key, the signature, exp. */
async function atApi({ tokens: { access_token } }) {
  const { header, claims } = decode(access_token);
  const { keys: published } = (await request(server.url('.well-known/jwks.json'))).json;
  const jwk = published.find(({ kid }) => kid === header.kid);
  if (!jwk) return word(false);
  const [signed, signature] = [access_token.slice(0, access_token.lastIndexOf('.')), access_token.slice(access_token.lastIndexOf('.') + 1)];
  const good = verify('sha256', Buffer.from(signed), createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(signature, 'base64url'));
  return word(good && claims.exp > Date.now() / 1000);
}

/** Introspection and the token endpoint must agree. */
async function refreshToken(subject) {
  if (subject.tokens.refresh_token === undefined) return 'none';
  const told = await introspect(server, { token: subject.tokens.refresh_token }, basicOf(subject));
  const answer = await refresh(subject);
  if (told.status === 401) assert.equal(answer.json.error, 'invalid_client', 'the client is none any more');
  else if (answer.status !== 200) assert.equal(answer.json.error, 'invalid_grant');
  if (told.status === 200) assert.equal(told.json.active, answer.status === 200, 'introspection and refresh agree');
  return word(answer.status === 200);
}

/** Whether the browser is still signed in as the same user, by an application that needs no consent. */
async function session({ surfer }) {
  const { params, verifier } = authorization({ client_id: 'probe', prompt: 'none', scope: 'openid' });
  const back = callbackOf(await surfer.go(authorizeUrl(server, params)));
  if (back.error) {
    assert.equal(back.error, 'login_required');
    return word(false);
  }
  const { json } = await redeem(server, { ...back, params, verifier });
  return word(decode(json.id_token).claims.sub === 'oauth2as|alice');
}

/** Whether a new login is asked for consent; when everything is as it was again. */
async function consent({ id, tokens }) {
  const surfer = new Surfer(server);
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: id, scope: tokens.refresh_token ? 'openid offline_access' : 'openid' }).params));
  const after = await surfer.submit(page, { username: 'alice', password: 'correct horse' });
  return word(after.form === null);
}

const rows = table();

test('the table names each event of this test, and no other', () => {
  assert.deepEqual(new Set(rows.map(({ event }) => event)), new Set(Object.keys(events)));
  for (const row of rows) assert.match(row.offline_access, /^with(out)?$/);
});

const ids = { 'client disabled': 'stored', 'client removed from every configuration': 'leaving' };

for (const row of rows) {
  test(`${row.event}, ${row.offline_access} offline_access`, async () => {
    const id = ids[row.event] ?? 'app';
    if (id === 'stored') await storeClient(id);
    const subject = await begin(row.offline_access === 'with', id);
    const found = { event: row.event, offline_access: row.offline_access };
    const undo = await events[row.event](subject);
    try {
      found['access token'] = await accessToken(subject);
      found['at an API'] = await atApi(subject);
      found.session = await session(subject);
      found['refresh token'] = await refreshToken(subject);
    } finally {
      if (typeof undo === 'function') await undo();
    }
    found.consent = await consent(subject);
    assert.deepEqual(found, row);
  });
}

/** The indented lines of docs/database.md that hold a query. */
function documentedQuery(pattern) {
  const blocks = fs.readFileSync(path.join(top, 'docs/database.md'), 'utf8').split(/\n(?! {4})/);
  const found = blocks.filter((block) => pattern.test(block));
  assert.equal(found.length, 1, String(pattern));
  return found[0];
}

test('the queries of docs/database.md show a family as a tree, and the families of a user', async () => {
  const subject = await begin(true);
  const lineage = async () => server.sql(documentedQuery(/WITH RECURSIVE lineage/).replace(':grant', `'${grantOf(subject)}'`));
  for (let i = 0; i < 2; i++) assert.equal((await refresh(subject)).status, 200);
  const tree = (rows) => rows.map(([name, , state, sub, client_id]) => [name, state, sub, client_id]);
  const owner = ['oauth2as|alice', 'app'];
  assert.deepEqual(tree(await lineage()), [['1', 'replaced', ...owner], ['  2', 'replaced', ...owner], ['    3', 'valid', ...owner]]);
  await events['refresh token revoked'](subject);
  assert.deepEqual(tree(await lineage()).at(-1), ['    3', 'revoked: refresh token revoked', ...owner]);
  const [newest] = await server.sql(documentedQuery(/refresh_generation IS NOT NULL ORDER BY/).replace('ldap|alice', 'oauth2as|alice'));
  assert.equal(newest[0].replaceAll('-', ''), grantOf(subject));
  assert.equal(newest[2], '3');
});
