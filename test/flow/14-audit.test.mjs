// SPDX-License-Identifier: Apache-2.0
// The audit log: what happened to whom, one whole JSON object a line, in a file, by a program or in the error log;
// and nothing in it that opens anything.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startInstance, until } from './lib/instance.mjs';
import { alter, authorization, authorizeUrl, basic, callbackOf, client, decode, getCode, redeem, secretOf, token, userinfo } from './lib/oauth.mjs';
import { Surfer } from './lib/surfer.mjs';

const conf = [client('spa'), client('web', { type: 'web' })].join('\n');
const byFile = await startInstance({ conf: `OAuth2ASAuditLog \${OAS_DIR}/audit.log\nOAuth2ASThrottle pair=1\n${conf}` });
const byPipe = await startInstance({
  args: ['--also', 'second.localhost'],
  conf: `OAuth2ASAuditLog "|/usr/bin/tee -a \${OAS_DIR}/piped.log"\n${conf}`,
});
const byDefault = await startInstance({ conf });

const fileOf = (server, name) => path.join(server.dir, name);
const wholeLines = (text) => text.slice(0, text.lastIndexOf('\n') + 1); // a program may be at one still
const linesOf = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
const logs = new Map([
  [byFile, () => fs.readFileSync(fileOf(byFile, 'audit.log'), 'utf8')],
  [byPipe, () => (fs.existsSync(fileOf(byPipe, 'piped.log')) ? fs.readFileSync(fileOf(byPipe, 'piped.log'), 'utf8') : '')],
  // what httpd escapes in its error log is JSON's own quoting
  [byDefault, () => [...byDefault.log().matchAll(/ OAS00381: (.*)$/gm)].map(([, line]) => `${line.replace(/\\(["\\])/g, '$1')}\n`).join('')],
]);

// The lines that a server has written by now that satisfy `wanted`, when there are `count` of them.
async function events(server, wanted, count = 1) {
  let found;
  await until(`${count} lines are in the audit log`, () => (found = linesOf(wholeLines(logs.get(server)())).filter(wanted)).length >= count);
  return found;
}

const secrets = new Set();
const keep = (...values) => values.filter(Boolean).forEach((value) => secrets.add(value));

async function signIn(server, overrides = {}) {
  const surfer = new Surfer(server);
  const got = await getCode(server, overrides, { surfer });
  keep(got.code, got.verifier, got.params.nonce, got.params.state, 'correct horse', secretOf('web'), encodeURIComponent(secretOf('web')));
  return got;
}

async function tokens(server, got, headers) {
  const answer = await redeem(server, got, headers ? { client_id: undefined } : {}, headers);
  assert.equal(answer.status, 200, answer.text);
  keep(answer.json.access_token, answer.json.id_token, answer.json.refresh_token);
  return answer.json;
}

for (const [name, server] of [['a file', byFile], ['a program', byPipe], ['the error log', byDefault]]) {
  test(`a login and a token by ${name}`, async () => {
    const got = await signIn(server, { scope: 'openid profile read:items', resource: 'https://api.example.test/' });
    const answer = await tokens(server, got);
    const [issued] = await events(server, ({ event, client_id }) => event === 'token' && client_id === 'spa');
    const all = linesOf(logs.get(server)());
    assert.deepEqual(all.map(({ event }) => event), ['login', 'consent', 'code', 'token']);
    for (const line of all) {
      assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(line.issuer, server.issuer);
      assert.equal(line.client_id, 'spa');
      assert.equal(line.sub, 'oauth2as|alice');
      assert.equal(line.address, '127.0.0.1');
      assert.ok(line.ref);
    }
    assert.equal(all[0].provider, 'oauth2as');
    assert.equal(all[0].amr, 'pwd');
    assert.equal(issued.grant_type, 'authorization_code');
    assert.equal(issued.resource, 'https://api.example.test/');
    assert.deepEqual(issued.scope.split(' ').sort(), answer.scope.split(' ').sort());
    assert.equal(new Set(all.map(({ sid }) => sid)).size, 1, 'the session is the same');
  });
}

test('two servers share one program', async () => {
  const also = Object.assign(Object.create(byPipe), { issuer: byPipe.also });
  await tokens(also, await signIn(also));
  const [line] = await events(byPipe, ({ event, issuer }) => event === 'token' && issuer === byPipe.also);
  assert.equal(line.client_id, 'spa');
});

test('refusals', async () => {
  keep('not the password', 'not the secret');
  const got = await signIn(byFile, { client_id: 'web' });
  const wrong = await redeem(byFile, got, { client_id: undefined }, { authorization: basic('web', 'not the secret') });
  assert.equal(wrong.status, 401);
  await events(byFile, ({ event, client_id }) => event === 'refuse' && (client_id === undefined || client_id === 'web'));
  await tokens(byFile, got, { authorization: basic('web', secretOf('web')) });
  assert.equal((await redeem(byFile, got, {}, {})).status, 401);
  const replay = await redeem(byFile, got, { client_secret: secretOf('web') });
  assert.equal(replay.json.error, 'invalid_grant');
  const [line] = await events(byFile, ({ event }) => event === 'code_replay');
  const [issued] = await events(byFile, ({ event, client_id }) => event === 'token' && client_id === 'web');
  assert.equal(line.grant_id, issued.grant_id);
  assert.equal(line.sub, 'oauth2as|alice');
  const [refused] = await events(byFile, ({ event, reason }) => event === 'refuse' && /^used before/.test(reason));
  assert.equal(refused.grant_id, issued.grant_id);
  assert.equal(refused.sub, 'oauth2as|alice');
  assert.equal((await redeem(byFile, { ...got, code: alter(got.code, 40) }, { client_secret: secretOf('web') })).json.error, 'invalid_grant');
  const [guessed] = await events(byFile, ({ event, reason }) => event === 'refuse' && reason === 'unknown');
  assert.equal(guessed.grant_id, undefined, 'who guesses is not told apart from who has the code');
  assert.equal((await userinfo(byFile, 'no.token.at-all')).status, 401);
});

