// SPDX-License-Identifier: Apache-2.0
// The database goes away, is restarted, loses its backends: httpd stays as it is, reads lose nothing, no
// answer blames the client, and service is whole again at once.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently, startInstance, until, untilBack } from './lib/instance.mjs';
import { findAway, metricsConf, untilFoundBack } from './lib/away.mjs';
import { request } from './lib/http.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, getCode, redeem, userinfo } from './lib/oauth.mjs';

const server = await startInstance({
  conf: metricsConf + client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }),
});
// What the store and mod_dbd may say while the database is away, and nothing else.
const away = /OAS00[0-4]\d\d|OAS0065\d|OAS006[17]\d|OAS005\d\d|OAS007\d\d|AH006(?:29|3\d)|dbd/i;
// What it may say of a redemption that lost its connection again and again, or whose row a dying backend still holds.
const uncertain = /OAS0114[01]|OAS01230/;

const grantOfAlice = await getCode(server);
const { access_token: token } = (await redeem(server, grantOfAlice)).json;
const signedIn = grantOfAlice.surfer;

function assertAway(answer) {
  assert.equal(answer.status, 503, answer.text.slice(0, 300));
  assert.ok(Number(answer.headers['retry-after']) >= 1, 'Retry-After');
  if (/json/.test(answer.headers['content-type'])) assert.equal(answer.json.error, 'temporarily_unavailable');
  else assert.match(textOf(answer.text), /temporarily_unavailable/);
}

async function assertWhole() {
  await untilBack(() => userinfo(server, token));
  assert.equal((await userinfo(server, token)).status, 200);
  const got = await getCode(server);
  assert.equal((await redeem(server, got)).status, 200);
}

function killBackends() {
  return server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'oauth2as'", 'postgres');
}

/**
 * Reads as fast as they are answered, by some readers until `stop` is called, which tells what was not 200. `good` returns
 * when each reader has had so many more good answers.
 */
function keepReading(t, workers = 4) {
  const bad = [];
  const counts = Array(workers).fill(0);
  let running = true;
  t.after(() => (running = false));
  const work = counts.map(async (_, i) => {
    while (running) {
      const answer = await userinfo(server, token).catch((error) => ({ status: error.code ?? error.message, text: '' }));
      if (answer.status === 200) counts[i]++;
      else bad.push(`${answer.status} ${answer.text}`);
    }
  });
  return {
    async good(more) {
      const goals = counts.map((count) => count + more);
      await until(`each reader has ${more} good answers`, () => counts.every((count, i) => count >= goals[i]));
    },
    async stop() {
      running = false;
      await Promise.all(work);
      return bad;
    },
  };
}

/** Whether a background task has found the database away since: such lines name no client. */
const noticedByTask = (since) => server.log().slice(since).split('\n').some((line) => /OAS002\d\d/.test(line) && !line.includes('[client '));

/** Leaves most connections of each process made. */
async function fillPools(t) {
  const crowd = keepReading(t, 16);
  await crowd.good(5);
  assert.deepEqual(await crowd.stop(), []);
}

test('backends killed while requests run: no read is lost', async (t) => {
  server.announce(away, { maybe: true });
  await fillPools(t);
  const readers = keepReading(t);
  await readers.good(5);
  for (let times = 0; times < 10; times++) {
    await killBackends();
    await sleep(100);
    await readers.good(2); // no read meets more than one of these
  }
  assert.deepEqual(await readers.stop(), []);
  await assertWhole();
});

test('backends that die one after the other: no read is lost, however many it meets', async (t) => {
  server.announce(away, { maybe: true });
  for (let times = 0; times < 10; times++) {
    await fillPools(t);
    const readers = keepReading(t, 6); // more connections lie idle than are in use
    await readers.good(5);
    const pids = (await server.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'oauth2as'", 'postgres')).map(([pid]) => Number(pid));
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      await killBackends(); // each finds that out when it goes on
      await sleep(20);
    } finally {
      for (const pid of pids) {
        process.kill(pid, 'SIGCONT');
        await sleep(1);
      }
    }
    await readers.good(2);
    assert.deepEqual(await readers.stop(), []);
  }
  await assertWhole();
});

for (const mode of ['fast', 'immediate']) {
  test(`PostgreSQL restarted (${mode}) between requests: the next one is answered`, async () => {
    server.announce(away, { maybe: true });
    const read = () => userinfo(server, token);
    await Promise.all(Array.from({ length: 16 }, read)); // all connections are in use
    const since = server.log().length;
    await server.postgres('restart', mode);
    for (let times = 0; times < 20; times++) {
      let answer = await read();
      // a process whose task has come while nobody was there takes requests again when one of its own has been answered
      if (answer.status === 503 && noticedByTask(since)) answer = await patiently(read);
      assert.equal(answer.status, 200, `read ${times}: ${answer.text}`);
    }
    await assertWhole();
  });

  test(`PostgreSQL restarted (${mode}) while requests run: 200 or 503, and whole at once`, async (t) => {
    server.announce(away, { maybe: true });
    const readers = keepReading(t);
    await readers.good(5);
    await server.postgres('restart', mode);
    await readers.good(20);
    for (const answer of await readers.stop()) assert.match(answer, /^503 .*temporarily_unavailable/);
    await assertWhole();
  });
}

test('a code survives a restart between its issue and its redemption', async () => {
  server.announce(away, { maybe: true });
  const got = await getCode(server);
  await server.postgres('restart', 'fast');
  const answer = await patiently(() => redeem(server, got));
  assert.equal(answer.status, 200, `a retry finds the code unspent: ${answer.text}`);
});

