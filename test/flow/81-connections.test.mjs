// SPDX-License-Identifier: Apache-2.0
// Connections to the database, where they are hard to come by: none is kept, the first host is a dead machine, the
// process ends in the middle of a request.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringUp, patiently, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { keepRunning } from './lib/load.mjs';
import { client, getCode, offline, redeem, refresh, userinfo } from './lib/oauth.mjs';
import { Wire } from '../fault/wire.mjs';

const spa = client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] });
// what the store and mod_dbd may say while a connection cannot be made
const away = /OAS002\d\d|OAS006[567]\d|OAS0083\d|AH006(?:29|3\d)|dbd/;

/** A server of its own for one test, whose error log is looked at when it has ended. */
async function within(options, work) {
  const server = await bringUp({ nodes: 1, ...options });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
  await server.checkLog();
  server.remove();
}

test('DBDPersist Off: requests, tasks and password checks by httpd give back what is gone when they end', async () => {
  const conf = `OAuth2ASDatabaseWait 10s\nDBDPersist Off\n<Location "/private">\nAuthType Basic\nAuthName x\nAuthBasicProvider oauth2as\nRequire valid-user\n</Location>\n${spa}`;
  await within({ args: ['--keyring', 'alg=RS256'], conf }, async (server) => {
    server.announce(/OAS01240/, { maybe: true });
    const { access_token, refresh_token } = await offline(server);
    assert.equal((await userinfo(server, access_token)).status, 200);
    assert.equal((await refresh(server, refresh_token)).status, 200);
    const authorization = `Basic ${Buffer.from('alice:correct horse').toString('base64')}`;
    const asking = () => request(server.url('private'), { headers: { authorization } });
    for (let times = 0; times < 4; times++) assert.equal((await asking()).status, 404, 'let in, and nothing is there');
    await sleep(3000); // each task has had its turn
    assert.equal((await userinfo(server, access_token)).status, 200);
  });
});

test('the first host of DBDParams is a dead machine: one request at a time connects, and a graceful restart waits for it once', async (t) => {
  let wire;
  const oneChild = (text) => text.replace('MaxRequestWorkers 128', 'MaxRequestWorkers 32').replace('StartServers 2', 'StartServers 1');
  const conf = `DBDParams "host=\${OAS_DIR}/wire,\${OAS_DIR}/alive port=5432,5432 dbname=oauth2as user=oauth2as connect_timeout=2"\n${spa}`;
  await within({ args: ['--keys', 'RS256'], conf, prepare: (dir) => (wire = Wire.to(dir, 'wire')) }, async (server) => {
    t.after(() => wire.close());
    server.announce(away, { maybe: true });
    fs.symlinkSync(wire.target(), path.join(server.dir, 'alive'));
    if (process.env.OAS_MPM !== 'prefork') await server.reload({ 'httpd/httpd.conf': oneChild });
    const { access_token } = (await redeem(server, await getCode(server))).json;
    const read = () => userinfo(server, access_token);
    await Promise.all(Array.from({ length: 64 }, read)); // all connections are there
    await sleep(2000); // no process is new

    wire.hold();
    wire.cut();
    const since = Date.now();
    const before = wire.tried;
    const slow = [];
    const stop = keepRunning(t, async () => {
      const came = Date.now();
      const { status } = await read();
      assert.ok([200, 503].includes(status));
      if (Date.now() - came > 1500) slow.push(came - since);
      await sleep(10);
    }, 12);
    await sleep(5000);
    const [tried, seconds] = [wire.tried - before, (Date.now() - since) / 1000];
    const { good, bad } = await stop();
    console.log(`${good} reads, ${tried} connections begun; slow ones began after ${slow.join(', ')} ms`);
    assert.deepEqual(bad, []);
    assert.ok(tried > 0, 'nobody has tried to connect');
    if (process.env.OAS_MPM !== 'prefork') {
      // libpq counts whole seconds, so two of them may be little more than one
      assert.ok(tried <= seconds + 1, `${tried} requests have tried to connect, for two seconds each, in ${seconds} s`);
      assert.ok(slow.length * 5 < good, `${slow.length} of ${good} reads have waited`);
    }

    const old = await server.children();
    process.kill(server.pid, 'SIGUSR1');
    const restarted = Date.now();
    await until('the old processes end', async () => (await server.children()).every((pid) => !old.includes(pid)));
    assert.equal((await patiently(read)).status, 200);
    console.log(`an answer ${Date.now() - restarted} ms after the restart`);
    assert.ok(Date.now() - restarted < 20_000, `${Date.now() - restarted} ms`);
    wire.release();
  });
});

test('MPM prefork is stopped under load: no process aborts because a request has a connection', async (t) => {
  await within({ args: ['--keys', 'RS256'], conf: `OAuth2ASDatabaseWait 10s\n${spa}`, env: () => ({ OAS_MPM: 'prefork' }) }, async (server) => {
    const [node] = server.nodes;
    const { access_token } = (await redeem(server, await getCode(server))).json;
    // httpd ends these in its signal handler, whatever they are at: where that is malloc() the C library may end them
    server.announce(/AH00052: child pid \d+ exit signal/, { maybe: true });
    let reads = 0;
    const stop = keepRunning(t, async () => {
      const answer = await userinfo(server, access_token).catch(() => sleep(20)); // there is nobody meanwhile
      assert.ok(!answer?.status || answer.status === 200, `${answer?.status}`);
      if (answer) reads++;
    }, 12);
    for (let times = 0; times < 3; times++) {
      const before = reads;
      await sleep(500);
      await until('there is load', () => reads > before + 30);
      await server.stopNode(node, 'SIGTERM');
      await server.startNode(node);
    }
    const { bad } = await stop();
    assert.deepEqual(bad, []);
    assert.doesNotMatch(server.log(), /Assertion/);
  });
});
