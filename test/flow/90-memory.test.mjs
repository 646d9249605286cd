// SPDX-License-Identifier: Apache-2.0
// httpd does not grow with the number of requests.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { authorization, authorizeUrl, callbackOf, client, getCode, redeem, userinfo } from './lib/oauth.mjs';

const server = await startInstance({ conf: client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }) });
const { surfer } = await getCode(server);

/** Kilobytes that httpd's children have to themselves. */
function memory() {
  const children = execFileSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' }).trim().split('\n');
  return children
    .map((pid) => fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    .reduce((sum, text) => sum + Number(/Private_Dirty: +(\d+)/.exec(text)[1]), 0);
}

/** One sign-in by session, one redemption, one userinfo, and one of each that fails. */
async function round() {
  const { verifier, params } = authorization();
  const back = callbackOf(await surfer.go(authorizeUrl(server, params)));
  const got = { ...back, verifier, params };
  const { json, status } = await redeem(server, got);
  assert.equal(status, 200);
  assert.equal((await userinfo(server, json.access_token)).status, 200);
  assert.equal((await redeem(server, { ...got, code: 'x' })).status, 400);
  assert.equal((await userinfo(server, 'x')).status, 401);
  assert.equal((await surfer.go(authorizeUrl(server, { ...params, client_id: 'nobody' }))).status, 400);
  await surfer.go(authorizeUrl(server, { ...params, prompt: 'login' }));
}

async function rounds(count) {
  for (let done = 0; done < count; done += 4) await Promise.all([round(), round(), round(), round()]);
}

test('after 2,000 rounds of seven requests no child is larger than after 600, by more than 300 bytes a round', async () => {
  await rounds(600); // every thread has had its turn, and its pools have found their size
  const before = memory();
  await rounds(2000);
  const grown = memory() - before;
  console.log(`grown by ${grown} kB in 2,000 rounds`);
  assert.ok(grown * 1024 < 2000 * 300, `grown by ${grown} kB`);
});
