// SPDX-License-Identifier: Apache-2.0
// The background task: rows that have ended go by themselves, whole batches one after another, and one node at a time;
// users with too many families of refresh tokens lose the oldest; under a constant load the tables stay as large as they are.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { assertError, client, getCode, offline, redeem, refresh } from './lib/oauth.mjs';

const server = await startInstance({ conf: client('spa') });
const limited = await startInstance({ conf: `OAuth2ASAuditLog \${OAS_DIR}/audit.log\nOAuth2ASRefreshLimit 3\n${client('spa')}${client('other')}` });
const busy = await startInstance({
  conf: ['code 1s', 'access-token 1s', 'refresh-token 4s', 'refresh-token-idle 4s', 'session 4s', 'session-idle 4s']
    .map((lifetime) => `OAuth2ASLifetime ${lifetime}\n`)
    .join('') + client('spa'),
});

async function until(what, seconds, condition) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) if (await condition()) return;
  assert.fail(`${what} not within ${seconds} s`);
}

const counters = (count, purgeAfter) =>
  server.sql(`INSERT INTO oas_throttle (key, failures, last_failure, purge_after)
    SELECT sha256(('${purgeAfter}' || i)::text::bytea), 1, now(), now() + interval '${purgeAfter}' FROM generate_series(1, ${count}) AS i`);

test('what has ended is deleted, in more than one batch, and what has not stays', async () => {
  const kept = await server.count('oas_throttle');
  await counters(25_000, '-1 second');
  await counters(10, '1 hour');
  await until('25000 rows gone', 30, async () => (await server.count('oas_throttle')) === kept + 10);
});

test('a login that has ended goes, one that has not works on', async () => {
  const got = await getCode(server);
  await server.sql(`UPDATE oas_grants SET purge_after = now() - interval '1 second'`);
  await server.sql(`UPDATE oas_codes SET purge_after = now() - interval '1 second'`);
  const other = await getCode(server);
  await until('the grant gone', 20, async () => (await server.count('oas_grants')) === 1);
  assert.equal(await server.count('oas_codes'), 1);
  assert.equal((await redeem(server, got)).json.error, 'invalid_grant');
  assert.equal((await redeem(server, other)).status, 200);
});

test('while another node is at it, this one leaves everything; then it goes on', async () => {
  const before = await server.count('oas_throttle');
  const holding = server.sql('SELECT CASE WHEN oas_alone_1(1) THEN pg_sleep(14) IS NOT NULL ELSE false END');
  await counters(5, '-2 seconds');
  await sleep(12_000); // more than one round
  assert.equal(await server.count('oas_throttle'), before + 5);
  assert.deepEqual(await holding, [['t']]);
  await until('rows gone', 20, async () => (await server.count('oas_throttle')) === before);
});

test('the oldest families of a user with one client end when there are too many', async () => {
  const alice = [];
  for (let i = 0; i < 5; i++) alice.push(await offline(limited));
  const bob = await getCode(limited, { scope: 'openid offline_access' }, { username: 'bob', password: 'battery staple' });
  const others = [
    [(await redeem(limited, bob)).json, 'spa'],
    [await offline(limited, { client_id: 'other' }), 'other'],
  ];
  await until('two families ended', 25, async () => (await limited.count('oas_grants', `revoked_reason = 'limit'`)) === 2);
  await sleep(11_000); // the next round finds nothing more
  for (const { refresh_token } of alice.slice(0, 2)) assertError(await refresh(limited, refresh_token), 400, 'invalid_grant');
  for (const { refresh_token } of alice.slice(2)) assert.equal((await refresh(limited, refresh_token)).status, 200);
  for (const [{ refresh_token }, client_id] of others) assert.equal((await refresh(limited, refresh_token, { client_id })).status, 200);
  assert.match(limited.log(), /OAS00387: 2 families/);
  const audited = fs.readFileSync(path.join(limited.dir, 'audit.log'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const told = audited.filter(({ event, reason }) => event === 'revoke' && reason === 'limit');
  assert.equal(told.reduce((sum, { count }) => sum + count, 0), 2);
  assert.equal(told[0].issuer, limited.issuer);
});

const tables = ['oas_sessions', 'oas_grants', 'oas_codes', 'oas_refresh_tokens', 'oas_consents', 'oas_subjects'];

// Rows wait a day longer than they have to; here they do not, so that a minute shows what a month would.
const withoutMargin = tables.slice(0, 3).map((table) => `
  CREATE TRIGGER earlier BEFORE INSERT OR UPDATE OF purge_after ON ${table} FOR EACH ROW
    WHEN (NEW.purge_after > clock_timestamp() + interval '1 day') EXECUTE FUNCTION earlier()`).join(';');

async function oneLife() {
  let { refresh_token } = await offline(busy);
  for (let i = 0; i < 4; i++) {
    const answer = await refresh(busy, refresh_token);
    assert.equal(answer.status, 200, answer.text);
    ({ refresh_token } = answer.json);
  }
}

test('under a constant load of logins and refreshes every table stays as large as it is', async () => {
  await busy.sql(`CREATE FUNCTION earlier() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.purge_after := NEW.purge_after - interval '1 day'; RETURN NEW; END $$; ${withoutMargin}`);
  const samples = [];
  const lives = [];
  const started = Date.now();
  let next = started;
  let lastSample = 0;
  for (let now = started; now - started < 50_000; now = Date.now()) {
    if (now >= next) {
      lives.push(oneLife());
      next += 200;
    }
    if (now - lastSample > 1000) {
      lastSample = now;
      await busy.sql(`VACUUM ${tables.join(', ')}`); // which PostgreSQL does by itself, less often
      const [row] = await busy.sql(`SELECT ${tables.map((table) => `(SELECT count(*) FROM ${table}), pg_table_size('${table}')`).join(', ')}`);
      samples.push({ at: now - started, row: row.map(Number) });
    }
    await sleep(10);
  }
  await Promise.all(lives);
  assert.ok(lives.length > 150, `${lives.length} logins`);
  const most = (from, to, column) => Math.max(...samples.filter(({ at }) => at >= from && at < to).map(({ row }) => row[column]));
  for (const [i, table] of tables.entries()) {
    const what = `${table}: ${samples.map(({ row }) => row[2 * i]).join(' ')}; ${samples.map(({ row }) => row[2 * i + 1]).join(' ')}`;
    for (const column of [2 * i, 2 * i + 1]) {
      assert.ok(most(34_000, 50_000, column) <= 1.3 * most(18_000, 34_000, column), what);
    }
  }
  const made = lives.length * 5;
  assert.ok(most(0, 50_000, 6) < made / 2, `${most(0, 50_000, 6)} of ${made} rows at once`);
});
