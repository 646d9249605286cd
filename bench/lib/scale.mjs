// SPDX-License-Identifier: Apache-2.0
// bench/scale: rotation and code flow while the tables grow, and from one connection to many.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { Tokens, fill } from './fill.mjs';
import { measure, median } from './measure.mjs';
import { facts } from './report.mjs';
import { Bench, build, connectionsMax } from './server.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000,100000,1000000,10000000' },
    connections: { type: 'string', default: '1,2,4,8,16,32,64' },
    runs: { type: 'string', default: '3' },
    time: { type: 'string', default: '4000' },
    out: { type: 'string' },
  },
});
const numbers = (text) => text.split(',').map(Number);
const say = (text) => process.stderr.write(`${text}\n`);
const [rotation, code] = ['rotation-ES256', 'code-ES256'].map((name) => cases.find(({ id }) => id === name));
const runs = Number(values.runs);
const time = Number(values.time);
const families = 20_000; // that rotations go round among
const keptMin = 0.85; // of the rate with the fewest rows, with the most

/** The medians of a case with so many connections. */
async function rate(bench, one, connections, tokens) {
  const found = [];
  for (let i = 0; i < runs; i++) {
    if (one === rotation) tokens.give(one, connections);
    found.push(await measure(bench, one, 'server', { connections, warm: 1000, time }));
    if (one === rotation) tokens.takeBack(one);
  }
  return { rate: median(found.map((run) => run.rate)), p50: median(found.map((run) => run.round_us.p50)), p99: median(found.map((run) => run.round_us.p99)) };
}

async function both(bench, connections, tokens) {
  return { rotation: await rate(bench, rotation, connections, tokens), code: await rate(bench, code, connections, tokens) };
}

async function size(bench) {
  const [[bytes]] = await bench.sql("SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(ARRAY['oas_grants', 'oas_codes', 'oas_refresh_tokens']) AS name");
  return Number(bytes) / 2 ** 20;
}

async function measureAll(bench) {
  const result = { facts: about, scale: { rows: [], connections: [] } };
  const tokens = new Tokens(bench, families);
  for (const rows of numbers(values.rows)) {
    await fill(bench, rows, say);
    await tokens.extend();
    const found = { rows, mib: await size(bench), ...(await both(bench, 32, tokens)) };
    result.scale.rows.push(found);
    say(`${rows} rows: ${found.rotation.rate.toFixed(0)} rotations, ${found.code.rate.toFixed(0)} code flows a second`);
  }
  for (const connections of numbers(values.connections)) {
    const found = { connections, ...(await both(bench, connections, tokens)) };
    result.scale.connections.push(found);
    say(`${connections} connections: ${found.rotation.rate.toFixed(0)} rotations, ${found.code.rate.toFixed(0)} code flows a second`);
  }
  return result;
}

const cells = ({ rotation: r, code: c }) => [r.rate, r.p50 / 1000, r.p99 / 1000, c.rate, c.p50 / 1000, c.p99 / 1000].map((n, i) => (i % 3 === 0 ? Math.round(n).toLocaleString('en-US') : n.toFixed(2)));
const head = (first) => `| ${first} | rotations a second | p50 ms | p99 ms | code flows a second | p50 ms | p99 ms |\n|${' --: |'.repeat(7)}`;

const about = facts();
// as docs/scale.md advises for tables of this size
const settings = { shared_buffers: '4GB', max_wal_size: '8GB', checkpoint_timeout: '30min', wal_compression: 'lz4', autovacuum: 'off' };
const bench = await Bench.start({ users: connectionsMax + 1, postgres: settings });
try {
  const result = await measureAll(bench);
  const out = values.out ?? path.join(build, 'bench/scale.json');
  fs.writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`${about.date}, commit ${about.commit}\n${about.machine}\n${about.versions}\nload average before: ${about.load.toFixed(1)}\n`);
  console.log(head('lineage rows'));
  for (const row of result.scale.rows) console.log(`| ${row.rows.toLocaleString('en-US')} (${Math.round(row.mib).toLocaleString('en-US')} MiB) | ${cells(row).join(' | ')} |`);
  console.log(`\n${head('connections')}`);
  for (const row of result.scale.connections) console.log(`| ${row.connections} | ${cells(row).join(' | ')} |`);
  const [first, last] = [result.scale.rows[0], result.scale.rows.at(-1)];
  const kept = last.rotation.rate / first.rotation.rate;
  console.log(`\nwritten to ${out}\nrotation with ${last.rows} rows: ${kept.toFixed(2)} of its rate with ${first.rows}, at least ${keptMin}`);
  process.exitCode = kept < keptMin ? 1 : 0;
} finally {
  await bench.stop();
}
