// SPDX-License-Identifier: Apache-2.0
// Graceful restarts under load: no request fails, and what the new configuration needs the old one has given back:
// descriptors, shared memory, connections, memory. With OAS_SOAK=N they are N times as many, a hundred at least.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { connectionsOf, descriptorsOf, memoryIn, poolOf, segmentsOf, sharedBy } from './lib/held.mjs';
import { allRounds, keepRunning, loadConf, rounds, sessionRound } from './lib/load.mjs';
import { getCode } from './lib/oauth.mjs';

// with all that lives in shared memory or in a descriptor: keyring, metrics, hashers, audit log
const server = await startInstance({
  nodes: 1,
  args: ['--keyring', 'alg=RS256,PS256,ES256,EdDSA'],
  conf: `${loadConf}OAuth2ASEndpoint metrics /oauth2as/metrics\nOAuth2ASAuditLog \${OAS_DIR}/audit.log\n`,
});
const { surfer } = await getCode(server);
const pool = poolOf(server);
const soak = Number(process.env.OAS_SOAK ?? 1);
const count = soak > 1 ? Math.max(100, 6 * soak) : 6;

/** One graceful restart, until the new configuration serves. */
async function restart() {
  const generations = () => server.log().split('resuming normal operations').length;
  const before = generations();
  process.kill(server.pid, 'SIGUSR1');
  await until('httpd comes back', () => generations() > before);
  await sleep(300);
}

const isSocket = (name) => name === 'socket';
const ofCurl = 2; // a pair by which the task that tells applications of logouts wakes itself

/** What one child holds; nothing for one that has ended meanwhile. */
function lookAt(pid) {
  try {
    const all = descriptorsOf(pid);
    const files = all.filter((name) => !isSocket(name)).join(' ');
    return [{ memory: memoryIn(pid), sockets: all.filter(isSocket).length, files, shared: sharedBy(pid).join(', '), segments: segmentsOf(pid) }];
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(error.code)) return [];
    throw error;
  }
}

const look = async () => (await server.children()).flatMap(lookAt);
const different = (values) => [...new Set(values)];

/** What a new generation holds that has done the same work each time, when its guests are gone. */
async function holdings() {
  const old = new Set(await server.children());
  await restart();
  await until('the old children end', async () => !(await server.children()).some((pid) => old.has(pid)));
  await rounds(80, () => sessionRound(server, surfer));
  const files = descriptorsOf(server.pid);
  const sockets = files.filter(isSocket).length + pool + ofCurl;
  await until('a child has the sockets of its parent, its pool, and those of libcurl', async () => (await look()).every((child) => child.sockets <= sockets));
  await until('the database has closed those of the old children', async () => (await connectionsOf(server)) <= (await server.children()).length * pool);
  const children = await look();
  assert.ok(children.length > 0);
  return {
    files,
    shared: sharedBy(server.pid),
    segments: segmentsOf(server.pid),
    ofChildren: {
      files: different(children.map((child) => child.files)),
      shared: different(children.map((child) => child.shared)),
      segments: children.flatMap((child) => child.segments),
    },
    memory: memoryIn(server.pid),
    child: Math.max(...children.map(({ memory }) => memory)),
  };
}

test('a child that ends while its background task waits for the database ends in peace', async () => {
  await until('the clients are written', async () => (await server.count('oas_clients')) > 0);
  server.announce(/OAS0020[0-6]|OAS01230/, { maybe: true }); // it is held for as long as the restarts take
  const letGo = await server.transaction('SELECT 1 FROM oas_clients FOR UPDATE');
  await restart();
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE usename = 'oauth2as' AND wait_event_type = 'Lock'";
  await until('the task of a new child waits for what is held', async () => (await server.sql(waiting, 'postgres')).length > 0);
  await restart();
  await letGo();
});

test('the background task of a child waits until its connections are there, however long they take', async () => {
  const letGo = await server.transaction('LOCK TABLE oas_clients IN SHARE MODE'); // statements cannot be prepared
  const held = sleep(2000).then(letGo);
  await restart();
  await held;
  await sleep(1000);
});

/** So many restarts under load, of which no request may notice anything. */
async function restartUnderLoad(t, times) {
  const stop = keepRunning(t, allRounds(server, surfer));
  for (let i = 0; i < times; i++) await restart();
  const { good, bad } = await stop();
  assert.deepEqual(bad, []);
  assert.ok(good > 0, 'no round was made');
  return good;
}

test(`${count} graceful restarts under load: no request fails, and httpd holds what it held before`, async (t) => {
  await restartUnderLoad(t, 4);
  const before = await holdings();
  const good = await restartUnderLoad(t, count);
  const after = await holdings();
  const [parent, child] = [after.memory - before.memory, after.child - before.child];
  console.log(`${good} rounds of every kind during ${count} restarts; the parent grew by ${parent} kB, a new child by ${child} kB`);
  for (const what of ['files', 'shared', 'segments', 'ofChildren']) assert.deepEqual(after[what], before[what], what);
  if (process.env.OAS_PRELOAD) return; // a sanitizer keeps what was freed
  assert.ok(parent < 256, `the parent grew by ${parent} kB`);
  assert.ok(child < 1024, `a new child is larger by ${child} kB`);
});
