// SPDX-License-Identifier: Apache-2.0
// A program that reads the audit log: graceful restarts lose no line of it, one that does not read stops nobody, and one
// that dies is started again.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { startInstance, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { keepRunning } from './lib/load.mjs';
import { basic, client, secretOf, token } from './lib/oauth.mjs';
import { parseMetrics } from './lib/prometheus.mjs';

const run = promisify(execFile);
const conf = (program) => `OAuth2ASEndpoint metrics /oauth2as/metrics\nOAuth2ASAuditLog "|${program}"\n${client('worker', { type: 'machine', uri: [] })}`;
const reads = await startInstance({ nodes: 1, conf: conf('/usr/bin/tee -a ${OAS_DIR}/read.log') });
const rests = await startInstance({
  nodes: 1,
  conf: conf("/bin/sh -c 'while [ ! -e ${OAS_DIR}/go ]; do sleep 0.1; done; exec cat >> ${OAS_DIR}/read.log'"),
});

const fileOf = (server) => path.join(server.dir, 'read.log');
const textOf = (server) => (fs.existsSync(fileOf(server)) ? fs.readFileSync(fileOf(server), 'utf8') : '');
const linesOf = (server) => textOf(server).split('\n').slice(0, -1).map((line) => JSON.parse(line)).length;
const elsewhere = (server) => server.log().split('OAS00382').length - 1;

async function work(server) {
  const answer = await token(server, { grant_type: 'client_credentials', audience: 'https://api.example.test/' }, { authorization: basic('worker', secretOf('worker')) });
  assert.equal(answer.status, 200, answer.text);
}

/** What the node has counted: events, and of these lines that went to the error log. */
async function counted(server) {
  const { values } = parseMetrics((await request(server.url('oauth2as/metrics'))).text);
  const sum = (name) => [...values].filter(([series]) => series.startsWith(`${name}{`)).reduce((all, [, value]) => all + value, 0);
  return { events: sum('oauth2as_events_total'), elsewhere: sum('oauth2as_audit_elsewhere_total') };
}

test('graceful restarts under load: as many lines as events', async (t) => {
  const stop = keepRunning(t, () => work(reads), 8);
  for (let i = 0; i < 5; i++) await reads.reload({});
  const { good, bad } = await stop();
  assert.deepEqual(bad, []);
  const { events } = await counted(reads);
  assert.ok(events >= good && good > 50, `${good} requests, ${events} events`);
  await until('all lines are read', () => linesOf(reads) >= events);
  assert.deepEqual([linesOf(reads), elsewhere(reads)], [events, 0]);
});

test('it is killed: another one reads on', async () => {
  reads.announce(/OAS01251/);
  const before = linesOf(reads);
  let mine;
  await until('those of former generations have ended', async () => {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args=']);
    mine = stdout.split('\n').map((line) => line.trim().split(/\s+/)).filter(([, parent, command]) => Number(parent) === reads.pid && command === '/usr/bin/tee');
    return mine.length === 1;
  });
  process.kill(Number(mine[0][0]), 'SIGKILL');
  await until('another one is started', () => reads.log().includes('OAS01251'));
  await work(reads);
  await until('it reads', () => linesOf(reads) > before);
});

test('one that does not read: everybody is answered, the lines are in the error log until it reads again', async () => {
  rests.announce(/OAS00382/);
  const count = 600; // a pipe takes 64 KiB
  let left = count;
  await Promise.all(Array.from({ length: 40 }, async () => {
    while (left-- > 0) await work(rests);
  }));
  const told = await counted(rests);
  assert.equal(told.events, count);
  assert.ok(told.elsewhere > 0 && told.elsewhere < count, `${told.elsewhere} of ${count} lines are elsewhere`);
  assert.equal(elsewhere(rests), told.elsewhere);
  fs.writeFileSync(path.join(rests.dir, 'go'), '');
  await until('it reads what was left in the pipe', () => linesOf(rests) === count - told.elsewhere);
  for (let i = 0; i < 20; i++) await work(rests);
  await until('it reads on', () => linesOf(rests) === count + 20 - told.elsewhere);
  assert.equal(elsewhere(rests), told.elsewhere);
});
