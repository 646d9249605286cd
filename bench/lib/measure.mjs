// SPDX-License-Identifier: Apache-2.0
// One run of the load driver: against the server, its probe, a handler that does nothing, or a file of the same size.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from './server.mjs';

const execute = promisify(execFile);

/** Where the request of a step goes. */
const targets = {
  server: (line) => line,
  probe: (line, name) => line.replace(/^(\w+) [^? ]*/, `$1 /probe/${name}`),
  nothing: (line, name) => line.replace(/^(\w+) [^? ]*/, `$1 /nothing/${name}`),
  static: (line, name) => `GET /${name.replaceAll('/', '-')}.bin HTTP/1.1`,
};

const isWhole = (target) => target === 'server' || target === 'probe';

function stepText(step, name, target) {
  const [first, ...rest] = step.request;
  const lines = target === 'static' ? [...rest.slice(0, rest.indexOf('')).filter((line) => !/^Content-Type/.test(line)), ''] : rest;
  const whole = isWhole(target);
  return [
    'step',
    `expect ${whole ? step.expect : target === 'static' ? '200' : step.expect.slice(0, 3)}`,
    ...(whole && step.capture ? [`capture ${step.capture.join(' ')}`] : []),
    'request',
    targets[target](first, name),
    ...lines,
    'end',
  ];
}

/** The plan of a case against a target, without the values of the connections. */
function planText(bench, one, target) {
  const port = target === 'server' ? bench.port : bench.probePort;
  const steps = one.steps(bench).flatMap((step, i) => stepText(step, `${one.id}/${i}`, target));
  return [`set * host localhost:${port}`, ...steps, ''].join('\n');
}

async function valueLines(bench, one, connections) {
  const lines = [];
  for (let i = 0; i < connections; i++) {
    for (const [name, value] of Object.entries(await one.values(bench, i))) lines.push(`set ${i} ${name} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What each connection carries on with, made when it is first needed; the server and the probe each have their own. */
async function stateOf(bench, one, target, connections) {
  const file = path.join(bench.home, 'probe', `${one.id}.${isWhole(target) ? target : 'server'}.state`);
  const have = fs.existsSync(file) ? Number(fs.readFileSync(`${file}.connections`, 'utf8')) : 0;
  if (have < connections) {
    fs.writeFileSync(file, await valueLines(bench, one, connections));
    fs.writeFileSync(`${file}.connections`, String(connections));
  }
  return file;
}

/** What the driver prints (load.c), and per request what it cost. */
export async function measure(bench, one, target, { connections = 32, warm = 500, time = 3000 } = {}) {
  const state = await stateOf(bench, one, target, connections);
  const plan = `${state}.plan`;
  fs.writeFileSync(plan, fs.readFileSync(state, 'utf8') + planText(bench, one, target));
  const port = target === 'server' ? bench.port : bench.probePort;
  const args = ['--port', port, '--plan', plan, '--connections', connections, '--warm', warm, '--time', time, '--state', `${state}.new`];
  const usage = ['--usage', `httpd=${bench.server.pid}`, '--usage', `postgres=${bench.postmaster()}`];
  const { stdout } = await execute(path.join(build, 'bench/load/load'), [...args, ...usage].map(String)).catch((error) => error);
  if (!stdout) throw new Error('the load driver printed nothing');
  if (isWhole(target)) fs.appendFileSync(state, fs.readFileSync(`${state}.new`));
  const found = JSON.parse(stdout);
  if (found.errors > 0) throw new Error(`${one.id}, ${target}: ${found.errors} errors, the first: ${found.first_error}\n${bench.server.log().slice(-1500)}`);
  const per = (us) => us / Math.max(1, found.requests);
  return { ...found, cpu: { httpd: per(found.usage_us.httpd), postgres: per(found.usage_us.postgres), load: per(found.usage_us.load) } };
}

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Memory of httpd's processes in MiB: the sum of what is resident, and with what they share counted once. */
export function memory(bench, pids) {
  const sum = { resident: 0, proportional: 0, children: [] };
  for (const pid of [bench.server.pid, ...pids]) {
    const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const mib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)[1]) / 1024;
    sum.resident += mib('Rss');
    sum.proportional += mib('Pss');
    if (pid !== bench.server.pid) sum.children.push(mib('Rss'));
  }
  return sum;
}