test('redemptions while backends are killed: never invalid_grant for a code that was not used', async (t) => {
  server.announce(away, { maybe: true });
  server.announce(uncertain, { maybe: true });
  const codes = [];
  for (let times = 0; times < 12; times++) codes.push(await getCode(server));
  let killing = true;
  let pause = 0;
  t.after(() => (killing = false));
  const killer = (async () => {
    while (killing) {
      await killBackends();
      await sleep(pause);
    }
  })();
  const outcomes = [];
  for (const got of codes) {
    pause = 20;
    const answer = await patiently(() => {
      pause += 10; // in the end a connection lives long enough, however slow the machine is
      return redeem(server, got);
    });
    outcomes.push(answer.status);
    if (answer.status !== 200) break;
  }
  killing = false;
  await killer;
  assert.deepEqual(outcomes, Array(codes.length).fill(200));
  await assertWhole();
});

test('the database away: 503, Retry-After and temporarily_unavailable everywhere; what needs none is answered', async () => {
  server.announce(away);
  const got = await getCode(server);
  const loginPage = await new Surfer(server).go(authorizeUrl(server, authorization().params));
  const account = await signedIn.go(server.url('account'));
  await server.postgres('stop', 'fast');
  try {
    const started = Date.now();
    assertAway(await userinfo(server, token));
    assertAway(await redeem(server, got));
    assertAway(await signedIn.go(authorizeUrl(server, authorization().params)));
    assertAway(await signedIn.go(server.url('account')));
    assertAway(await signedIn.submit(account, { end_others: 'on' }));
    const surfer = new Surfer(server);
    const page = await surfer.go(authorizeUrl(server, authorization().params));
    assert.equal(page.status, 200, 'the login page of a browser without a session needs no database');
    assertAway(await surfer.submit(page, { username: 'alice', password: 'correct horse' }));
    const silent = await signedIn.go(authorizeUrl(server, authorization({ prompt: 'none' }).params));
    assert.equal(callbackOf(silent).error, 'temporarily_unavailable');
    for (const where of ['.well-known/jwks.json', '.well-known/openid-configuration']) {
      assert.equal((await request(server.url(where))).status, 200);
    }
    const many = await Promise.all(Array.from({ length: 40 }, () => userinfo(server, token)));
    assert.ok(many.every(({ status }) => status === 503));
    assert.ok(Date.now() - started < 30_000, 'nobody waits long');
  } finally {
    await server.postgres('start');
  }
  assert.equal(loginPage.status, 200);
  await untilBack(() => userinfo(server, token));
  assert.equal((await redeem(server, got)).status, 200, 'the code was not spent meanwhile');
  await assertWhole();
});

test('oauth2asctl schema status says what the schema is good for', async () => {
  const status = async () => JSON.parse(await server.ctl(['schema', 'status', '--output', 'json']));
  const { version, program, issuer, state } = await status();
  assert.deepEqual([program, issuer, state], [version, server.issuer, 'up to date']);
  await server.sql(`INSERT INTO oas_schema VALUES (${version + 1}, '${server.issuer}')`);
  assert.match((await status()).state, /^newer, and good for this version too/);
  await server.sql(`DELETE FROM oas_schema WHERE version = ${version + 1}`);
});

/** So many processes that most of them have no task that asks the database anyway. */
const four = { 'httpd/httpd.conf': (text) => text.replace(/StartServers 2\n/, 'StartServers 4\n').replace(/MinSpareThreads \d+/, 'MinSpareThreads 40') };
let spreading;
const spread = () => (spreading ??= process.env.OAS_MPM === 'prefork' ? server.begun() : server.reload(four));

test('every process of every node finds the database back, though nobody asks it', async () => {
  server.announce(away, { maybe: true });
  await spread();
  await server.postgres('stop', 'immediate');
  await findAway(server, 4);
  await server.postgres('start');
  await untilFoundBack(server);
  const many = await Promise.all(Array.from({ length: 40 }, () => userinfo(server, token)));
  assert.deepEqual(many.map(({ status }) => status), Array(40).fill(200));
});

test('httpd was neither restarted nor did a child of it crash', () => {
  assert.doesNotMatch(server.log(), /AH00052|AH00051|exit signal|Segmentation|core dump/i);
  process.kill(server.pid, 0);
});

test('a process that can make no thread ends alone: its node goes on with the others, and has more when it can', async () => {
  await spread();
  await server.begun();
  const [node] = server.nodes;
  const setLimit = (limit) => execFileSync('prlimit', ['--pid', String(node.pid), `--nproc=${limit}:`]);
  const limit = execFileSync('prlimit', ['--pid', String(node.pid), '--nproc', '--output', 'SOFT', '--noheadings'], { encoding: 'utf8' }).trim();
  const [stays, ...others] = await server.children([node]);
  const since = server.log().length;
  const cannot = /OAS00347|AH00159|AH00283|AH00481/; // no thread; as a user who is not root not even a process
  server.announce(cannot);
  server.announce(/AH01573|AH00480|AH10392/, { maybe: true });
  server.announce(away, { maybe: true });
  setLimit(3);
  try {
    for (const pid of others) process.kill(pid, 'SIGKILL');
    await until('there is no thread to be had', () => cannot.test(server.log().slice(since)));
    await until('one is alone', async () => String(await server.children([node])) === String(stays));
    for (let times = 0; times < 20; times++) assert.equal((await request(node.url('oauth2as/health'))).status, 200);
    assert.ok(fs.existsSync(`/proc/${node.pid}`));
  } finally {
    setLimit(limit);
  }
  await server.begun();
  assert.ok((await server.children([node])).includes(stays));
  await assertWhole();
});
