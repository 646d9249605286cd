// SPDX-License-Identifier: Apache-2.0
// The connection to the database is lost at the worst moments: before a statement was carried out, or between its
// commit and the answer. What the client holds stays good: the node's own repetition, or the client's, finds what was
// done.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { withProxy } from './lib/proxy.mjs';
import { client, decode, getCode, redeem, revoke, userinfo } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const [options, proxyOf] = withProxy({ conf: client('spa', { extra: skip }) });
const server = await startInstance(options);
const proxy = proxyOf();
const lost = /OAS0020[0-5]|OAS00716|OAS00861|dbd/;

function assertAway(answer) {
  assert.equal(answer.status, 503, answer.text);
  assert.equal(answer.json.error, 'temporarily_unavailable');
  assert.ok(Number(answer.headers['retry-after']) >= 1);
}

/** Tokens that work, from a code that was used once. */
async function assertRedeemed(answer) {
  assert.equal(answer.status, 200, answer.text);
  const { access_token } = answer.json;
  assert.equal((await userinfo(server, access_token)).status, 200);
  const grant = Buffer.from(decode(access_token).claims.grant_id, 'base64url').toString('hex');
  const [row] = await server.sql(
    `SELECT g.activated_at IS NOT NULL, g.revoked_at IS NULL, c.used_at IS NOT NULL FROM oas_grants g JOIN oas_codes c USING (grant_id) WHERE grant_id = '${grant}'`,
  );
  assert.deepEqual(row, ['t', 't', 't']);
}

for (const ending of ['cut', 'mute']) {
  const what = ending === 'cut' ? 'before the database has seen it' : 'between commit and answer';
  for (const times of [1, 2]) {
    test(`a redemption whose connection ends ${what}, ${times} times: the node repeats it itself`, async () => {
      server.announce(lost, { maybe: true });
      const got = await getCode(server);
      proxy.plan('oas_code_redeem', ending, times);
      const answer = await redeem(server, got);
      assert.deepEqual(proxy.settled(), Array(times).fill(`${ending} oas_code_redeem`));
      await assertRedeemed(answer);
    });
  }
}

test('a redemption that never reaches the database: 503, and the code is still good', async () => {
  server.announce(lost);
  const got = await getCode(server);
  proxy.plan('oas_code_redeem', 'cut', 3);
  assertAway(await redeem(server, got));
  proxy.settled();
  await assertRedeemed(await redeem(server, got));
});

test('a redemption of which nobody could be told: 503; a code is not given out twice', async () => {
  server.announce(lost);
  const got = await getCode(server);
  proxy.plan('oas_code_redeem', 'mute', 3);
  assertAway(await redeem(server, got));
  proxy.settled();
  const again = await redeem(server, got);
  assert.equal(again.status, 400);
  assert.equal(again.json.error, 'invalid_grant');
});

/** Runs `work` while the grant's row is locked; kills the backend that waits for it, then lets go. */
async function killWhileWaiting(grant, statement, work) {
  const holder = execFile('psql', ['-X', '-q', '-c', `BEGIN; SELECT 1 FROM oas_grants WHERE grant_id = '${grant}' FOR UPDATE; SELECT pg_sleep(20); ROLLBACK`], {
    env: { ...process.env, ...server.env },
  });
  const waiting = `usename = 'oauth2as' AND wait_event_type = 'Lock' AND query LIKE '%${statement}%'`;
  try {
    await until(async () => (await server.count('pg_stat_activity', "query LIKE 'BEGIN; SELECT 1 FROM oas_grants%' AND wait_event = 'PgSleep'")) === 1);
    const answer = work();
    await until(async () => (await server.sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${waiting}`, 'postgres'))[0][0] === '1');
    await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'", 'postgres');
    return await answer;
  } finally {
    holder.kill();
  }
}

async function until(condition) {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'the condition did not come true in time');
    await sleep(20);
  }
}

const grantOfHandle = (handle) => Buffer.from(handle, 'base64url').subarray(0, 16).toString('hex');

test("a redemption whose backend is killed before its commit", async () => {
  server.announce(lost, { maybe: true });
  const got = await getCode(server);
  await assertRedeemed(await killWhileWaiting(grantOfHandle(got.code), 'oas_code_redeem', () => redeem(server, got)));
});

for (const ending of ['cut', 'mute']) {
  test(`a revocation whose connection is lost (${ending}) has happened all the same`, async () => {
    server.announce(lost, { maybe: true });
    const { access_token } = (await redeem(server, await getCode(server))).json;
    proxy.plan('oas_grant_revoke', ending);
    assert.equal((await revoke(server, { token: access_token, client_id: 'spa' })).status, 200);
    proxy.settled();
    assert.equal((await userinfo(server, access_token)).status, 401);
  });

  test(`a read whose connection is lost (${ending}) is answered`, async () => {
    server.announce(lost, { maybe: true });
    const { access_token } = (await redeem(server, await getCode(server))).json;
    proxy.plan('oas_grant_load', ending, 2);
    assert.equal((await userinfo(server, access_token)).status, 200);
    proxy.settled();
  });
}
