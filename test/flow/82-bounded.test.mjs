// SPDX-License-Identifier: Apache-2.0
// Nobody waits for the database longer than is configured: not for a connection of a full pool, not for a statement
// that somebody's lock holds up, and not for somebody else's connection that never comes.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently, startInstance, until } from './lib/instance.mjs';
import { keepRunning } from './lib/load.mjs';
import { request } from './lib/http.mjs';
import { client, offline, refresh, userinfo } from './lib/oauth.mjs';
import { Wire } from '../fault/wire.mjs';

const skip = process.env.OAS_MPM === 'prefork' && 'there a process has one request at a time';
let wire;
const server = await startInstance({
  nodes: 1,
  args: ['--keys', 'RS256'],
  prepare: (dir) => (wire = Wire.to(dir, 'wire')),
  conf: `DBDParams "host=\${OAS_DIR}/wire port=5432 dbname=oauth2as user=oauth2as connect_timeout=2"
DBDMin 2\nDBDKeep 2\nDBDMax 2\nOAuth2ASDatabaseWait 1s\nOAuth2ASDatabaseTimeout 20s
${client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] })}`,
});
test.after(() => wire.close());
const oneChild = (text) => text.replace('MaxRequestWorkers 128', 'MaxRequestWorkers 32').replace('StartServers 2', 'StartServers 1');
await server.reload({ 'httpd/httpd.conf': oneChild });

const [free, ...held] = [await offline(server), await offline(server), await offline(server)];
// what the store and mod_dbd may say about it
const away = /OAS002\d\d|OAS006[567]\d|OAS0083\d|AH006(?:29|3\d)|dbd/;
const waiting = "SELECT 1 FROM pg_stat_activity WHERE usename = 'oauth2as' AND wait_event_type = 'Lock'";
const lock = () => server.transaction('SELECT 1 FROM oas_grants WHERE refresh_generation IS NOT NULL FOR UPDATE');
const wait = (count) => until(`${count} statements wait for the lock`, async () => (await server.sql(waiting, 'postgres')).length === count);

async function timed(asking) {
  const since = Date.now();
  const answer = await asking;
  return { answer, took: Date.now() - since };
}

function assertAway(answer) {
  assert.equal(answer.status, 503, answer.text);
  assert.equal(answer.json.error, 'temporarily_unavailable');
  assert.ok(Number(answer.headers['retry-after']) >= 1);
}

/** A 503 has cost nobody his token. */
async function assertGood(token) {
  await until('the token is good', async () => {
    const { status, text } = await refresh(server, token);
    assert.ok([200, 503].includes(status), text);
    return status === 200;
  });
}

test('a full pool: 503 after OAuth2ASDatabaseWait, and the others go on when the lock goes', { skip }, async () => {
  server.announce(away, { maybe: true });
  const unlock = await lock();
  const locked = held.map(({ refresh_token }) => refresh(server, refresh_token));
  await wait(2);
  const refused = await Promise.all([1, 2, 3].map(() => timed(userinfo(server, free.access_token))));
  for (const { answer, took } of refused) {
    assertAway(answer);
    assert.ok(took > 900 && took < 8000, `one second was to be waited, not ${took} ms`);
  }
  assert.equal((await server.sql(waiting, 'postgres')).length, 2, 'whoever has a connection waits on');
  await unlock();
  for (const { status, text } of await Promise.all(locked)) assert.ok([200, 503].includes(status), text);
  assert.equal((await patiently(() => userinfo(server, free.access_token))).status, 200);
  for (const { refresh_token } of held) await assertGood(refresh_token);
});

test('OAuth2ASDatabaseTimeout bounds a statement that waits for a lock', async (t) => {
  server.announce(away, { maybe: true });
  await server.reload({ 'test.conf': (text) => text.replace('DatabaseTimeout 20s', 'DatabaseTimeout 1s') });
  const unlock = await lock();
  let slowest = 0;
  const pace = keepRunning(t, async () => (slowest = Math.max(slowest, (await timed(request(server.url('.well-known/jwks.json')))).took)), 2);
  const { answer, took } = await timed(refresh(server, held[0].refresh_token));
  await pace();
  assertAway(answer);
  const most = 3600 + 3 * slowest; // so slow is the machine with what needs no database
  assert.ok(took > 600 && took < most, `one second and not the usual five were to be waited at most: ${took} ms of ${most}`);
  await unlock();
  await assertGood(held[0].refresh_token);
});

test('a database host that takes connections and says nothing: who has a connection goes on, one at a time waits for another', { skip }, async (t) => {
  server.announce(away, { maybe: true });
  await server.reload({ 'test.conf': (text) => text.replace('DBDKeep 2\nDBDMax 2', 'DBDKeep 6\nDBDMax 6').replace('DatabaseTimeout 1s', 'DatabaseTimeout 5s') });
  await until('the pool has its two connections', async () => (await userinfo(server, free.access_token)).status === 200);
  wire.greetNobody();
  const answers = [];
  const [since, before] = [Date.now(), wire.tried];
  const stop = keepRunning(t, async () => answers.push(await timed(userinfo(server, free.access_token))), 8);
  await sleep(5000);
  await until('who has a connection goes on', () => answers.length > 100);
  const [tried, seconds] = [wire.tried - before, (Date.now() - since) / 1000];
  wire.release();
  const { bad } = await stop();
  assert.deepEqual(bad, []);
  const slow = answers.filter(({ took }) => took > 1500);
  const refused = answers.filter(({ answer }) => answer.status !== 200);
  console.log(`${answers.length} reads, ${slow.length} of them slow, ${refused.length} refused, ${tried} connections begun`);
  assert.ok(tried > 0, 'nobody has tried to connect');
  // each tries for two seconds; libpq counts whole ones, so that may be little more than one
  assert.ok(tried <= seconds + 1, `${tried} have tried to connect in ${seconds} s: not one at a time`);
  assert.ok(slow.length * 5 < answers.length, `${slow.length} of ${answers.length} reads have waited`);
  for (const { answer } of refused) assertAway(answer);
});
