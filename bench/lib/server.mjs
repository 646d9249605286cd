// SPDX-License-Identifier: Apache-2.0
// The instance that is measured: configured as in production, with durable commits, with as many signed-in users as there
// can be connections; and in the same httpd, at a port of its own, the probe.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringUp, freePort, top } from '../../test/flow/lib/instance.mjs';
import { request } from '../../test/flow/lib/http.mjs';
import { Surfer } from '../../test/flow/lib/surfer.mjs';
import { basic, challengeOf, client, getCode, redeem, secretOf } from '../../test/flow/lib/oauth.mjs';

export const build = process.env.OAS_BUILD ?? path.join(top, 'build');
export const connectionsMax = 64;
export const apis = { RS256: 'https://rs256.example.test/', ES256: 'https://es256.example.test/', EdDSA: 'https://eddsa.example.test/' };
const password = 'the same for everybody here';
const makefile = fs.readFileSync(path.join(build, 'Makefile'), 'utf8');
const httpd = /^HTTPD = (.*)$/m.exec(makefile)[1];
export const httpdVersion = execFileSync(httpd, ['-v'], { encoding: 'utf8' }).split('\n')[0].replace('Server version: ', '');

// As many workers as the tuning of a small production server has; what the measured server logs goes to files.
const edits = (dir) => [
  [/^LogLevel .*$/m, 'LogLevel warn'],
  [/^KeepAliveTimeout .*$/m, 'KeepAliveTimeout 60\nMaxKeepAliveRequests 0'],
  [/StartServers 2\n[^<]*/, 'StartServers 2\n    ServerLimit 2\n    ThreadsPerChild 32\n    MaxRequestWorkers 64\n    MinSpareThreads 1\n    MaxSpareThreads 64\n'],
  [/^(\s*)OAuth2ASIssuer .*$/m, `$&\n$1OAuth2ASAuditLog ${dir}/audit.log`],
  [/^LoadModule oauth2as_module .*$/m, `$&\nLoadModule oas_probe_module ${build}/bench/probe/.libs/mod_oas_probe.so`],
];

function conf() {
  const resources = Object.entries(apis).map(
    ([alg, uri]) => `<OAuth2ASResource "${uri}">\nOAuth2ASScope read "Read"\nOAuth2ASTokenAlg ${alg}\nOAuth2ASIntrospectionClient inspector\n</OAuth2ASResource>\n`,
  );
  const allow = Object.values(apis).map((uri) => `${uri} read`);
  const clients = ['RS256', 'ES256', 'EdDSA'].map((alg) => client(`web-${alg}`, { type: 'web', allow, extra: [`OAuth2ASIDTokenAlg ${alg}`] }));
  return `${resources.join('')}${clients.join('')}${client('worker', { type: 'machine', uri: [], allow })}${client('inspector', { type: 'machine', uri: [], allow })}
    OAuth2ASLifetime access-token 1d
    OAuth2ASPasswordProvider file
    OAuth2ASClaim name "%{reqenv:OAUTH2AS_NAME} of the bench" scope=profile
    OAuth2ASClaim email "%{reqenv:OAUTH2AS_NAME}@example.test" scope=email
    OAuth2ASThrottle pair=1000000 account=1000000 address=1000000
    OAuth2ASDatabaseWait 5s
    <Location "/authorize">\nAuthUserFile \${OAS_DIR}/people\n</Location>\n`;
}

export class Bench {
  /** @param options `fsync: false` for a smoke test, `users` that are signed in, `postgres` further settings by name */
  static async start({ fsync = true, users = connectionsMax + 1, postgres = {} } = {}) {
    const hash = createHash('sha1').update(password).digest('base64');
    process.env.OAS_PG_FSYNC = fsync ? 'on' : 'off';
    const server = await bringUp({
      conf: conf(),
      args: ['--keys', Object.keys(apis).join(',')],
      nodes: 1,
      prepare: (dir) => fs.writeFileSync(`${dir}/people`, Array.from({ length: users }, (_, i) => `u${i}:{SHA}${hash}\n`).join('')),
    });
    const bench = new Bench(server, users);
    try {
      await bench.tune(postgres);
      await bench.signIn();
    } catch (error) {
      await bench.stop();
      throw error;
    }
    return bench;
  }

  constructor(server, users) {
    this.server = server;
    this.users = users;
    this.home = path.join(server.dir, 'httpd');
    this.conf = path.join(this.home, 'httpd.conf');
    this.port = Number(new URL(server.issuer).port);
    this.postgresHome = fs.readFileSync(path.join(server.dir, 'postgres.home'), 'utf8').trim();
  }

