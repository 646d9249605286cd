// SPDX-License-Identifier: Apache-2.0
// bench/profile: processor time of a request by library and by function, sampled by perf in httpd and PostgreSQL.
import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { cases } from './cases.mjs';
import { measure } from './measure.mjs';
import { record } from './record.mjs';
import { facts } from './report.mjs';
import { Bench } from './server.mjs';

const execute = promisify(execFile);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { time: { type: 'string', default: '4000' }, top: { type: 'string', default: '12' } },
});
const names = positionals.length ? positionals : ['rotation-ES256', 'code-ES256', 'introspection'];
const chosen = cases.filter(({ id }) => names.some((name) => id.includes(name)));
if (chosen.length === 0) throw new Error(`no such case; there are ${cases.map(({ id }) => id).join(', ')}`);
const perSecond = 10_000; // samples of one processor
const connections = 32;
const time = Number(values.time);

/** Whose time a sample is. */
const parts = [
  ['PostgreSQL, kernel', ({ process, library }) => process === 'postgres' && library.startsWith('[')],
  ['PostgreSQL', ({ process }) => process === 'postgres'],
  ['kernel', ({ library }) => library.startsWith('[kernel')],
  ['the server itself', ({ library }) => library === 'mod_oauth2as.so'],
  ['the probe itself', ({ library }) => library === 'mod_oas_probe.so'],
  ['OpenSSL', ({ library }) => library.startsWith('libcrypto')],
  ['C library', ({ library }) => /^(libc\.|ld-|\[vdso)/.test(library)],
  ['libpq', ({ library }) => library.startsWith('libpq')],
  ['jansson', ({ library }) => library.startsWith('libjansson')],
  ['httpd and APR', () => true],
];

/** One line of perf script: process, function, library. */
function sampleOf(line) {
  const [, process, symbol, library] = /^\s*(\S+)\s+[0-9a-f]+ (.*?)(?:\+0x[0-9a-f]+)? \((\S*?)\)$/.exec(line) ?? [];
  return process && { process, symbol, library: library.startsWith('[') ? library : path.basename(library) };
}

async function postgresProcesses(bench) {
  const { stdout } = await execute('ps', ['-o', 'pid=', '--ppid', String(bench.postmaster())]);
  return stdout.trim().split(/\s+/);
}

/** Microseconds of a request, by what `key` says of a sample. */
async function profile(bench, one, target) {
  const file = path.join(bench.home, 'perf.data');
  await measure(bench, one, target, { connections, warm: 500, time: 500 });
  const pids = [...(await bench.server.children()), ...(await postgresProcesses(bench))];
  const perf = spawn('perf', ['record', '-q', '-e', 'cpu-clock', '-F', String(perSecond), '-o', file, '-p', pids.join(',')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve, reject) => perf.on('exit', resolve).on('error', reject));
  await Promise.race([sleep(1000), ended]); // until it is attached to all
  const { requests } = await measure(bench, one, target, { connections, warm: 0, time });
  perf.kill('SIGINT');
  await ended;
  const { stdout } = await execute('perf', ['script', '-i', file, '-F', 'comm,ip,sym,dso'], { maxBuffer: 2 ** 30 });
  const samples = stdout.split('\n').map(sampleOf).filter(Boolean);
  if (samples.length === 0) throw new Error('perf has no sample');
  return (key) => {
    const sums = new Map();
    for (const sample of samples) sums.set(key(sample), (sums.get(key(sample)) ?? 0) + 1e6 / perSecond / requests);
    return sums;
  };
}

const us = (number) => (number ?? 0).toFixed(1);
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);

function tell(one, server, probe) {
  const part = (sample) => parts.find(([, is]) => is(sample))[0];
  const [ours, theirs] = [server(part), probe(part)];
  const [all, least] = [ours, theirs].map((sums) => [...sums.values()].reduce((sum, n) => sum + n, 0));
  console.log(`\n${one.title}: ${us(all)} µs of processor time a request, the probe ${us(least)}\n`);
  row('whose', 'server µs', 'probe µs');
  row('---', '--:', '--:');
  for (const [name] of parts) if (ours.has(name) || theirs.has(name)) row(name, us(ours.get(name)), us(theirs.get(name)));
  const name = ({ process, symbol, library }) => (symbol === '[unknown]' ? `${library}, no name` : `${symbol} (${process === 'postgres' ? 'postgres' : library})`);
  const [functions, others] = [server(name), probe(name)];
  console.log('\nfunctions that take the most, by themselves\n');
  row('function', 'server µs', 'probe µs');
  row('---', '--:', '--:');
  for (const [key, n] of [...functions].sort(([, a], [, b]) => b - a).slice(0, Number(values.top))) row(key, us(n), us(others.get(key)));
}

const about = facts();
const bench = await Bench.start({ users: connections + 1, postgres: { shared_buffers: '512MB', max_wal_size: '4GB', checkpoint_timeout: '30min' } });
try {
  await record(bench, chosen);
  console.log(`${about.date}, commit ${about.commit}; ${about.machine}; load average before: ${about.load.toFixed(1)}`);
  for (const one of chosen) tell(one, await profile(bench, one, 'server'), await profile(bench, one, 'probe'));
} finally {
  await bench.stop();
}