test('refusals of those who are known, and of nobody else', async () => {
  const at = (endpoint) => (line) => line.event === 'refuse' && line.endpoint === endpoint;
  const got = await signIn(byFile);
  const { access_token } = await tokens(byFile, got);
  assert.equal((await redeem(byFile, got)).status, 400); // a second time: all of it ends
  assert.equal((await userinfo(byFile, access_token)).status, 401);
  const [ended] = await events(byFile, at('userinfo'));
  const { jti, grant_id } = decode(access_token).claims;
  assert.deepEqual([ended.error, ended.reason, ended.client_id, ended.jti, ended.grant_id], ['invalid_token', 'its grant has ended', 'spa', jti, grant_id]);
  const silent = authorization({ client_id: 'web', prompt: 'none', scope: 'openid phone' }).params;
  assert.equal(callbackOf(await got.surfer.go(authorizeUrl(byFile, silent))).error, 'consent_required');
  const [asked] = await events(byFile, at('authorize'));
  assert.deepEqual([asked.error, asked.client_id, asked.sub], ['consent_required', 'web', 'oauth2as|alice']);
  assert.equal(callbackOf(await new Surfer(byFile).go(authorizeUrl(byFile, silent))).error, 'login_required');
  assert.equal((await userinfo(byFile, alter(access_token, access_token.length - 10))).status, 401);
  await token(byFile, { grant_type: 'refresh_token', client_id: 'spa', refresh_token: 'last' });
  await events(byFile, ({ event, grant_type }) => event === 'refuse' && grant_type === 'refresh_token');
  for (const endpoint of ['userinfo', 'authorize']) assert.equal(linesOf(logs.get(byFile)()).filter(at(endpoint)).length, 1, endpoint);
});

test('logins that failed, and what was typed stays out', async () => {
  const typed = 'what somebody typed into the wrong field';
  keep(typed, 'not the password');
  const surfer = new Surfer(byFile);
  await assert.rejects(getCode(byFile, {}, { surfer, username: typed, password: 'not the password' }));
  const [failed] = await events(byFile, ({ event }) => event === 'login_failed');
  assert.equal(failed.reason, 'wrong');
  assert.equal(failed.client_id, 'spa');
  assert.equal(failed.sub, undefined);
});

test('a user who denies', async () => {
  const got = await getCode(byFile, { prompt: 'consent', client_id: 'web' }, { surfer: new Surfer(byFile), decision: 'deny' });
  assert.equal(got.error, 'access_denied');
  const [line] = await events(byFile, ({ event }) => event === 'consent_denied');
  assert.equal(line.sub, 'oauth2as|alice');
});

for (const [name, server] of [['a file', byFile], ['a program', byPipe]]) {
  test(`lines stay whole when all threads and processes write to ${name}`, async () => {
    const code = 'B'.repeat(64);
    const before = linesOf(logs.get(server)()).length;
    const count = 200;
    await Promise.all(Array.from({ length: count }, () => token(server, { grant_type: 'authorization_code', client_id: 'spa', code, code_verifier: 'c'.repeat(43), redirect_uri: 'https://app.example.test/callback' })));
    await events(server, ({ event }) => event === 'refuse', count);
    assert.equal(linesOf(logs.get(server)()).length, before + count);
  });
}

test('a graceful restart opens the file again, and starts the program again', async () => {
  const moved = fileOf(byFile, 'moved.log');
  fs.renameSync(fileOf(byFile, 'audit.log'), moved);
  const old = logs.get(byFile);
  await Promise.all([byFile.reload({}), byPipe.reload({})]);
  await tokens(byFile, await signIn(byFile));
  await events(byFile, ({ event }) => event === 'token');
  const lines = logs.get(byPipe)().length;
  await tokens(byPipe, await signIn(byPipe));
  await until('the program writes again', () => logs.get(byPipe)().length > lines);
  assert.ok(old().length > 0 && fs.readFileSync(moved, 'utf8').length > 0);
  assert.equal(fs.statSync(moved).mode & 0o027, 0, 'others cannot read it');
});

test('no secret and no token in any of them', () => {
  assert.ok(secrets.size > 20, `${secrets.size} secrets were used`);
  const texts = [...logs.values()].map((read) => read()).concat(fs.readFileSync(fileOf(byFile, 'moved.log'), 'utf8'), [byFile, byPipe, byDefault].map((server) => server.log()));
  for (const text of texts) {
    for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} is in the log`);
  }
});
