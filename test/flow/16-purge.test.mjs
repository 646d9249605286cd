// SPDX-License-Identifier: Apache-2.0
// The background task: rows that have ended go by themselves, whole batches one after another, and one node at a time;
// users with too many families of refresh tokens lose the oldest; under a constant load the tables stay as large as they are.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { assertError, client, getCode, offline, redeem, refresh } from './lib/oauth.mjs';

const server = await startInstance({ conf: client('spa') });
const limited = await startInstance({ conf: `OAuth2ASAuditLog \${OAS_DIR}/audit.log\nOAuth2ASRefreshLimit 3\n${client('spa')}${client('other')}` });
const busy = await startInstance({
  conf: ['code 10s', 'access-token 1s', 'refresh-token 10s', 'refresh-token-idle 10s', 'session 10s', 'session-idle 10s']
    .map((lifetime) => `OAuth2ASLifetime ${lifetime}\n`)
    .join('') + client('spa'),
});

const counters = (count, purgeAfter) =>
  server.sql(`INSERT INTO oas_throttle (key, failures, last_failure, purge_after)
    SELECT sha256(('${purgeAfter}' || i)::text::bytea), 1, now(), now() + interval '${purgeAfter}' FROM generate_series(1, ${count}) AS i`);

test('what has ended is deleted, in more than one batch, and what has not stays', async () => {
  const kept = await server.count('oas_throttle');
  await counters(25_000, '-1 second');
  await counters(10, '1 hour');
  await until('25000 rows gone', async () => (await server.count('oas_throttle')) === kept + 10);
});

test('a login that has ended goes, one that has not works on', async () => {
  const got = await getCode(server);
  await server.sql(`UPDATE oas_grants SET purge_after = now() - interval '1 second'`);
  await server.sql(`UPDATE oas_codes SET purge_after = now() - interval '1 second'`);
  const other = await getCode(server);
  await until('the grant gone', async () => (await server.count('oas_grants')) === 1);
  assert.equal(await server.count('oas_codes'), 1);
  assert.equal((await redeem(server, got)).json.error, 'invalid_grant');
  assert.equal((await redeem(server, other)).status, 200);
});

test('while another node is at it, this one leaves everything; then it goes on', async () => {
  const before = await server.count('oas_throttle');
  // as oas_alone_1 has it, but waiting for its turn
  const goOn = await server.transaction("SET LOCAL lock_timeout = '30s'; SELECT pg_advisory_xact_lock(724183065 + 1, 'oas_schema'::regclass::oid::bigint::bit(32)::integer)");
  assert.deepEqual(await server.sql('SELECT oas_alone_1(1)'), [['f']]);
  await counters(5, '-2 seconds');
  await sleep(12_000); // more than one round
  assert.equal(await server.count('oas_throttle'), before + 5);
  await goOn();
  await until('rows gone', async () => (await server.count('oas_throttle')) === before);
});

