// SPDX-License-Identifier: Apache-2.0
// What is broken and mended here: two nodes on a PostgreSQL primary with a synchronous standby, each server of it
// behind a wire of its own.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringUp, top } from '../flow/lib/instance.mjs';
import { client } from '../flow/lib/oauth.mjs';
import { request } from '../flow/lib/http.mjs';
import { Wire } from './wire.mjs';

const run = promisify(execFile);
const offline = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'];

const conf = (more) => `${[
  'OAuth2ASProfile auth0', // which has access tokens that come along with a code
  'DBDParams "host=${OAS_DIR}/wire1,${OAS_DIR}/wire2 port=5432,5432 dbname=oauth2as user=oauth2as connect_timeout=2 target_session_attrs=read-write"',
  'OAuth2ASRefreshLimit 10000',
  'OAuth2ASThrottle pair=1000000 account=1000000 address=1000000',
].join('\n')}\n${client('spa', { extra: offline })}${client('strict', { extra: [...offline, 'OAuth2ASRefreshReuseWindow 0'] })}${client('hybrid', { extra: [...offline, 'OAuth2ASResponseTypes code "code token"'] })}${more}`;

/** Sends it unless the process is gone already; says whether it was there. */
export function signal(pid, name) {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

export class Bed {
  static async make({ more = '' } = {}) {
    const bed = new Bed();
    bed.server = await bringUp({
      nodes: 2,
      conf: conf(more),
      args: ['--keys', 'RS256'],
      env: () => ({ OAS_PG_DISK: '700m' }),
      prepare: (dir) => bed.layWires(dir),
    });
    await bed.server.postgres('standby');
    bed.primary = 1;
    bed.killed = new Set(); // processes of httpd that an accident has killed
    await bed.admin('CREATE TABLE fault_probe (n bigint); INSERT INTO fault_probe VALUES (0)');
    bed.nodes = bed.server.nodes.map(({ url, home }, i) => ({ name: 'ab'[i], url, home }));
    return bed;
  }

  get dir() {
    return this.server.dir;
  }

  get home() {
    return fs.readFileSync(path.join(this.dir, 'postgres.home'), 'utf8').trim();
  }

  /** Has the cluster a disk of its own? */
  get disk() {
    return fs.existsSync(path.join(this.dir, 'postgres.disk'));
  }

  layWires(dir) {
    this.wires = [Wire.to(dir, 'wire1', 's'), Wire.to(dir, 'wire2', 's2')];
  }

  // ---- PostgreSQL ----

  get member() {
    return { data: path.join(this.home, this.primary === 1 ? 'data' : 'data2'), sockets: path.join(this.home, this.primary === 1 ? 's' : 's2') };
  }

  /** test/lib/postgres, for one of the two servers. Where none runs, connections are refused. */
  async postgres(verb, { member = this.primary, args = [] } = {}) {
    await run(path.join(top, 'test/lib/postgres'), [verb, this.dir, ...args], { env: { ...process.env, OAS_PG_MEMBER: String(member) } });
    if (verb === 'stop') this.wires[member - 1].unplug();
    if (verb === 'start') this.wires[member - 1].plug();
    if (verb === 'standby') this.wires[2 - member].plug();
  }

  /** The primary is gone at once, and with it what would keep it from starting where nobody buries the dead. With `silent`
   * its machine is, which tells nobody. */
  async kill({ silent = false } = {}) {
    const { data, sockets } = this.member;
    const pids = await this.family(this.postmaster());
    const wire = this.wires[this.primary - 1];
    if (silent) wire.hold();
    for (const pid of pids) signal(pid, 'SIGKILL');
    if (!silent) wire.unplug();
    for (const file of [path.join(data, 'postmaster.pid'), path.join(sockets, '.s.PGSQL.5432.lock')]) fs.rmSync(file, { force: true });
  }

  /** As the superuser of the primary, by no wire. */
  async admin(sql, { timeout = 0, options = '-c default_transaction_read_only=off' } = {}) {
    const { stdout } = await run('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-F', '\t', '-h', this.member.sockets, '-U', 'postgres', '-d', 'oauth2as', '-c', sql], {
      timeout,
      maxBuffer: 1 << 28,
      env: { ...process.env, PGPORT: '5432', PGCONNECT_TIMEOUT: '2', PGOPTIONS: options },
    });
    return stdout.split('\n').filter(Boolean).map((line) => line.split('\t'));
  }

  /** Pids of the primary: the postmaster, and all of them. */
  postmaster() {
    return Number(fs.readFileSync(path.join(this.member.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  async family(pid) {
    return [pid, ...(await this.childrenOf(pid))];
  }

  async childrenOf(pid) {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
    return stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === pid).map(([child]) => child);
  }

  /** Waits until an ordinary write commits at the primary; returns when that was. */
  async writable() {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const since = Date.now();
      try {
        await this.admin('UPDATE fault_probe SET n = n + 1', { timeout: 2000, options: '-c statement_timeout=500ms' });
        return Date.now();
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await sleep(Math.max(0, 50 - (Date.now() - since)));
      }
    }
  }

  /** Somebody's transaction holds what the statement locks, for so many seconds unless it meets a deadlock. Returns when it
   * has ended. */
  async lock(statement, seconds) {
    await this.admin(`BEGIN; ${statement}; SELECT pg_sleep(${seconds}); ROLLBACK`).catch((error) => {
      if (!/deadlock/.test(error.stderr)) throw error;
    });
  }

  terminate() {
    return this.admin("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'oauth2as'");
  }

  // ---- httpd ----

  pid({ home }) {
    return Number(fs.readFileSync(path.join(home, 'run/httpd.pid'), 'utf8'));
  }

  /** Children that serve, the youngest generation last. */
  workers(node) {
    return this.childrenOf(this.pid(node));
  }

  async httpd(node, verb) {
    const makefile = fs.readFileSync(path.join(path.dirname(this.server.env.OAUTH2ASCTL), 'Makefile'), 'utf8');
    const program = makefile.match(/^HTTPD = (.*)$/m)[1];
    return run(program, ['-f', path.join(node.home, 'httpd.conf'), '-k', verb], { env: { ...process.env, ...this.server.env, ...(process.env.OAS_PRELOAD && { LD_PRELOAD: process.env.OAS_PRELOAD }) } });
  }

  /** All nodes read an edited configuration. */
  async configure(edit) {
    for (const node of this.nodes) {
      const file = path.join(node.home, 'httpd.conf');
      fs.writeFileSync(file, edit(fs.readFileSync(file, 'utf8')));
      signal(this.pid(node), 'SIGUSR1');
    }
    await sleep(500);
  }

  async stopNode(node) {
    const pid = this.pid(node);
    process.kill(pid, 'SIGTERM');
    for (let tries = 0; signal(pid, 0) && tries < 300; tries++) await sleep(100);
  }

  async startNode(node) {
    await this.httpd(node, 'start');
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline) {
      const answer = await request(node.url('.well-known/jwks.json')).catch(() => ({}));
      if (answer.status === 200) return;
      await sleep(50);
    }
    throw new Error(`node ${node.name} does not answer`);
  }

  async close() {
    if (!this.server) return;
    for (const wire of this.wires) wire.release();
    await this.server.stop();
    for (const wire of this.wires) await wire.close();
  }
}
