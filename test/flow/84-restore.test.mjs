// SPDX-License-Identifier: Apache-2.0
// A backup is restored while clients and browsers have gone on: what that brings back, and that the commands of
// docs/backup.md, as they stand there, end it all cleanly.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { startInstance, top, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { recipe } from './lib/recipe.mjs';
import { assertError, authorization, authorizeUrl, callbackOf, client, getCode, offline, redeem, refresh, revoke, userinfo } from './lib/oauth.mjs';

const trusted = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASRefreshReuseWindow 0'];
const server = await startInstance({
  nodes: 1,
  conf: 'OAuth2ASAuditLog ${OAS_DIR}/audit.log\n' + client('spa', { extra: trusted }) + client('asks', { extra: ['OAuth2ASRefreshReuseWindow 0'] }),
});
const [node] = server.nodes;
const here = { 'db.example.com': server.env.PGHOST };
const log = { '/var/log/apache2/oauth2as-audit.log': `${server.dir}/audit.log` };
const dump = path.join(server.dir, 'oauth2as.dump');

/** Runs a recipe of the page against this server's own PostgreSQL. */
function run(name, places) {
  const { OAUTH2ASCTL } = server.env;
  const script = recipe(name, places, 'backup.md');
  return execFileSync('bash', ['-euc', script], { encoding: 'utf8', env: { ...process.env, PGPORT: server.env.PGPORT, PATH: `${path.dirname(OAUTH2ASCTL)}:${process.env.PATH}` } });
}

/** The database is as it was, and httpd is down. */
async function restore() {
  await server.stopNode(node, 'SIGTERM');
  const env = { ...process.env, ...server.env, PGUSER: 'postgres', PGDATABASE: 'postgres' };
  execFileSync('psql', ['-Xqc', 'DROP DATABASE oauth2as WITH (FORCE)'], { env });
  run('restore', { ...here, '/var/backups/oauth2as.dump': dump });
}

async function serve() {
  await server.startNode(node);
  await until('httpd is ready', () => request(server.url('oauth2as/ready')).then(({ status }) => status === 200, () => false));
}

/** What a silent request of this browser gets. */
const silently = async (surfer) => callbackOf(await surfer.go(authorizeUrl(server, authorization({ prompt: 'none' }).params)));

const held = {};
test('clients and browsers go on after the backup', async () => {
  for (const name of ['quiet', 'busy', 'revoked', 'left']) held[name] = await offline(server);
  held.asks = await offline(server, { client_id: 'asks' }, { client_id: 'asks' });
  assert.ok((await silently(held.left.got.surfer)).code);
  assert.equal((await userinfo(server, held.quiet.access_token)).status, 200);
  run('backup', { ...here, '/var/backups/oauth2as.dump': dump });

  held.stolen = held.busy.refresh_token;
  for (let i = 0; i < 3; i++) {
    const answer = await refresh(server, held.busy.refresh_token);
    assert.equal(answer.status, 200);
    held.busy = { ...held.busy, ...answer.json };
  }
  assert.equal((await revoke(server, { token: held.revoked.refresh_token, client_id: 'spa' })).status, 200);
  held.late = await offline(server);
  held.copy = held.left.got.surfer.clone();
  const page = await held.left.got.surfer.go(server.url('oidc/logout', { client_id: 'spa', id_token_hint: held.left.id_token }));
  if (page.form) await held.left.got.surfer.submit(page, { confirm: 'yes' });
  assert.equal((await silently(held.copy)).error, 'login_required');
});

test('a restored database alone brings back what had ended', async () => {
  await restore();
  await serve();
  assertError(await refresh(server, held.busy.refresh_token), 400, 'invalid_grant');
  assertError(await refresh(server, held.late.refresh_token), 400, 'invalid_grant');
  assert.equal((await refresh(server, held.stolen)).status, 200, 'the token that had been replaced is good again');
  assert.equal((await refresh(server, held.revoked.refresh_token)).status, 200, 'and one that had been revoked');
  assert.ok((await silently(held.copy)).code, 'and who had signed out is signed in');
});

test('after the commands of the page every client gets a clean invalid_grant, and its user signs in anew', async () => {
  await restore();
  const said = run('end', { ...here, ...log, 'schema apply': `schema apply --dir ${top}/schema`, 'https://login.example.com/': server.issuer });
  assert.deepEqual(said.match(/^\d+ ended$/gm), ['5 ended', '5 ended'], 'sessions and grants of five browsers');
  await serve();
  for (const token of [held.stolen, held.busy, held.late, held.revoked, held.quiet, held.left].map((one) => one.refresh_token ?? one)) {
    assertError(await refresh(server, token), 400, 'invalid_grant');
  }
  assertError(await refresh(server, held.asks.refresh_token, { client_id: 'asks' }), 400, 'invalid_grant');
  for (const { access_token } of [held.quiet, held.late, held.asks]) assert.equal((await userinfo(server, access_token)).status, 401);
  for (const surfer of [held.copy, held.quiet.got.surfer, held.late.got.surfer]) assert.equal((await silently(surfer)).error, 'login_required');

  for (const client_id of ['spa', 'asks']) {
    const anew = await offline(server, { client_id }, { client_id });
    assert.equal((await refresh(server, anew.refresh_token, { client_id })).status, 200);
    assert.equal((await userinfo(server, anew.access_token)).status, 200);
  }
});

test('consents are remembered, so nobody is asked again what was allowed before', async () => {
  const { params } = authorization({ client_id: 'asks', scope: 'openid profile email offline_access' });
  const { surfer } = await getCode(server);
  assert.ok(callbackOf(await surfer.go(authorizeUrl(server, params))).code);
});

test('an access that was withdrawn after the backup is withdrawn by the statement of the page', async () => {
  const [[sub]] = await server.sql(`SELECT DISTINCT sub FROM oas_consents WHERE client_id = 'asks' AND live`);
  const withdraw = () => run('withdraw', { ...here, 'oauth2as|alice': sub, "'shop'": "'asks'" }).trim();
  assert.deepEqual([withdraw(), withdraw()], ['t', 'f']);
  assert.equal(await server.count('oas_consents', `client_id = 'asks' AND live`), 0);
  assert.equal(await server.count('oas_grants', `client_id = 'asks' AND revoked_at IS NULL`), 0);
});

test('the audit log has what was done since, the ends of it by the tool included', () => {
  const lines = run('again', { ...log, '2026-03-02T01:00:00Z': '2020-01-01T00:00:00Z' }).trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ event, action, count }) => [event, action, count]), [
    ['admin', 'schema apply', undefined],
    ['admin', 'session end', 5],
    ['admin', 'grant revoke', 5],
  ]);
});
