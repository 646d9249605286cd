// SPDX-License-Identifier: Apache-2.0
// What the machine can do without httpd: signatures by OpenSSL's own measure, and statements by pgbench.
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { lasting } from './record.mjs';

const execute = promisify(execFile);
const names = { RS256: 'rsa2048', ES256: 'ecdsap256', EdDSA: 'ed25519' };

/** Signatures a second on all processors. */
export async function signatures(alg, seconds = 2) {
  const { stdout } = await execute('openssl', ['speed', '-mr', '-seconds', String(seconds), '-multi', String(os.cpus().length), names[alg]], { timeout: 60_000 });
  // +F2: RSA, +F4: ECDSA, +F6: EdDSA; number, bits, (name,) signatures and verifications a second
  const line = /^\+F[246]:.*$/m.exec(stdout)[0].split(':');
  return Number(line.at(-2));
}

const literal = (value) => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
const numbered = (sql, values) => sql.replace(/\$(\d+)/g, (_, n) => values[n - 1]);

async function pgbench(bench, script, connections, seconds, more = []) {
  const bindir = execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
  const program = fs.existsSync(path.join(bindir, 'pgbench')) ? path.join(bindir, 'pgbench') : 'pgbench';
  const file = path.join(bench.home, 'probe', 'pgbench.sql');
  fs.writeFileSync(file, script);
  const args = ['-n', '-M', 'prepared', '-c', connections, '-j', 2, '-T', seconds, '-f', file, ...more];
  const { stdout } = await execute(program, args.map(String), { env: { ...process.env, ...bench.server.env, PGUSER: 'postgres' }, timeout: 60_000 });
  return Number(/tps = ([\d.]+)/.exec(stdout)[1]);
}

/** A statement that changes nothing, as it was recorded. */
export function reads(bench, statement, { connections = 32, seconds = 3 } = {}) {
  return pgbench(bench, `${numbered(statement.sql, statement.parameters.map(literal))};\n`, connections, seconds);
}

/** The rotation: each client of pgbench has a grant, whose tokens are the hashes of a count. */
export async function rotations(bench, statement, { connections = 32, seconds = 3 } = {}) {
  const hash = (n) => `sha256(convert_to(concat(:client_id::text, '-', (${n})::text), 'UTF8'))`;
  const handles = [];
  for (let i = 0; i < connections; i++) handles.push(Buffer.from((await bench.tokens(i, 'ES256')).refresh_token, 'base64url'));
  const rows = handles.map((octets, i) => `(${i}, '${octets.subarray(0, 16).toString('hex')}'::uuid)`);
  await bench.sql(`DROP TABLE IF EXISTS bench_grants; CREATE TABLE bench_grants AS SELECT * FROM (VALUES ${rows.join(',')}) AS v (client, grant_id);
    UPDATE oas_grants AS g SET refresh_hash = sha256(convert_to(concat(b.client::text, '-0'), 'UTF8')) FROM bench_grants AS b WHERE b.grant_id = g.grant_id`);
  const values = statement.parameters.map((value, i) => {
    if (i === 0) return ':g::uuid';
    if (i === 1) return hash(':n - 1');
    if (i === 4) return `ARRAY[${hash(':n')}]`;
    return value !== null && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(value) ? 'gen_random_uuid()' : literal(lasting(value));
  });
  const script = `\\if :n = 0\nSELECT grant_id AS g FROM bench_grants WHERE client = :client_id \\gset\n\\endif\n\\set n :n + 1\n${numbered(statement.sql, values)};\n`;
  const rate = await pgbench(bench, script, connections, seconds, ['-D', 'n=0']);
  const [[moved]] = await bench.sql('SELECT count(*) FROM oas_grants JOIN bench_grants USING (grant_id) WHERE refresh_generation > 1 AND revoked_at IS NULL');
  if (Number(moved) !== connections) throw new Error(`pgbench rotated the tokens of ${moved} grants only`);
  return rate;
}
