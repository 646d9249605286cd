// SPDX-License-Identifier: Apache-2.0
// Graceful restarts under load: no request fails, and what the new configuration needs the old one has given back.
// OAS_SOAK=N makes it N times as many.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { keepRunning, loadConf, memoryOf, sessionRound } from './lib/load.mjs';
import { getCode } from './lib/oauth.mjs';

const server = await startInstance({ conf: loadConf });
const { surfer } = await getCode(server);
const count = 6 * Number(process.env.OAS_SOAK ?? 1);

async function until(what, holds) {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, what);
    await sleep(20);
  }
}

/** One graceful restart, until the new configuration serves. */
async function restart() {
  const generations = () => server.log().split('resuming normal operations').length;
  const before = generations();
  process.kill(server.pid, 'SIGUSR1');
  await until('httpd comes back', () => generations() > before);
  await sleep(300);
}

test('a child that ends while its background task waits for the database ends in peace', async () => {
  await until('the clients are written', async () => (await server.count('oas_clients')) > 0);
  const held = server.sql('BEGIN; DELETE FROM oas_clients; SELECT pg_sleep(3); ROLLBACK');
  await restart();
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE usename = 'oauth2as' AND wait_event_type = 'Lock'";
  await until('the task of a new child waits for what is held', async () => (await server.sql(waiting, 'postgres')).length > 0);
  await restart();
  await held;
});

test('the background task of a child waits until its connections are there, however long they take', async () => {
  const held = server.sql('BEGIN; LOCK TABLE oas_clients IN SHARE MODE; SELECT pg_sleep(2); COMMIT'); // statements cannot be prepared
  const locked = "SELECT 1 FROM pg_locks WHERE relation = 'oas_clients'::regclass AND mode = 'ShareLock'";
  await until('the table is locked', async () => (await server.sql(locked)).length > 0);
  await restart();
  await held;
  await sleep(1000);
});

test(`${count} graceful restarts under load: no request fails, and httpd's parent process does not grow`, async (t) => {
  const stop = keepRunning(t, () => sessionRound(server, surfer));
  for (let i = 0; i < 4; i++) await restart();
  const before = memoryOf([server.pid]);
  for (let i = 0; i < count; i++) await restart();
  const grown = memoryOf([server.pid]) - before;
  const { good, bad } = await stop();
  console.log(`${good} rounds of seven requests during ${count + 4} restarts; the parent grew by ${grown} kB`);
  assert.deepEqual(bad, []);
  assert.ok(good > 0, 'no round was made');
  assert.ok(grown < 512 + count * 4, `grown by ${grown} kB`);
});