test('the oldest families of a user with one client end when there are too many', async () => {
  const alice = [];
  for (let i = 0; i < 5; i++) alice.push(await offline(limited));
  const bob = await getCode(limited, { scope: 'openid offline_access' }, { username: 'bob', password: 'battery staple' });
  const others = [
    [(await redeem(limited, bob)).json, 'spa'],
    [await offline(limited, { client_id: 'other' }), 'other'],
  ];
  await until('two families ended', async () => (await limited.count('oas_grants', `revoked_reason = 'limit'`)) === 2);
  await sleep(11_000); // the next round finds nothing more
  for (const { refresh_token } of alice.slice(0, 2)) assertError(await refresh(limited, refresh_token), 400, 'invalid_grant');
  for (const { refresh_token } of alice.slice(2)) assert.equal((await refresh(limited, refresh_token)).status, 200);
  for (const [{ refresh_token }, client_id] of others) assert.equal((await refresh(limited, refresh_token, { client_id })).status, 200);
  const logged = [...limited.log().matchAll(/OAS00387: (\d+) families/g)].map(([, count]) => Number(count));
  assert.ok(logged.length >= 1 && logged.reduce((sum, one) => sum + one, 0) === 2, `${logged}`); // one by one, if a round came in between
  const audited = fs.readFileSync(path.join(limited.dir, 'audit.log'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const told = audited.filter(({ event, reason }) => event === 'revoke' && reason === 'limit');
  assert.equal(told.reduce((sum, { count }) => sum + count, 0), 2);
  assert.equal(told[0].issuer, limited.issuer);
});

// Those whose rows end, and the column that their time is counted from; the rest.
const since = { oas_sessions: 'created_at', oas_grants: 'created_at', oas_codes: 'expires_at' };
const ends = Object.keys(since);
const tables = [...ends, 'oas_refresh_tokens', 'oas_consents', 'oas_subjects'];

// Rows wait a day longer than they have to; here they do not, so that a minute shows what a month would.
const withoutMargin = ends.map((table) => `
  CREATE TRIGGER earlier BEFORE INSERT OR UPDATE OF purge_after ON ${table} FOR EACH ROW
    WHEN (NEW.purge_after > clock_timestamp() + interval '1 day') EXECUTE FUNCTION earlier()`).join(';');

const lifetime = 10_000;

/**
 * A login and what comes of it. Whoever is kept waiting by a busy machine until a code, session or family is over is
 * told so, and that is all that may go wrong.
 * @returns whether it came to its end
 */
async function oneLife() {
  const began = Date.now();
  const got = await getCode(busy, { scope: 'openid offline_access' });
  let answer = got.code ? await redeem(busy, got) : { status: 400, text: JSON.stringify(got) };
  for (let i = 0; answer.status === 200 && i < 4; i++) {
    answer = await refresh(busy, answer.json.refresh_token);
  }
  assert.ok(answer.status === 200 || Date.now() - began >= lifetime, answer.text);
  return answer.status === 200;
}

// Nothing here depends on how fast the machine is: rows are measured by their own times, pages by the rows there were.
test('under a constant load of logins and refreshes every table stays as large as it is', async () => {
  await busy.sql(`CREATE FUNCTION earlier() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.purge_after := NEW.purge_after - interval '1 day'; RETURN NEW; END $$; ${withoutMargin}`);
  const most = tables.map(() => [0, 0]); // rows and bytes
  const marks = [];
  let lives = 0;
  let complete = 0;

  async function sample() {
    await busy.sql(`VACUUM ${tables.join(', ')}`); // which PostgreSQL does by itself, less often
    const [row] = await busy.sql(`SELECT ${tables.map((table) => `(SELECT count(*) FROM ${table}), pg_table_size('${table}')`).join(', ')}`);
    most.forEach((pair, i) => pair.forEach((value, k) => (pair[k] = Math.max(value, Number(row[2 * i + k])))));
    for (const table of ends) {
      const late = `purge_after < clock_timestamp() - interval '30 seconds' OR purge_after > ${since[table]} + interval '30 seconds'`;
      assert.equal(await busy.count(table, late), 0, `${table}: rows that outlive their time`);
    }
    const alone = 'NOT EXISTS (SELECT 1 FROM oas_grants AS g WHERE g.grant_id = oas_refresh_tokens.grant_id)';
    assert.equal(await busy.count('oas_refresh_tokens', alone), 0, 'tokens that outlive their grant');
  }

  async function worker(until) {
    while (Date.now() < until) {
      const next = sleep(1000);
      lives++;
      complete += await oneLife();
      await next;
    }
  }

  for (const seconds of [50, 30]) { // rows live up to 40 s and go in one batch each 10 s: only then do pages come free
    const until = Date.now() + seconds * 1000;
    const workers = Promise.all(Array.from({ length: 5 }, () => worker(until)));
    workers.catch(() => {}); // until they are waited for
    while (Date.now() < until) await Promise.all([sample(), sleep(1000)]);
    await workers;
    marks.push(most.map((pair) => [...pair]));
  }
  assert.ok(complete > 40, `${complete} of ${lives} logins came to their end`);
  for (const [i, table] of tables.entries()) {
    const [[rows, bytes], [rowsLater, bytesLater]] = marks.map((mark) => mark[i]);
    const growth = Math.max(1, rowsLater / rows); // a machine that has become faster has more of them at once
    assert.ok(bytesLater <= 1.3 * growth * bytes + 16_384, `${table}: ${JSON.stringify(marks.map((mark) => mark[i]))}`);
  }
  for (const table of ['oas_consents', 'oas_subjects']) assert.equal(await busy.count(table), 1);
  await until('every row gone that ends', async () => (await Promise.all(ends.map((table) => busy.count(table)))).every((count) => count === 0));
});
