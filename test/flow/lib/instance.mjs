// SPDX-License-Identifier: Apache-2.0
// A private server for one test file, by test/instance; and its error log, which may hold only the warnings
// and errors that a test announced.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { webcrypto } from 'node:crypto';
import { request } from './http.mjs';

globalThis.crypto ??= webcrypto; // Node 18 has it under another name only

const run = promisify(execFile);
export const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const script = path.join(top, 'test/instance');
const running = new Set();

// A test file that is broken off takes its server along.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const dir of running) spawnSync(script, ['down', dir]);
    process.exit(1);
  });
}

function parseAssignments(text) {
  return Object.fromEntries([...text.matchAll(/^(\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]));
}

/** One that nobody takes before it is used: neither test/instance nor the kernel, for a connection that goes out, gives any of these. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    const server = net.createServer().listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(() => true, () => false);
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Returns when it holds; fails when it does not within a generous time: a machine may have much else to do. */
export async function until(what, holds, limit = 60_000) {
  const deadline = Date.now() + limit;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `not within ${limit} ms: ${what}`);
    await sleep(50);
  }
}

/** What `ask` is answered, asked again as clients do for as long as that is 503. */
export async function patiently(ask) {
  let answer;
  await until('an answer other than 503', async () => (answer = await ask()).status !== 503);
  return answer;
}

/**
 * Returns when every process of httpd has found the database back. Until then each lets one at a time try, which may be a
 * background task of its own, and answers all others 503.
 * @param ask asks for what needs the database and is good
 */
export function untilBack(ask) {
  return until('every process serves again', async () => {
    const answers = await Promise.all(Array.from({ length: 24 }, ask));
    for (const { status, text } of answers) assert.ok([200, 503].includes(status), `${status} ${text}`);
    return answers.every(({ status }) => status === 200);
  });
}

// What the store, its background tasks and mod_dbd say while the database is away or has just come back.
const away = /OAS00[0-4]\d\d|OAS005\d\d|OAS006[1578]\d|OAS007\d\d|OAS008\d\d|OAS0114[0-2]|OAS01230|OAS01272|AH006(?:29|3\d)|dbd/i;
// Lines that say what the server found wrong, a child that died, and what a sanitizer writes.
const trouble = /\] \[(?:\w+:)?(?:warn|error|crit|alert|emerg)\] |exit signal|Sanitizer|: runtime error: /;
// What any httpd says that is stopped or restarted in the middle of things, and of mod_ssl's lock between processes; and that all
// of its workers are busy, which takes many requests at once and a machine that is slow.
const harmless = /AH00045|AH00046|AH00098|AH00167|AH00291|AH00488|AH02026|AH00161|AH00286|AH00287|AH00484|AH03490|AH10159/;

export class Instance {
  constructor(dir, variables) {
    this.dir = dir;
    this.env = variables;
    this.issuer = variables.ISSUER;
    this.also = variables.ALSO_ISSUER;
    const [urls, pids, homes] = ['NODES', 'HTTPD_PIDS', 'NODE_DIRS'].map((name) => variables[name].split(' '));
    /** Each node of httpd: `url` asks it past the balancer, `home` is its folder, `read` how much of its error log is known. */
    this.nodes = urls.map((url, i) => ({ url: (...args) => this.url(...args).replace(this.issuer, url), pid: Number(pids[i]), home: homes[i], read: 0 }));
    this.pid = this.nodes[0].pid;
    this.lines = '';
    this.ca = variables.CA_FILE && fs.readFileSync(variables.CA_FILE);
    this.seen = 0;
    this.announced = [];
    this.neighbours = [];
  }

