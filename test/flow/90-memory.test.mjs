// SPDX-License-Identifier: Apache-2.0
// httpd does not grow with the number of requests. OAS_SOAK=N makes it N times as many.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { loadConf, memoryOf, rounds, sessionRound } from './lib/load.mjs';
import { getCode } from './lib/oauth.mjs';

const server = await startInstance({ conf: loadConf });
const { surfer } = await getCode(server);
const count = 2000 * Number(process.env.OAS_SOAK ?? 1);

function memory() {
  return memoryOf(execFileSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' }).trim().split('\n'));
}

test(`after ${count} rounds of seven requests httpd is larger than after 600 by at most one MiB and 20 bytes a round`, async () => {
  await rounds(600, () => sessionRound(server, surfer)); // every thread has had its turn, and its pools have found their size
  const before = memory();
  for (let part = 1; part <= 10; part++) {
    await rounds(count / 10, () => sessionRound(server, surfer));
    if (process.env.OAS_VERBOSE) console.log(`grown by ${memory() - before} kB in ${(part * count) / 10} rounds`);
  }
  const grown = memory() - before;
  console.log(`grown by ${grown} kB in ${count} rounds`);
  assert.ok(grown < 1024 + (count * 20) / 1024, `grown by ${grown} kB`);
});
