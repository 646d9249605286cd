// SPDX-License-Identifier: Apache-2.0
// A real balancer of a kind before the nodes of an instance, at the port of its issuer.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from './http.mjs';

process.env.PATH += ':/usr/sbin';
const modules = '/usr/lib/apache2/modules';
const builtIn = () => execFileSync('apache2', ['-l'], { encoding: 'utf8' });
const httpdModules = ['mpm_event', 'authz_core', 'headers', 'ssl', 'socache_shmcb', 'proxy', 'proxy_http', 'proxy_balancer', 'proxy_hcheck', 'lbmethod_byrequests', 'slotmem_shm', 'watchdog'];

/** What a recipe leaves to the installed configuration of its program, and how the program is run in the foreground. */
const kinds = {
  haproxy: (dir, conf) => ({ conf: `global\n    maxconn 2000\n${conf}`, command: ['haproxy', '-db', '-f'] }),
  nginx: (dir, conf) => ({
    conf: `user www-data;\npid ${dir}/nginx.pid;\nerror_log ${dir}/balancer.log;\nevents { worker_connections 1000; }\nhttp {\naccess_log off;\n${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join('\n')}\n${conf}\n}\n`,
    command: ['nginx', '-p', dir, '-e', `${dir}/balancer.log`, '-g', 'daemon off;', '-c'],
  }),
  httpd: (dir, conf) => ({
    conf: `${httpdModules.filter((name) => !builtIn().includes(`mod_${name}.c`)).map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so\n`).join('')}ServerRoot ${dir}\nDefaultRuntimeDir ${dir}\nPidFile ${dir}/balancer.pid\nMutex file:${dir} default\nErrorLog ${dir}/balancer.log\nUser www-data\nGroup www-data\nGracefulShutdownTimeout 1\n${conf}`,
    command: ['apache2', '-DFOREGROUND', '-f'],
  }),
};

/**
 * Starts one; returns when it has found a node.
 * @param kind haproxy, nginx or httpd
 * @param conf its configuration
 * @returns `stop` ends it
 */
export async function startBalancer(server, kind, conf) {
  const dir = path.join(server.dir, `balancer-${kind}-${Date.now()}`);
  fs.mkdirSync(dir);
  const { conf: whole, command } = kinds[kind](dir, conf);
  const file = path.join(dir, 'balancer.conf');
  fs.writeFileSync(file, whole);
  const [program, ...args] = command;
  let said = '';
  const child = spawn(program, [...args, file], { stdio: ['ignore', 'pipe', 'pipe']});
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const gone = once(child, 'exit');
  child.on('error', (error) => (said += error));
  const deadline = Date.now() + 60_000;
  while (!(await request(server.url('.well-known/jwks.json'), { ca: server.ca }).then(({ status }) => status === 200, () => false))) {
    const log = path.join(dir, 'balancer.log');
    assert.ok(Date.now() < deadline && child.exitCode === null, `${kind} does not serve: ${said}${fs.existsSync(log) ? fs.readFileSync(log) : ''}`);
    await sleep(100);
  }
  return {
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
