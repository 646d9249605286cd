// SPDX-License-Identifier: Apache-2.0
// What was measured as a table, and the line at its end.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { top } from '../../test/flow/lib/instance.mjs';
import { build, httpdVersion } from './server.mjs';

const version = (file, ...args) => execFileSync(file, args, { encoding: 'utf8' }).split('\n')[0];

function commit() {
  try {
    return version('git', '-C', top, 'rev-parse', '--short', 'HEAD');
  } catch {
    return 'unknown';
  }
}

export function facts() {
  const model = /^model name\s*: (.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown processor';
  const flags = /^CFLAGS = (.*)$/m.exec(fs.readFileSync(`${build}/Makefile`, 'utf8'))?.[1];
  return {
    date: new Date().toISOString().slice(0, 16),
    commit: commit(),
    machine: `${os.cpus().length} processors (${model}), ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release().split('.').slice(0, 2).join('.')}`,
    versions: `${httpdVersion}, MPM ${process.env.OAS_MPM ?? 'event'}, ${version('psql', '--version')}, ${version('openssl', 'version')}`,
    flags,
    load: os.loadavg()[0],
  };
}

const count = (number) => (number === undefined || number === null ? '' : Math.round(number).toLocaleString('en-US'));
const part = (number) => (number === undefined || number === null ? '' : number.toFixed(2));
const ms = (us) => (us / 1000).toFixed(2);

const columns = [
  ['case', (c) => c.title],
  ['a second', (c) => count(c.rate)],
  ['aim', (c) => count(c.reach)],
  ['probe', (c) => count(c.probe.rate)],
  ['of it', (c) => part(c.ratio)],
  ['to reach', (c) => part(c.share)],
  ['p50 ms', (c) => ms(c.p50)],
  ['p99 ms', (c) => ms(c.p99)],
  ['CPU µs', (c) => count(c.cpu)],
  ['of probe', (c) => part(c.cpuRatio)],
  ['PostgreSQL µs', (c) => count(c.cpuDatabase)],
  ['statements', (c) => c.statements],
  ['does nothing', (c) => count(c.nothing)],
  ['static file', (c) => count(c.static)],
];
// A request's instructions outside the kernel, in thousands: what httpd needs whoever answers, what the probe needs above
// that (signatures, statements by libpq), and the rest, which is the authorization server's own.
const thousands = (number) => (number / 1000).toFixed(number < 100_000 ? 1 : 0);
const instructionColumns = [
  ['case', (c) => c.title],
  ['thousand instructions', (c) => thousands(c.instructions.server)],
  ['httpd', (c) => thousands(c.instructions.nothing)],
  ['signatures, statements', (c) => thousands(Math.max(0, c.instructions.probe - c.instructions.nothing))],
  ['the server itself', (c) => thousands(c.instructions.server - c.instructions.probe)],
  ['of probe', (c) => part(c.instructions.server / c.instructions.probe)],
];

function tableOf(rows, chosen) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = chosen.map((_, i) => (i === 0 ? '---' : '--:'));
  return [line(chosen.map(([name]) => name)), line(rule), ...rows.map((row) => line(chosen.map(([, cell]) => cell(row))))].join('\n');
}

export const table = (result) => tableOf(result.cases, columns);

/** Where the instructions of a request go; empty when they were not counted. */
export function instructionTable(result) {
  const counted = result.cases.filter((one) => one.instructions);
  return counted.length ? tableOf(counted, instructionColumns) : '';
}

const tooFew = ({ share, ratio }) => share !== null && ratio < share;
const tooMuch = ({ share, cpuRatio }) => share !== null && cpuRatio > 1.25;

/** MiB of httpd after the load, and ms from its start to the first answer, at most. */
const memoryMax = 45;
const firstAnswerMax = 60;

/** What a whole run found of httpd itself and is more than was asked for. */
function excesses({ memory, firstAnswer }) {
  return [
    ...(memory?.loaded.resident > memoryMax ? [`memory after the load ${memory.loaded.resident.toFixed(1)} MiB of ${memoryMax}`] : []),
    ...(firstAnswer > firstAnswerMax ? [`first answer after ${firstAnswer.toFixed(0)} ms of ${firstAnswerMax}`] : []),
  ];
}

/** One line: which cases are below their share of the probe, cost more of httpd's CPU than a quarter above the probe or send the
 * database more than they need, and what httpd needs too much of. */
export function verdict(result) {
  const below = result.cases.filter(tooFew).map((one) => `${one.id} ${part(one.ratio)} of ${part(one.share)}`);
  const dear = result.cases.filter(tooMuch).map((one) => `${one.id} ${part(one.cpuRatio)}`);
  const chatty = result.cases.filter((one) => one.statements > one.statementsAllowed).map((one) => `${one.id} ${one.statements}`);
  const found = [
    ...(below.length ? [`below their share of the probe: ${below.join(', ')}`] : []),
    ...(dear.length ? [`more than 1.25 times the probe's CPU: ${dear.join(', ')}`] : []),
    ...(chatty.length ? [`more statements than needed: ${chatty.join(', ')}`] : []),
    ...excesses(result),
  ];
  return { good: found.length === 0, line: found.length ? found.join('; ') : 'every case reaches its share of the probe, within a quarter more of the CPU' };
}

export function limitLines(result) {
  const lines = Object.entries(result.limits ?? {}).map(([name, rate]) => `${name}: ${count(rate)} a second`);
  if (result.memory) {
    const { idle, loaded } = result.memory;
    const text = ({ resident, proportional, children }) =>
      `${resident.toFixed(1)} MiB resident (${children.map((mib) => mib.toFixed(1)).join(' and ')} the children), ${proportional.toFixed(1)} MiB with shared pages counted once`;
    lines.push(`memory of httpd idle: ${text(idle)}`, `memory of httpd after the load: ${text(loaded)}, at most ${memoryMax}`);
  }
  if (result.firstAnswer) lines.push(`first answer ${result.firstAnswer.toFixed(0)} ms after the start, at most ${firstAnswerMax}`);
  return lines;
}
