// SPDX-License-Identifier: Apache-2.0
// What a node has to undo when the database is back belongs to the node: it outlives graceful restarts and child
// processes that are killed, and whichever comes first undoes it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { patiently, startInstance, until } from './lib/instance.mjs';
import { client, getCode, offline, redeem, refresh } from './lib/oauth.mjs';

const server = await startInstance({
  nodes: 1,
  conf: `OAuth2ASDatabaseTimeout 4s\n${client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASRefreshReuseWindow 0'] })}`,
});

/** Commits wait for a standby that is not there: they are done, and nobody is told. */
async function standbyAway(away) {
  await server.sql(`ALTER SYSTEM ${away ? "SET synchronous_standby_names = 'nobody'" : 'RESET synchronous_standby_names'}`, 'postgres');
  await server.sql('SELECT pg_reload_conf()', 'postgres');
  const isAway = async () => (await server.sql("SELECT current_setting('synchronous_standby_names') = 'nobody'", 'postgres'))[0][0] === 't';
  await until('the server has read it', async () => (await isAway()) === away);
}

async function killChildren() {
  const old = new Set(await server.children());
  for (const pid of old) process.kill(pid, 'SIGKILL');
  await until('there are other children', async () => {
    const now = await server.children();
    return now.length > 0 && !now.some((pid) => old.has(pid));
  });
}

test('a refresh and a redemption of which nobody could be told, a graceful restart, killed children: both are undone, once', async () => {
  server.announce(/OAS0020[0-6]|OAS00716|OAS008[2-6]\d|OAS0114[01]|OAS01230|AH00052|AH03490|dbd/, { maybe: true });
  const family = await offline(server);
  const got = await getCode(server);
  await standbyAway(true);
  const answers = await Promise.all([refresh(server, family.refresh_token), redeem(server, got)]);
  assert.deepEqual(answers.map(({ status }) => status), [503, 503]);
  assert.equal(server.log().split('OAS01141').length, 3, 'both were carried out');
  await server.reload({});
  await killChildren();
  await standbyAway(false);

  // 503 as long as a process that could not reach the database has not found it back, or waits for others to undo what is used
  const again = async () => [await patiently(() => refresh(server, family.refresh_token)), await patiently(() => redeem(server, got))];
  assert.deepEqual((await again()).map(({ status }) => status), [200, 200]);
  assert.deepEqual(await server.sql('SELECT revoked_reason FROM oas_grants WHERE revoked_at IS NOT NULL'), []);
  assert.deepEqual((await again()).map(({ json }) => json.error), ['invalid_grant', 'invalid_grant'], 'used twice');
});