  url(where = '', query) {
    const url = new URL(where.replace(/^\//, ''), this.issuer);
    if (query) for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    return url.href;
  }

  /** This test will make the server warn: a line must match. With `maybe`, one may. */
  announce(pattern, { maybe = false } = {}) {
    this.announced.push({ pattern, maybe, met: maybe });
  }

  /** The database goes away in this test. */
  announceAway() {
    this.announce(away, { maybe: true });
  }

  /** The error logs of all nodes; what was there stays where it was. */
  log() {
    if (this.nodes.length === 1) return fs.readFileSync(this.env.ERROR_LOG, 'utf8');
    for (const node of this.nodes) {
      const bytes = fs.readFileSync(path.join(node.home, 'error.log'));
      const end = bytes.lastIndexOf('\n') + 1;
      this.lines += bytes.subarray(node.read, end).toString('utf8');
      node.read = end;
    }
    return this.lines;
  }

  newTrouble() {
    const text = this.log().slice(this.seen);
    return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter((line) => trouble.test(line) && !harmless.test(line));
  }

  /** Fails for lines that were not announced, and for announced ones that did not come. */
  async checkLog() {
    const deadline = Date.now() + 20_000;
    let unexpected;
    do {
      unexpected = this.newTrouble().filter((line) => !this.announced.some((entry) => entry.pattern.test(line) && (entry.met = true)));
      if (unexpected.length || this.announced.every(({ met }) => met)) break;
      await sleep(50);
    } while (Date.now() < deadline);
    const missing = this.announced.filter(({ met }) => !met).map(({ pattern }) => String(pattern));
    this.seen = this.log().length;
    this.announced = [];
    assert.deepEqual(unexpected, [], 'the error log holds lines that the test did not announce');
    assert.deepEqual(missing, [], 'the error log lacks lines that the test announced');
  }

  /** Rows of a query, each an array of strings, as the owner of the schema or as another role. */
  async sql(query, role = this.env.PGUSER) {
    const { stdout } = await run('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-F', '\t', '-c', query], {
      env: { ...process.env, ...this.env, PGUSER: role },
    });
    return stdout.split('\n').filter(Boolean).map((line) => line.split('\t'));
  }

  /** Carries out the statements in a transaction of the schema's owner; returns what commits it. */
  async transaction(statements) {
    const psql = spawn('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1'], { env: { ...process.env, ...this.env }, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => psql.on('close', resolve));
    psql.stdin.write(`BEGIN; ${statements};\n\\echo done\n`);
    await new Promise((resolve) => psql.stdout.on('data', (text) => /done/.test(text) && resolve()).on('close', resolve));
    return async () => {
      psql.stdin.end('COMMIT;\n');
      assert.equal(await ended, 0);
    };
  }

  async count(table, where = 'true') {
    return Number((await this.sql(`SELECT count(*) FROM ${table} WHERE ${where}`))[0][0]);
  }

  /** oauth2asctl, as the owner of the schema; `input` is what it is told when it asks. */
  async ctl(args, input = '') {
    const { PGHOST, PGPORT, PGDATABASE, PGUSER, OAUTH2ASCTL } = this.env;
    const params = `host=${PGHOST} port=${PGPORT} dbname=${PGDATABASE} user=${PGUSER}`;
    const running = run(OAUTH2ASCTL, args, { env: { ...process.env, OAUTH2AS_DBDPARAMS: params } });
    running.child.stdin.on('error', () => {}); // most ask nothing, and may be done before it is written
    running.child.stdin.end(`${input}\n`);
    return (await running).stdout;
  }

  /** Processes of httpd's present generation, of all nodes or of one. */
  async children(nodes = this.nodes) {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
    const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    return pairs.filter(([, parent]) => nodes.some(({ pid }) => parent === pid)).map(([pid]) => pid);
  }

  /** Returns when the processes that httpd begins with answer: each has its worker threads then (prefork: those of httpd's tasks). */
  async begun() {
    const [processes, threads] = process.env.OAS_MPM === 'prefork' ? [4, 2] : [2, 32];
    const threadsOf = (pid) => (fs.existsSync(`/proc/${pid}/task`) ? fs.readdirSync(`/proc/${pid}/task`).length : 0);
    await until('all processes of httpd have begun', async () => {
      const ready = (await this.children()).filter((pid) => threadsOf(pid) >= threads);
      return ready.length >= processes * this.nodes.length;
    });
  }

  /**
   * Edits files of the configuration and has httpd read them again; returns when no process with the old one is left.
   * @param edits functions from old text to new, by file name below the instance's folder; httpd/httpd.conf is each node's
   */
  async reload(edits) {
    for (const [name, edit] of Object.entries(edits)) {
      for (const file of name === 'httpd/httpd.conf' ? this.nodes.map(({ home }) => path.join(home, 'httpd.conf')) : [path.join(this.dir, name)]) {
        const old = fs.readFileSync(file, 'utf8');
        const text = edit(old);
        assert.notEqual(text, old, `${name} is as it was`);
        fs.writeFileSync(file, text);
      }
    }
    const before = new Set(await this.children());
    for (const { pid } of this.nodes) process.kill(pid, 'SIGUSR1');
    await until('old processes of httpd end', async () => {
      const now = await Promise.all(this.nodes.map((node) => this.children([node])));
      return now.every((children) => children.length > 0 && !children.some((pid) => before.has(pid)));
    });
  }

  /** Both issuers of --also have one secret from now on, so that it is not the key that tells them apart. */
  shareSecret() {
    return this.reload({ 'httpd/httpd.conf': (text) => text.replaceAll('/also/secret', '/main/secret') });
  }

  postgres(verb, ...args) {
    return run(path.join(top, 'test/lib/postgres'), [verb, this.dir, ...args]);
  }

  /**
   * What valgrind counted in the processes of a stopped httpd that ran by test/lib/memcheck: errors, blocks that
   * nothing points to any more, and blocks in use when a process ended (of the one that had most).
   */
  memcheck() {
    const home = path.join(this.dir, 'httpd');
    const texts = fs.readdirSync(home).filter((name) => name.startsWith('memcheck.')).map((name) => fs.readFileSync(path.join(home, name), 'utf8'));
    const counts = (pattern) =>
      texts.map((text) => {
        const found = pattern.exec(text);
        assert.ok(found || /All heap blocks were freed/.test(text), `a process ended without a summary:\n${text.slice(-2000)}`);
        return Number(found?.[1].replaceAll(',', '') ?? 0);
      });
    const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
    return {
      errors: sum(counts(/ERROR SUMMARY: ([\d,]+) errors/)),
      lost: sum(counts(/definitely lost: [\d,]+ bytes in ([\d,]+) blocks/)),
      kept: Math.max(0, ...counts(/in use at exit: [\d,]+ bytes in ([\d,]+) blocks/)),
      text: texts.map((text) => text.replace(/==\d+== Memcheck[\s\S]*?Parent PID.*/, '')).join('\n'),
    };
  }

  checkMemory() {
    const { errors, lost, text } = this.memcheck();
    assert.equal(errors, 0, text);
    assert.equal(lost, 0, text);
  }

  /** apachectl of the httpd that has this configuration. */
  httpd(conf, verb) {
    const makefile = fs.readFileSync(path.join(path.dirname(this.env.OAUTH2ASCTL), 'Makefile'), 'utf8');
    const env = { ...process.env, ...this.env, ...(process.env.OAS_PRELOAD && { LD_PRELOAD: process.env.OAS_PRELOAD }) };
    return run(makefile.match(/^HTTPD = (.*)$/m)[1], ['-f', conf, '-k', verb], { env });
  }

  /** Ends a node: SIGWINCH lets it finish what it does, SIGTERM does not. Returns when it is gone. */
  async stopNode(node, signal = 'SIGWINCH') {
    process.kill(node.pid, signal);
    await until('a node ends', () => !fs.existsSync(`/proc/${node.pid}`));
    fs.rmSync(path.join(node.home, 'run/httpd.pid'), { force: true });
  }

  /** Starts a node that has ended; it answers a moment later. */
  async startNode(node) {
    await this.httpd(path.join(node.home, 'httpd.conf'), 'start');
    await until('a node starts', () => fs.existsSync(path.join(node.home, 'run/httpd.pid')));
    node.pid = Number(fs.readFileSync(path.join(node.home, 'run/httpd.pid'), 'utf8'));
    if (node === this.nodes[0]) this.pid = node.pid;
  }

  /**
   * A second node: one more httpd with the configuration, the database and the error log of this one, at a port of its
   * own, past any balancer. It ends with this one.
   * @returns a function like url(), for what the second node is asked
   */
  async neighbour() {
    const port = await freePort();
    const own = String(new URL(this.issuer).port);
    const home = path.join(this.dir, 'httpd');
    const conf = path.join(home, `node-${port}.conf`);
    const text = fs.readFileSync(path.join(home, 'httpd.conf'), 'utf8');
    const listens = String(new URL(this.nodes[0].url()).port);
    const moved = text
      .replace(/^PidFile .*$/m, `PidFile ${home}/run/node-${port}.pid`)
      .replaceAll(new RegExp(`^(Listen \\S+:|<VirtualHost \\*:)${listens}\\b`, 'gm'), `$1${port}`);
    assert.notEqual(moved, text);
    fs.writeFileSync(conf, moved);
    await this.httpd(conf, 'start');
    this.neighbours.push(() => this.httpd(conf, 'stop'));
    const where = (...args) => this.url(...args).replace(`:${own}/`, `:${port}/`);
    await until('the second node answers', () => request(where('.well-known/jwks.json'), { ca: this.ca }).then(({ status }) => status === 200, () => false));
    return where;
  }

  async stop() {
    for (const stop of this.neighbours.splice(0)) await stop();
    await run(script, ['down', this.dir]);
    running.delete(this.dir);
  }

  /** The folder stays with OAS_KEEP=1, for whoever wants to read the logs. */
  remove() {
    if (!process.env.OAS_KEEP) fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/**
 * Starts a server; whoever calls this stops and removes it.
 * @param conf text for the virtual host
 * @param args further arguments of test/instance up
 * @param nodes how many nodes of httpd, behind HAProxy when it is more than one (default: the environment's OAS_NODES, or 1)
 * @param env makes further environment variables of it from the instance's folder
 * @param prepare is given the instance's folder before anything starts
 */
export async function bringUp({ conf = '', args = [], nodes, env = () => ({}), prepare } = {}) {
  const dir = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'oas-flow-'));
  fs.chmodSync(dir, 0o755);
  prepare?.(dir);
  const included = path.join(dir, 'test.conf');
  fs.writeFileSync(included, conf);
  running.add(dir);
  const started = Date.now();
  const { stdout } = await run(script, ['up', dir, '--conf', included, ...(nodes ? ['--nodes', String(nodes)] : []), ...args], {
    timeout: 300_000,
    env: { ...process.env, ...env(dir) },
  }).catch((error) => {
    running.delete(dir);
    fs.rmSync(dir, { recursive: true, force: true });
    throw new Error(error.stderr || error.message);
  });
  const instance = new Instance(dir, parseAssignments(stdout));
  if (process.env.OAS_VERBOSE) console.log(`${instance.issuer} after ${Date.now() - started} ms in ${dir}`);
  return instance;
}

// On a machine that has much else to do a connection may take long to come free; a file that is about that says how long.
const patience = 'OAuth2ASDatabaseWait 10s\n';

/** Starts a server for the test file that calls this at its top level, and stops it behind the last test. */
export async function startInstance({ conf = '', ...options } = {}) {
  const instance = await bringUp({ ...options, conf: patience + conf });
  afterEach(() => instance.checkLog());
  after(async () => {
    await instance.stop();
    await instance.checkLog();
    instance.checkMemory();
    instance.remove();
  });
  return instance;
}
