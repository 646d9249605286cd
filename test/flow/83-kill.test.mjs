// SPDX-License-Identifier: Apache-2.0
// The connection to the database is lost at the worst moments: before a statement was carried out, or between its
// commit and the answer. What the client holds stays good: the node's own repetition, or the client's, finds what was
// done.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { startInstance, until } from './lib/instance.mjs';
import { withProxy } from './lib/proxy.mjs';
import { client, decode, getCode, redeem, revoke, token, userinfo } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];
const [options, proxyOf] = withProxy({
  // long enough for eleven new connections, and for somebody to be found waiting, on a machine that is slow
  conf: 'OAuth2ASDatabaseTimeout 30s\n' + client('spa', { extra: skip }) + client('strict', { extra: [...skip, 'OAuth2ASRefreshReuseWindow 0'] }),
});
const server = await startInstance(options);
const proxy = proxyOf();
const always = 11; // more often the node does not send a statement again that may be carried out once only
const lost = /OAS0020[0-6]|OAS00716|OAS008[2-6]\d|OAS0114[01]|OAS01230|dbd/;

const grantOfHandle = (handle) => Buffer.from(handle, 'base64url').subarray(0, 16).toString('hex');

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
  proxy.plan('oas_code_redeem', 'cut', always);
  assertAway(await redeem(server, got));
  proxy.settled();
  await assertRedeemed(await redeem(server, got));
});

test('a redemption of which nobody could be told: 503; it is undone, and the code is good, once', async () => {
  server.announce(lost);
  const got = await getCode(server, { scope: 'openid offline_access' });
  const unused = `grant_id = '${grantOfHandle(got.code)}' AND used_at IS NULL`;
  proxy.plan('oas_code_redeem', 'mute', always);
  assertAway(await redeem(server, got));
  proxy.settled();
  await until('it is undone', async () => (await server.count('oas_codes', unused)) === 1);
  assert.equal(await server.count('oas_refresh_tokens', `grant_id = '${grantOfHandle(got.code)}'`), 0);
  await assertRedeemed(await redeem(server, got));
  assert.equal((await redeem(server, got)).json.error, 'invalid_grant');
});

/** A node that has lost no answer; one that has, waits half a minute long for nobody's row. */
async function anew() {
  for (const node of server.nodes) {
    await server.stopNode(node);
    await server.startNode(node);
  }
}

