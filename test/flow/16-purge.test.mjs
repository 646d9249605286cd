// SPDX-License-Identifier: Apache-2.0
// The background task: rows that have ended go by themselves, whole batches one after another, and one node at a time.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { client, getCode, redeem } from './lib/oauth.mjs';

const server = await startInstance({ conf: client('spa') });

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
