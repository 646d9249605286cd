// SPDX-License-Identifier: Apache-2.0
// npm run leaks: httpd under valgrind loses nothing for good, however many requests it has had, and reads and
// writes only memory that it has.
import test from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { startInstance, top } from './lib/instance.mjs';
import { familyRound, loadConf, logoutRound, rounds, sessionRound, wideRound } from './lib/load.mjs';
import { getCode } from './lib/oauth.mjs';

process.env.OAS_WRAPPER = path.join(top, 'test/lib/memcheck');
const few = Number(process.env.OAS_ROUNDS ?? 10);

async function after(count) {
  const server = await startInstance({ conf: loadConf });
  const { surfer } = await getCode(server);
  await rounds(count, async () => {
    await wideRound(server);
    await sessionRound(server, surfer);
    await familyRound(server);
    await logoutRound(server);
  });
  await server.stop();
  const found = server.memcheck();
  console.log(`after ${count} rounds: ${found.lost} blocks lost, ${found.kept} in use, ${found.errors} errors`);
  return found;
}

test(`httpd loses nothing, and after ${3 * few} rounds of some eighty requests keeps no more than after ${few}`, async () => {
  const [first, second] = [await after(few), await after(3 * few)];
  assert.equal(second.lost, 0, second.text);
  assert.ok(second.kept - first.kept < few, `${first.kept} blocks in use after the few, ${second.kept} after the many`);
});
