// SPDX-License-Identifier: Apache-2.0
// Two nodes behind HAProxy that ends TLS, as docs/load-balancers.md has it.
import fs from 'node:fs';
import { drains, endsTls, inside, restartsGracefully, startNodes, survives } from './lib/balanced.mjs';

const server = await startNodes(inside('node', { '10.0.0.5': '127.0.0.1' }), ['--plain']);
const files = `${server.dir}/httpd`;
fs.writeFileSync(`${files}/both.pem`, ['pem', 'key'].map((part) => fs.readFileSync(`${files}/server.${part}`, 'utf8')).join(''));
const places = {
  ':443': `127.0.0.1:${new URL(server.issuer).port}`,
  '/etc/haproxy/login.example.com.pem': `${files}/both.pem`,
  '/etc/haproxy/clients.pem': `${server.dir}/clients.pem`,
  'inter 2s': 'inter 200ms',
  'login.example.com': 'localhost',
};
endsTls(server, 'haproxy', places, [drains, restartsGracefully, survives]);