  async tune(settings) {
    this.probePort = await freePort();
    let text = fs.readFileSync(this.conf, 'utf8');
    for (const [from, to] of edits(this.server.dir)) {
      if (!from.test(text)) throw new Error(`the configuration of the instance has no ${from}`);
      text = text.replace(from, to);
    }
    this.plain = text.replace(/^LoadModule oas_probe_module .*\n/m, '');
    // The server's pool is that of the main server, which needs none. The probe's is as large: the module keeps the
    // connections of its pool between requests. They are made when they are first needed, so that the start is the server's own.
    const pool = /^ *DBDParams .*$/m.exec(text)[0];
    text = `${text.replace(pool, '')}DBDriver pgsql
${pool.trim()}
Listen 127.0.0.1:${this.probePort}
<VirtualHost *:${this.probePort}>
    ServerName localhost
    ${pool.trim().replace(/"$/, ' application_name=probe"')}
    DBDMin 0
    DocumentRoot ${this.home}/static
    IncludeOptional ${this.home}/probe/*.conf
</VirtualHost>
<Directory ${this.home}/static>
    Require all granted
</Directory>
`;
    for (const name of ['probe', 'static']) fs.mkdirSync(path.join(this.home, name), { recursive: true });
    fs.writeFileSync(this.conf, text);
    for (const [name, value] of Object.entries(settings)) await this.sql(`ALTER SYSTEM SET ${name} = '${value}'`);
    if (Object.keys(settings).length) await this.server.postgres('restart');
    await this.restart();
  }

  /** What `work` gives when it runs at an httpd that has neither the probe nor what goes with it. */
  async withoutProbe(work) {
    const whole = fs.readFileSync(this.conf, 'utf8');
    fs.writeFileSync(this.conf, this.plain);
    try {
      await this.restart();
      return await work();
    } finally {
      fs.writeFileSync(this.conf, whole);
      await this.restart();
    }
  }

  sql(query) {
    return this.server.sql(query, 'postgres');
  }

  /** Ends httpd and starts it; milliseconds until the first answer. */
  async restart({ wrapper } = {}) {
    await this.stopHttpd();
    const begun = process.hrtime.bigint();
    const args = ['-f', this.conf, ...(wrapper ? ['-X'] : ['-k', 'start'])];
    const out = fs.openSync(path.join(this.home, 'start.log'), 'w');
    const [program, ...before] = [...(wrapper ?? []), httpd];
    const env = { ...process.env, ...this.server.env, ...(process.env.OAS_PRELOAD && { LD_PRELOAD: process.env.OAS_PRELOAD }) };
    const child = spawn(program, [...before, ...args], { stdio: ['ignore', out, out], detached: Boolean(wrapper), env });
    fs.closeSync(out);
    const ended = new Promise((_, reject) => {
      child.on('error', reject); // valgrind may be missing
      child.on('exit', (code) => code !== 0 && reject(new Error(`httpd ends with ${code}: ${this.lastWords()}`)));
    });
    ended.catch(() => {}); // it may end long after it has answered
    await Promise.race([this.firstAnswer(wrapper ? 120_000 : 20_000), ended]);
    const took = Number(process.hrtime.bigint() - begun) / 1e6;
    this.server.pid = this.server.nodes[0].pid = Number(fs.readFileSync(path.join(this.home, 'run/httpd.pid'), 'utf8'));
    return took;
  }

  lastWords() {
    return `${fs.readFileSync(path.join(this.home, 'start.log'), 'utf8')}${this.server.log().slice(-2000)}`;
  }

  async firstAnswer(patience) {
    const deadline = Date.now() + patience;
    for (;;) {
      const answer = await request(this.server.url('.well-known/jwks.json')).catch(() => null);
      if (answer?.status === 200) return;
      if (Date.now() > deadline) throw new Error(`httpd does not answer: ${this.lastWords()}`);
      await sleep(1);
    }
  }

  async stopHttpd() {
    const file = path.join(this.home, 'run/httpd.pid');
    if (!fs.existsSync(file)) return;
    const pid = Number(fs.readFileSync(file, 'utf8'));
    process.kill(pid, 'SIGTERM');
    for (const deadline = Date.now() + 60_000; fs.existsSync(`/proc/${pid}`) && Date.now() < deadline; ) await sleep(20);
    fs.rmSync(file, { force: true });
  }

  async signIn() {
    this.surfers = Array.from({ length: this.users }, () => new Surfer(this.server));
    for (const [i, surfer] of this.surfers.entries()) {
      for (const alg of Object.keys(apis)) await getCode(this.server, this.wish(alg), { surfer, username: `u${i}`, password });
    }
  }

  wish(alg, overrides = {}) {
    return { client_id: `web-${alg}`, audience: apis[alg], scope: 'openid profile email read offline_access', ...overrides };
  }

  /** The cookie of a user's session, without what else the browser has. */
  cookie(i) {
    return this.surfers[i].cookiesFor(this.server.issuer).split('; ').find((pair) => /\.[\w-]{64}$/.test(pair));
  }

  /** The tokens of a new grant of a user. */
  async tokens(i, alg) {
    const got = await getCode(this.server, this.wish(alg), { surfer: this.surfers[i], username: `u${i}`, password });
    const answer = await redeem(this.server, got, { client_id: undefined }, { authorization: this.basic(`web-${alg}`) });
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.json;
  }

  basic(id) {
    return basic(id, secretOf(id));
  }

  challenge(verifier) {
    return challengeOf(verifier);
  }

  postmaster() {
    return Number(fs.readFileSync(path.join(this.postgresHome, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  }

  async stop() {
    await this.stopHttpd();
    await this.server.stop();
    this.server.remove();
  }
}