/** Runs `work` while the grant's row is locked; kills the backend that waits for it, then lets go. */
async function killWhileWaiting(grant, statement, work) {
  await anew();
  const holder = execFile('psql', ['-X', '-q', '-c', `BEGIN; SELECT 1 FROM oas_grants WHERE grant_id = '${grant}' FOR UPDATE; SELECT pg_sleep(120); ROLLBACK`], {
    env: { ...process.env, ...server.env },
  });
  const waiting = `usename = 'oauth2as' AND wait_event_type = 'Lock' AND query LIKE '%${statement}%'`;
  try {
    await until('the row is locked', async () => (await server.count('pg_stat_activity', "query LIKE 'BEGIN; SELECT 1 FROM oas_grants%' AND wait_event = 'PgSleep'")) === 1);
    const answer = work();
    await until('it waits for the row and is killed', async () => (await server.sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${waiting}`, 'postgres'))[0][0] === '1');
    await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'", 'postgres');
    return await answer;
  } finally {
    holder.kill();
  }
}

test('a redemption whose backend is killed before its commit', async () => {
  server.announce(lost, { maybe: true });
  const got = await getCode(server);
  await assertRedeemed(await killWhileWaiting(grantOfHandle(got.code), 'oas_code_redeem', () => redeem(server, got)));
});

// ---- rotation ----

async function family(client_id) {
  const got = await getCode(server, { client_id, scope: 'openid offline_access' });
  const { json } = await redeem(server, got);
  return { client_id, first: json.refresh_token, grant: grantOfHandle(json.refresh_token) };
}

const refresh = ({ client_id }, refresh_token) => token(server, { grant_type: 'refresh_token', client_id, refresh_token });

/** One child of the first token, which is what was handed out and works, and a family that lives. */
async function assertRotated(of, answer) {
  assert.equal(answer.status, 200, answer.text);
  const { access_token, refresh_token } = answer.json;
  assert.notEqual(refresh_token, of.first);
  const digest = createHash('sha256').update(Buffer.from(refresh_token, 'base64url').subarray(16)).digest('hex');
  assert.deepEqual(
    await server.sql(`SELECT generation, parent, encode(token_hash, 'hex') = '${digest}' FROM oas_refresh_tokens WHERE grant_id = '${of.grant}' ORDER BY generation`),
    [['1', '', 'f'], ['2', '1', 't']],
  );
  assert.equal(await server.count('oas_grants', `grant_id = '${of.grant}' AND revoked_at IS NULL AND refresh_generation = 2`), 1);
  assert.equal((await userinfo(server, access_token)).status, 200);
  const next = await refresh(of, refresh_token);
  assert.equal(next.status, 200, next.text);
}

for (const client_id of ['spa', 'strict']) {
  const by = client_id === 'spa' ? '' : ', reuse window 0';
  for (const ending of ['cut', 'mute']) {
    const what = ending === 'cut' ? 'before the database has seen it' : 'between commit and answer';
    for (const times of [1, 2]) {
      test(`a rotation whose connection ends ${what}, ${times} times${by}: the node repeats it itself`, async () => {
        server.announce(lost, { maybe: true });
        const held = await family(client_id);
        proxy.plan('oas_refresh', ending, times);
        const answer = await refresh(held, held.first);
        assert.deepEqual(proxy.settled(), Array(times).fill(`${ending} oas_refresh`));
        await assertRotated(held, answer);
      });
    }
  }

  test(`a rotation that never reaches the database${by}: 503, and the client's repetition works`, async () => {
    server.announce(lost);
    const held = await family(client_id);
    proxy.plan('oas_refresh', 'cut', always);
    assertAway(await refresh(held, held.first));
    proxy.settled();
    await assertRotated(held, await refresh(held, held.first));
  });

  test(`a rotation whose backend is killed before its commit${by}`, async () => {
    server.announce(lost, { maybe: true });
    const held = await family(client_id);
    await assertRotated(held, await killWhileWaiting(held.grant, 'oas_refresh', () => refresh(held, held.first)));
  });
}

test('a rotation of which nobody could be told: 503, and the client gets the same child when it asks again', async () => {
  server.announce(lost);
  const held = await family('spa');
  proxy.plan('oas_refresh', 'mute', always);
  assertAway(await refresh(held, held.first));
  proxy.settled();
  await assertRotated(held, await refresh(held, held.first));
});

test('the same without a reuse window: it is undone, and the client may ask again, once', async () => {
  server.announce(lost);
  const held = await family('strict');
  proxy.plan('oas_refresh', 'mute', always);
  assertAway(await refresh(held, held.first));
  proxy.settled();
  await until('it is undone', async () => (await server.count('oas_grants', `grant_id = '${held.grant}' AND refresh_generation = 1`)) === 1);
  await assertRotated(held, await refresh(held, held.first));
  assert.equal((await refresh(held, held.first)).json.error, 'invalid_grant');
});

test('many rotations, each with an accident of its own: no family ends', async () => {
  server.announce(lost, { maybe: true });
  const held = await family('spa');
  let newest = held.first;
  for (let round = 1; round <= 20; round++) {
    proxy.plan('oas_refresh', round % 2 ? 'cut' : 'mute', 1 + (round % 3));
    let answer = await refresh(held, newest);
    if (answer.status === 503) answer = await refresh(held, newest);
    assert.equal(answer.status, 200, answer.text);
    newest = answer.json.refresh_token;
    proxy.settled();
    assert.equal(await server.count('oas_refresh_tokens', `grant_id = '${held.grant}'`), round + 1);
  }
});

for (const ending of ['cut', 'mute']) {
  test(`a refresh token's revocation whose connection is lost (${ending}) has happened all the same`, async () => {
    server.announce(lost, { maybe: true });
    const held = await family('spa');
    proxy.plan('oas_refresh_revoke', ending);
    assert.equal((await revoke(server, { token: held.first, client_id: 'spa' })).status, 200);
    proxy.settled();
    assert.equal((await refresh(held, held.first)).json.error, 'invalid_grant');
  });
}

test('a revocation that cannot be carried out says so', async () => {
  server.announce(lost);
  const held = await family('spa');
  proxy.plan('oas_refresh_revoke', 'cut', Infinity);
  assertAway(await revoke(server, { token: held.first, client_id: 'spa' }));
  assert.ok(proxy.settled().length >= 3, 'it is tried on a new connection, twice');
  assert.equal((await refresh(held, held.first)).status, 200);
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
