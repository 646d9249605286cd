// SPDX-License-Identifier: Apache-2.0
// What balancers ask: whether httpd lives, and whether this node wants work; and how a node says that it is about to go.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import net from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { client, getCode, redeem } from './lib/oauth.mjs';

const server = await startInstance({
  nodes: 1,
  conf: `
    OAuth2ASDatabaseWait 250ms
    OAuth2ASDrainFile \${OAS_DIR}/mark/drain
    SetEnvIf X-Refuse yes refused
    <LocationMatch "^/oauth2as/(ready|health)$">
        <RequireAll>
            Require all granted
            Require not env refused
        </RequireAll>
    </LocationMatch>
    ${client('spa')}`,
  prepare: (dir) => fs.mkdirSync(`${dir}/mark`),
});
const mark = `${server.dir}/mark/drain`;
const away = /OAS00[0-4]\d\d|OAS005\d\d|OAS007\d\d|AH006(?:29|3\d)|dbd/i;
const good = { database: 'ok', schema: 'ok', keys: 'ok', draining: 'no' };
const ask = (where, options) => request(server.url(`oauth2as/${where}`), options);

/** Asks until the answer has these checks; the node may take a moment to notice. */
async function untilReady(checks) {
  const expected = { ...good, ...checks };
  const ready = Object.values(checks).length === 0;
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask('ready');
    assert.equal((await ask('health')).status, 200, 'alive, whatever the database does');
    if (JSON.stringify(answer.json.checks) === JSON.stringify(expected)) {
      assert.equal(answer.status, ready ? 200 : 503);
      assert.equal(answer.json.status, ready ? 'ready' : 'not ready');
      return answer;
    }
    assert.ok(Date.now() < deadline, `${answer.text} is not ${JSON.stringify(expected)}`);
    await sleep(100);
  }
}

test('both answer GET and HEAD in JSON that nobody stores', async () => {
  const ready = await untilReady({});
  const health = await ask('health');
  assert.deepEqual(health.json, { status: 'ok' });
  for (const answer of [ready, health]) {
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.equal(answer.headers['cache-control'], 'no-store');
  }
  for (const where of ['ready', 'health']) {
    const head = await ask(where, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    const post = await ask(where, { form: {} });
    assert.equal(post.status, 405);
    assert.equal(post.headers.allow, 'GET, OPTIONS');
  }
});

test('ordinary Require keeps them from strangers', async () => {
  server.announce(/AH01630/);
  for (const where of ['ready', 'health']) assert.equal((await ask(where, { headers: { 'x-refuse': 'yes' } })).status, 403);
});

test('while the drain file exists the node wants no work, and does what comes', async () => {
  fs.writeFileSync(mark, '');
  assert.equal((await ask('ready')).json.checks.draining, 'drain file', 'at once');
  await untilReady({ draining: 'drain file' });
  assert.equal((await redeem(server, await getCode(server))).status, 200);
  fs.unlinkSync(mark);
  await untilReady({});
});

test('however many ask, the database is asked once a second by each process', async () => {
  const commits = async () => Number((await server.sql('SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()'))[0][0]);
  const before = await commits();
  const began = Date.now();
  for (let i = 0; i < 25; i++) assert.deepEqual((await Promise.all(Array.from({ length: 20 }, () => ask('ready')))).map(({ status }) => status), Array(20).fill(200));
  await sleep(1500); // statistics come late
  const seconds = (Date.now() - began) / 1000;
  const spent = (await commits()) - before;
  assert.ok(spent < 100 + 25 * seconds, `${spent} transactions in ${seconds} s for 500 questions`);
});

test('a database that is away, and comes back', async () => {
  server.announce(away, { maybe: true });
  await server.postgres('stop', 'immediate');
  await untilReady({ database: 'unreachable', schema: 'unknown' });
  await server.postgres('start');
  await untilReady({});
});

test('a database that hangs: nobody waits for it longer than a statement may take, most not at all', async () => {
  server.announce(away, { maybe: true });
  const postmaster = Number(fs.readFileSync(path.join(server.env.PGHOST, '../data/postmaster.pid'), 'utf8').split('\n')[0]);
  const pids = [postmaster, ...execFileSync('pgrep', ['-P', String(postmaster)], { encoding: 'utf8' }).trim().split('\n').map(Number)];
  const all = (signal) =>
    pids.forEach((pid) => {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error; // one that has ended by itself
      }
    });
  all('SIGSTOP');
  try {
    await sleep(1100); // what each process remembers is old
    const seen = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await sleep(100 * i);
        const began = Date.now();
        const { status } = await ask('ready');
        return { status, took: Date.now() - began };
      }),
    );
    assert.ok(seen.every(({ took }) => took < 15_000), JSON.stringify(seen));
    // with MPM prefork every process has one thread, so each asks for itself
    if (process.env.OAS_MPM !== 'prefork') assert.ok(seen.filter(({ took }) => took < 2000).length > 10, JSON.stringify(seen));
    await untilReady({ database: 'unreachable', schema: 'unknown' });
  } finally {
    all('SIGCONT');
  }
  await untilReady({});
});

test('a database that takes no writes', async () => {
  server.announce(away, { maybe: true });
  const set = async (value) => {
    await server.sql(`ALTER ROLE oauth2as SET default_transaction_read_only = ${value}`, 'postgres');
    await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'oauth2as'", 'postgres');
  };
  await set('on');
  await untilReady({ database: 'read-only' });
  await set('off');
  await untilReady({});
});

test("a schema that is another issuer's, and one that is missing", async () => {
  server.announce(away, { maybe: true });
  const change = async (statement) => {
    await server.sql(statement);
    await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'oauth2as'", 'postgres');
  };
  await change("UPDATE oas_schema SET issuer = 'https://elsewhere.example/'");
  await untilReady({ schema: 'other issuer' });
  await change(`UPDATE oas_schema SET issuer = '${server.issuer}'`);
  await untilReady({});
  await change('ALTER TABLE oas_schema RENAME TO elsewhere');
  await untilReady({ schema: 'unfit' });
  await change('ALTER TABLE elsewhere RENAME TO oas_schema');
  await untilReady({});
  await sleep(1100); // each process remembers for a second what it found
});

/** A request whose end is sent later. */
async function begin() {
  const socket = net.connect(new URL(server.issuer).port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (data) => (text += data));
  socket.write('GET /oauth2as/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n');
  await sleep(1500); // a process of httpd has taken it
  return async () => {
    socket.write('\r\n');
    await once(socket, 'close');
    return { status: Number(text.slice(9, 12)), checks: JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).checks };
  };
}

test('a process that a graceful restart ends is still ready: others have taken its place', async () => {
  const end = await begin();
  const resumed = () => server.log().split('resuming normal operations').length;
  const before = resumed();
  process.kill(server.pid, 'SIGUSR1');
  await until('httpd goes on', () => resumed() > before);
  assert.deepEqual(await end(), { status: 200, checks: good });
  await untilReady({});
});

test('while httpd stops gracefully it is not', async () => {
  const end = await begin();
  process.kill(server.pid, 'SIGWINCH');
  await until('httpd is stopping', () => /SIGWINCH/.test(server.log()));
  await until('its processes know', () => request(server.url()).then(() => false, ({ code }) => code === 'ECONNREFUSED'));
  assert.deepEqual(await end(), { status: 503, checks: { ...good, draining: 'stopping' } });
  await until('httpd has ended', () => !fs.existsSync(`/proc/${server.pid}`));
});
