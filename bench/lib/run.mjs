// SPDX-License-Identifier: Apache-2.0
// bench/run: each case beside its probe, alternately, in the same httpd.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { instructions } from './instructions.mjs';
import { reads, rotations, signatures } from './limits.mjs';
import { measure, median, memory } from './measure.mjs';
import { record } from './record.mjs';
import { facts, instructionTable, limitLines, table, verdict } from './report.mjs';
import { Bench, apis, build } from './server.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    time: { type: 'string' },
    connections: { type: 'string', default: '32' },
    instructions: { type: 'boolean', default: false },
    soak: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
const runs = Number(values.runs ?? (values.quick ? 1 : 5));
const time = Number(values.time ?? (values.quick ? 1500 : 4000));
const connections = Number(values.connections);
const chosen = cases.filter(({ id }) => positionals.length === 0 || positionals.some((text) => id.includes(text)));
if (chosen.length === 0) throw new Error(`no such case; there are ${cases.map(({ id }) => id).join(', ')}`);
const say = (text) => process.stderr.write(`${text}\n`);

const options = { connections, warm: values.quick ? 300 : 1000, time };

/** Server and probe alternately; the medians, and their ratios. */
async function compare(bench, one) {
  const pairs = [];
  for (let i = 0; i < runs; i++) {
    const server = await measure(bench, one, 'server', options);
    pairs.push({ server, probe: await measure(bench, one, 'probe', options) });
    say(`${one.id}: ${Math.round(server.rate)} and the probe ${Math.round(pairs.at(-1).probe.rate)} a second`);
  }
  const of = (get) => median(pairs.map(get));
  return {
    rate: of(({ server }) => server.rate),
    probe: { rate: of(({ probe }) => probe.rate), cpu: of(({ probe }) => probe.cpu.httpd), p50: of(({ probe }) => probe.round_us.p50), p99: of(({ probe }) => probe.round_us.p99) },
    ratio: of(({ server }) => server.rate) / of(({ probe }) => probe.rate),
    p50: of(({ server }) => server.round_us.p50),
    p99: of(({ server }) => server.round_us.p99),
    cpu: of(({ server }) => server.cpu.httpd),
    cpuRatio: of(({ server }) => server.cpu.httpd) / Math.max(1e-3, of(({ probe }) => probe.cpu.httpd)),
    cpuDatabase: of(({ server }) => server.cpu.postgres),
    runs: pairs.map(({ server, probe }) => [server.rate, probe.rate]),
  };
}

async function measureCase(bench, one, recorded) {
  const found = await compare(bench, one);
  const floor = values.quick ? {} : { nothing: (await measure(bench, one, 'nothing', options)).rate, static: (await measure(bench, one, 'static', options)).rate };
  const { id, title, share, reach } = one;
  return { id, title, share, reach, ...found, ...floor, statements: recorded.flatMap(({ statements }) => statements).length, statementsAllowed: one.statements };
}

async function limitsOf(bench, recorded) {
  const limits = {};
  say('limits of the machine');
  for (const alg of Object.keys(apis)) limits[`openssl speed, signatures ${alg}`] = await signatures(alg);
  const find = (id, label) => recorded[id]?.flatMap(({ statements }) => statements).find((statement) => statement.label === label);
  const [read, rotate] = [find('userinfo', 'oas_grant_load'), find('rotation-ES256', 'oas_refresh')];
  if (read) limits["pgbench -M prepared, userinfo's statement"] = await reads(bench, read, { connections });
  if (rotate) limits["pgbench -M prepared, the rotation's statement"] = await rotations(bench, rotate, { connections });
  return limits;
}

async function firstAnswer(bench) {
  const took = [];
  for (let i = 0; i < 5; i++) took.push(await bench.restart());
  return median(took);
}

/** Memory while the cases are gone through again and again for so many minutes. */
async function soak(bench, minutes) {
  const samples = [];
  for (const end = Date.now() + minutes * 60_000; Date.now() < end; ) {
    for (const one of chosen) await measure(bench, one, 'server', { connections, warm: 0, time: Math.min(5000, Math.max(200, end - Date.now())) });
    const { resident, proportional } = memory(bench, await bench.server.children());
    samples.push({ minutes: minutes - (end - Date.now()) / 60_000, resident, proportional });
    say(`${samples.at(-1).minutes.toFixed(1)} minutes: ${resident.toFixed(1)} MiB`);
  }
  return samples;
}

/** How long the start takes, and how large httpd is before and after each case was under load. */
async function measureServer(bench) {
  const held = async () => memory(bench, await bench.server.children());
  say('start and memory');
  const found = { firstAnswer: await firstAnswer(bench), memory: { idle: await held() } };
  for (const one of chosen) await measure(bench, one, 'server', options);
  found.memory.samples = await soak(bench, Number(values.soak));
  found.memory.loaded = await held();
  return found;
}

async function measureAll(bench) {
  const result = { facts: about, connections, runs, time, cases: [] };
  const recorded = await record(bench, chosen);
  if (!values.quick) Object.assign(result, await bench.withoutProbe(() => measureServer(bench)));
  for (const one of chosen) result.cases.push(await measureCase(bench, one, recorded[one.id]));
  if (!values.quick) result.limits = await limitsOf(bench, recorded);
  if (values.instructions) {
    say('instructions');
    const counted = await instructions(bench, chosen);
    for (const one of result.cases) one.instructions = counted[one.id];
  }
  return result;
}

const about = facts();
const bench = await Bench.start({ users: connections + 1, postgres: { shared_buffers: '512MB', max_wal_size: '4GB', checkpoint_timeout: '30min' } });
try {
  const result = await measureAll(bench);
  const { good, line } = verdict(result);
  const out = values.out ?? path.join(build, 'bench/results.json');
  fs.writeFileSync(out, `${JSON.stringify({ ...result, verdict: line }, null, 2)}\n`);
  const { date, commit, machine, versions, flags, load } = about;
  console.log(`${date}, commit ${commit}, ${flags}\n${machine}\n${versions}\nload average before: ${load.toFixed(1)}; ${connections} connections, ${runs} runs of ${time / 1000} s each\n`);
  console.log(`${table(result)}\n`);
  if (values.instructions) console.log(`${instructionTable(result)}\n`);
  for (const text of limitLines(result)) console.log(text);
  console.log(`written to ${out}\n${line}`);
  process.exitCode = good ? 0 : 1;
} finally {
  await bench.stop();
}
