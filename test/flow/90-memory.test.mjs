// SPDX-License-Identifier: Apache-2.0
// httpd does not grow with the number of requests. OAS_SOAK=N makes it N times as many; OAS_SOAK_MINUTES=N goes on for so
// long instead, and compares the beginning with the end.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { allRounds, loadConf, memoryOf, rounds } from './lib/load.mjs';
import { getCode } from './lib/oauth.mjs';

const server = await startInstance({ conf: loadConf });
const { surfer } = await getCode(server);
const turns = 30 * Number(process.env.OAS_SOAK ?? 1);
const minutes = Number(process.env.OAS_SOAK_MINUTES ?? 0);
const round = allRounds(server, surfer);
const turnsOf = (count) => rounds(count * round.turn, round);

function memory() {
  return memoryOf(execFileSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' }).trim().split('\n'));
}

async function soakByCount() {
  const before = memory();
  for (let part = 1; part <= 10; part++) {
    await turnsOf(turns / 10);
    if (process.env.OAS_VERBOSE) console.log(`grown by ${memory() - before} kB in ${(part * turns) / 10} turns`);
  }
  const grown = memory() - before;
  const requests = turns * round.requests;
  console.log(`grown by ${grown} kB in ${turns} turns, ${requests} requests of every kind`);
  assert.ok(grown < 1024 + (requests * 3) / 1024, `grown by ${grown} kB`);
}

/** The mean of each tenth of the time, in kB, once it has gone on for so long that every thread has had each kind of round. */
async function soakByTime() {
  const tenths = [];
  let done = 0;
  const tenth = minutes * 6000;
  for (const end = Date.now() + tenth; Date.now() < end; ) await turnsOf(1);
  for (const begun = Date.now(); tenths.length < 10; ) {
    const samples = [];
    for (const end = begun + (tenths.length + 1) * tenth; Date.now() < end; done++) {
      await turnsOf(1);
      samples.push(memory());
    }
    tenths.push(Math.round(samples.reduce((sum, one) => sum + one, 0) / samples.length));
  }
  const grown = tenths.at(-1) - tenths[0];
  console.log(`grown by ${grown} kB from the first to the last tenth of ${minutes} minutes, ${done * round.requests} requests of every kind; kB in each: ${tenths.join(' ')}`);
  assert.ok(grown < 512, `grown by ${grown} kB`);
}

const promise = minutes
  ? `in the last tenth of ${minutes} minutes httpd is larger than in the first by less than half a MiB`
  : `after ${turns} turns of ${round.requests} requests of every kind httpd is larger than after ten by at most one MiB and three bytes a request`;

test(promise, async () => {
  await turnsOf(10); // every thread has had its turn, and its pools have found their size
  await (minutes ? soakByTime() : soakByCount());
});
