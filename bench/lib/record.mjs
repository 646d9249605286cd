// SPDX-License-Identifier: Apache-2.0
// How the probe comes to its answers: each step of a case is asked once more, octet by octet as the load driver does, with
// PostgreSQL logging what it is told. The probe then gives the same answer after the same statements, in which only what
// has to change from request to request does.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const fill = (text, values) => text.replace(/\$\{(\w+)\}/g, (_, name) => values[name]);

/** The octets of one answer. */
async function ask(port, lines, values) {
  const at = lines.indexOf('');
  const body = lines.slice(at + 1).join('');
  const head = [...lines.slice(0, at), ...(body ? [`Content-Length: ${Buffer.byteLength(fill(body, values))}`] : []), 'Connection: close', '', ''];
  const socket = net.connect(port, '127.0.0.1');
  const parts = [];
  socket.on('data', (part) => parts.push(part));
  socket.write(fill(head.join('\r\n') + body, values));
  await once(socket, 'close');
  return Buffer.concat(parts).toString('latin1');
}

/** What a handle is in parameters. */
function namesOf(handle, name) {
  const octets = Buffer.from(handle, 'base64url');
  const hex = octets.subarray(0, 16).toString('hex');
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  return [[id, `\${${name}.id}`], [createHash('sha256').update(octets.subarray(16)).digest('hex'), `\${${name}.hash}`]];
}

/** Statements of the log, with parameters as an array of strings and nulls. */
function readLog(text) {
  const found = [];
  for (const [, label, sql, parameters] of text.matchAll(/LOG:  execute (oas_\w+): (.*)\n(?:.*DETAIL:  parameters: (.*)\n)?/g)) {
    const values = [...(parameters ?? '').matchAll(/\$\d+ = (?:NULL|'((?:[^']|'')*)')/g)].map(([, value]) => (value === undefined ? null : value.replaceAll("''", "'")));
    found.push({ label, sql, values });
  }
  return found;
}

// what httpd's background tasks send
const background = ['oas_logouts_claim', 'oas_purge', 'oas_client_sync', 'oas_limit_families'];
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A time until which a statement may begin is as good as any other one, only later. */
export const lasting = (value) => (value !== null && /^\d{10}(\.\d+)?$/.test(value) ? String(Number(value) + 1e8) : value);

/** A parameter as the probe's file has it: what it knows by name, and where rows are changed a uuid that nobody knows is made anew. */
function parameter(value, known, changing) {
  if (value === null) return '\\N';
  for (const [text, name] of known) if (value.includes(text)) return value.replace(text, name);
  return changing && uuid.test(value) ? '${uuid}' : value;
}

async function logged(bench, run) {
  const file = path.join(bench.postgresHome, 'log');
  const begun = fs.statSync(file).size;
  const answer = await run();
  for (let size = -1; size !== fs.statSync(file).size; await sleep(50)) size = fs.statSync(file).size;
  const all = readLog(fs.readFileSync(file).subarray(begun).toString('utf8'));
  return { answer, statements: all.filter(({ label }) => !background.includes(label)) };
}

async function logStatements(bench, value) {
  await bench.sql(`ALTER SYSTEM SET log_statement = '${value}'`);
  await bench.sql('SELECT pg_reload_conf()');
  await sleep(200);
}

/** Text of the probe's Location for a step. */
function location(bench, name, { probe, recorded, made, files }) {
  const key = (alg) => `${alg} ${bench.home}/main/${alg}.pem`;
  return [
    `<Location "/probe/${name}">`,
    `OASProbeAnswer ${recorded}`,
    ...(probe.sign ?? []).map((alg) => `OASProbeSign ${key(alg)}`),
    ...(probe.verify ? [`OASProbeVerify ${key(probe.verify)}`] : []),
    ...(probe.presented ? [`OASProbePresented ${probe.presented}`] : []),
    ...(probe.cookie ? ['OASProbeCookie On'] : []),
    ...(made ? [`OASProbeMade ${made} ${probe.made}`] : []),
    ...files.map((file) => `OASProbeStatement ${file}`),
    '</Location>',
    `<Location "/nothing/${name}">\nOASProbeAnswer ${recorded}\n</Location>`,
    '',
  ].join('\n');
}

const handleIn = (text, behind) => new RegExp(`${behind.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}([\\w-]{64})`).exec(text)?.[1];

async function recordStep(bench, name, step, values) {
  const { answer, statements } = await logged(bench, () => ask(bench.port, step.request, values));
  const [status, expected] = [step.expect.slice(0, 3), step.expect.slice(4)];
  if (!answer.startsWith(`HTTP/1.1 ${status}`) || !answer.includes(expected)) throw new Error(`${name} was answered:\n${answer}`);
  const { probe } = step;
  const made = probe.made && handleIn(answer, step.capture[1]);
  const presented = probe.presented && handleIn(fill(step.request.at(-1), values), `${probe.presented}=`);
  const known = [
    ...(presented ? namesOf(presented, 'presented') : []),
    ...(probe.cookie ? namesOf(values.cookie.slice(-64), 'cookie') : []),
    ...(made ? namesOf(made, 'made').filter(([, text]) => !(probe.made === 'NEXT' && text.endsWith('id}'))) : []),
  ];
  const wanted = Object.entries(probe.statements ?? {});
  const needed = wanted.map(([label]) => statements.find((statement) => statement.label === label));
  if (needed.includes(undefined)) throw new Error(`${name} does without a statement of its probe: ${statements.map(({ label }) => label)}`);
  const base = path.join(bench.home, 'probe', name.replaceAll('/', '-'));
  const files = needed.map(({ sql, values: parameters }, i) => {
    fs.writeFileSync(`${base}.${i}.sql`, [wanted[i][1], sql, ...parameters.map((value) => parameter(lasting(value), known, known.length > 0)), ''].join('\n'));
    return `${base}.${i}.sql`;
  });
  fs.writeFileSync(`${base}.answer`, answer, 'latin1');
  fs.writeFileSync(`${base}.conf`, location(bench, name, { probe, recorded: `${base}.answer`, made, files }));
  const size = answer.length - answer.indexOf('\r\n\r\n') - 4;
  fs.writeFileSync(path.join(bench.home, 'static', `${name.replaceAll('/', '-')}.bin`), 'x'.repeat(size));
  if (step.capture) values[step.capture[0]] = handleIn(answer, step.capture[1]);
  return { statements: statements.map(({ label, sql, values: parameters }) => ({ label, sql, parameters })), size };
}

async function recordCase(bench, one) {
  const recorded = [];
  for (let round = 0; round < 2; round++) {
    const values = { host: `localhost:${bench.port}`, ...(await one.values(bench, bench.users - 1)) };
    for (const [i, step] of one.steps(bench).entries()) recorded[i] = await recordStep(bench, `${one.id}/${i}`, step, values);
  }
  return recorded;
}

/**
 * Records cases with the last of the users, and has httpd read what the probe is to do. The first time of each warms caches
 * up; the second one counts.
 * @returns by the id of the case, for each step, the statements that the server sent and the size of its answer's body
 */
export async function record(bench, cases) {
  const recorded = {};
  await logStatements(bench, 'all');
  for (const one of cases) recorded[one.id] = await recordCase(bench, one);
  await logStatements(bench, 'none');
  await bench.restart();
  return recorded;
}
