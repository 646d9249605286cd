// SPDX-License-Identifier: Apache-2.0
// httpd does not grow with the number of requests. OAS_SOAK=N makes it N times as many; OAS_SOAK_MINUTES=N goes on for so
// long instead, and compares the beginning with the end.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { loadConf, memoryOf, rounds, sessionRound } from './lib/load.mjs';
import { getCode } from './lib/oauth.mjs';

const server = await startInstance({ conf: loadConf });
const { surfer } = await getCode(server);
const count = 2000 * Number(process.env.OAS_SOAK ?? 1);
const minutes = Number(process.env.OAS_SOAK_MINUTES ?? 0);
const session = () => sessionRound(server, surfer);

function memory() {
  return memoryOf(execFileSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' }).trim().split('\n'));
}

async function soakByCount() {
  const before = memory();
  for (let part = 1; part <= 10; part++) {
    await rounds(count / 10, session);
    if (process.env.OAS_VERBOSE) console.log(`grown by ${memory() - before} kB in ${(part * count) / 10} rounds`);
  }
  const grown = memory() - before;
  console.log(`grown by ${grown} kB in ${count} rounds`);
  assert.ok(grown < 1024 + (count * 20) / 1024, `grown by ${grown} kB`);
}

/** The mean of each tenth of the time, in kB. */
async function soakByTime() {
  const tenths = [];
  let done = 0;
  for (const begun = Date.now(); tenths.length < 10; ) {
    const samples = [];
    for (const end = begun + (tenths.length + 1) * minutes * 6000; Date.now() < end; done += 40) {
      await rounds(40, session);
      samples.push(memory());
    }
    tenths.push(Math.round(samples.reduce((sum, one) => sum + one, 0) / samples.length));
  }
  const grown = tenths.at(-1) - tenths[0];
  console.log(`grown by ${grown} kB from the first to the last tenth of ${minutes} minutes, ${done} rounds of seven requests; kB in each: ${tenths.join(' ')}`);
  assert.ok(grown < 512, `grown by ${grown} kB`);
}

const promise = minutes
  ? `in the last tenth of ${minutes} minutes httpd is larger than in the first by less than half a MiB`
  : `after ${count} rounds of seven requests httpd is larger than after 600 by at most one MiB and 20 bytes a round`;

test(promise, async () => {
  await rounds(600, session); // every thread has had its turn, and its pools have found their size
  await (minutes ? soakByTime() : soakByCount());
});
