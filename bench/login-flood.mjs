// SPDX-License-Identifier: Apache-2.0
// What a flood of wrong passwords does to the token endpoint. One run measures it idle, then while 64 sign-ins with wrong
// passwords are always under way, and prints one table and one verdict: medians stay within twice their idle value.
//
//   OAS_BUILD=.../build node bench/login-flood.mjs [--seconds N] [--parallel N] [--provider oauth2as|file]
//
// Nothing is throttled here, so that each of these passwords is hashed. Whoever measures is a process of its own.
import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Instance, bringUp } from '../test/flow/lib/instance.mjs';
import { request } from '../test/flow/lib/http.mjs';
import { Surfer } from '../test/flow/lib/surfer.mjs';
import { authorization, authorizeUrl, basic, client, offline, secretOf } from '../test/flow/lib/oauth.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    parallel: { type: 'string', default: '64' },
    provider: { type: 'string', default: 'oauth2as' },
    role: { type: 'string' },
    input: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const api = 'https://api.example.test/';
const pause = 10; // between two requests of whoever measures, in milliseconds
const limit = 2;

const percentile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

/** One request after the other over a new connection each, until it is time; how long each took, by kind. */
async function probe({ token, refreshToken, until }) {
  const took = { client_credentials: [], refresh_token: [] };
  const headers = (id) => ({ authorization: basic(id, secretOf(id)) });
  const forms = {
    client_credentials: () => [{ grant_type: 'client_credentials', audience: api }, headers('worker')],
    refresh_token: () => [{ grant_type: 'refresh_token', refresh_token: refreshToken }, headers('web')],
  };
  while (Date.now() < until) {
    for (const kind of Object.keys(took)) {
      const [form, sent] = forms[kind]();
      const begun = process.hrtime.bigint();
      const answer = await request(token, { form, headers: sent });
      took[kind].push(Number(process.hrtime.bigint() - begun) / 1e6);
      assert.equal(answer.status, 200, answer.text);
      refreshToken = answer.json.refresh_token ?? refreshToken;
      await sleep(pause);
    }
  }
  return { took, refreshToken };
}

/** Signs in with wrong passwords, always `parallel` of them at once; counts the answers by status. */
async function flood({ issuer, parallel, until }) {
  const server = { url: Instance.prototype.url, issuer };
  const answers = {};
  const attackers = Array.from({ length: parallel }, async (_, i) => {
    const surfer = new Surfer(server);
    const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'web' }).params));
    for (let tries = 0; Date.now() < until; tries++) {
      const { status } = await surfer.submit(page, { username: i % 2 ? 'alice' : `nobody${i}`, password: `wrong ${tries}` });
      answers[status] = (answers[status] ?? 0) + 1;
    }
  });
  await Promise.all(attackers);
  return answers;
}

const roles = { probe, flood };

/** A role in a process of its own. */
function run(role, input) {
  const child = fork(fileURLToPath(import.meta.url), ['--role', role, '--input', JSON.stringify(input)]);
  return new Promise((resolve, reject) => {
    child.on('message', resolve);
    child.on('exit', (code) => reject(new Error(`the process that is to ${role} ended with status ${code}`)));
  });
}

if (values.role) {
  // attackers are elsewhere: what they compute must not be taken for what the server computes for them
  if (values.role === 'flood') os.setPriority(os.constants.priority.PRIORITY_LOW);
  process.send(await roles[values.role](JSON.parse(values.input)));
  process.exit(0);
}

function facts() {
  const version = (file, ...args) => execFileSync(file, args, { encoding: 'utf8' }).split('\n')[0];
  const model = /^model name\s*: (.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown processor';
  return [
    `${os.cpus().length} processors (${model}), ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release().split('.').slice(0, 2).join('.')}`,
    `${version('apache2', '-v').replace('Server version: ', '')}, MPM ${process.env.OAS_MPM ?? 'event'}, ${version('psql', '--version')}, Node ${process.versions.node}`,
    `load average of the machine before anything was started: ${os.loadavg()[0].toFixed(1)}`,
    `all of it on this machine: httpd, PostgreSQL, ${values.parallel} attackers, whoever measures; passwords checked by ${values.provider}`,
  ];
}

const rowOf = (name, list) => {
  const sorted = list.toSorted?.((a, b) => a - b) ?? [...list].sort((a, b) => a - b);
  return { name, count: sorted.length, p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), p99: percentile(sorted, 0.99) };
};

const about = facts();
const server = await bringUp({
  prepare: (dir) => fs.writeFileSync(`${dir}/people`, `alice:${execFileSync('openssl', ['passwd', '-6', 'x'], { encoding: 'utf8' }).trim()}\n`),
  conf: `${client('web', { type: 'web', extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] })}${client('worker', { type: 'machine', uri: [] })}
    OAuth2ASPasswordProvider ${values.provider === 'oauth2as' ? '' : values.provider} oauth2as
    <Location "/authorize">\nAuthUserFile \${OAS_DIR}/people\n</Location>
    OAuth2ASThrottle pair=1000000 account=1000000 address=1000000\n`,
});
try {
  const headers = { authorization: basic('web', secretOf('web')) };
  const { refresh_token } = await offline(server, { client_id: 'web' }, { client_id: undefined }, headers);
  const measure = (refreshToken) => run('probe', { token: server.url('oauth/token'), refreshToken, until: Date.now() + seconds * 1000 });
  await measure(refresh_token).then(async (warm) => {
    const idle = await measure(warm.refreshToken);
    const until = Date.now() + seconds * 1000 + 2000;
    const flooding = run('flood', { issuer: server.issuer, parallel: Number(values.parallel), until });
    await sleep(1000);
    const busy = await measure(idle.refreshToken);
    const answers = await flooding;
    const rows = Object.keys(idle.took).map((kind) => [rowOf(kind, idle.took[kind]), rowOf(kind, busy.took[kind])]);
    console.log(about.map((line) => `${line}\n`).join(''));
    console.log('| token endpoint | | requests | median ms | p95 ms | p99 ms |\n| --- | --- | --: | --: | --: | --: |');
    for (const [before, during] of rows) {
      for (const [when, row] of [['idle', before], ['flood', during]]) {
        console.log(`| ${row.name} | ${when} | ${row.count} | ${row.p50.toFixed(1)} | ${row.p95.toFixed(1)} | ${row.p99.toFixed(1)} |`);
      }
    }
    const rate = Object.entries(answers).map(([status, count]) => `${(count / (seconds + 2)).toFixed(1)} a second answered ${status}`);
    console.log(`\nsign-ins: ${rate.join(', ')}`);
    const worst = Math.max(...rows.map(([before, during]) => during.p50 / before.p50));
    const good = worst <= limit;
    console.log(`${good ? 'holds' : 'DOES NOT HOLD'}: the median is at most ${worst.toFixed(2)} times its idle value; ${limit} is allowed`);
    process.exitCode = good ? 0 : 1;
  });
} finally {
  await server.stop();
  server.remove();
}
