// SPDX-License-Identifier: Apache-2.0
// Two nodes behind HAProxy that passes TLS on and tells the address by the PROXY protocol, as docs/load-balancers.md has it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { request } from './lib/http.mjs';
import { behind, drains, inside, keepsStrangersOut, knowsTheCertificate, knowsTheUser, page, restartsBeneathConnections, signsIn, startNodes, survives, tellsTheTruth } from './lib/balanced.mjs';
import { recipe } from './lib/recipe.mjs';

const scraper = '127.0.0.10';
const server = await startNodes(inside('node-tcp', { '/etc/apache2/oauth2as/clients.pem': '${OAS_DIR}/clients.pem', '10.0.0.5': '127.0.0.1', 'Exceptions 127.0.0.1 ::1 10.0.0.9': `Exceptions ${scraper}`, '10.0.0.9': scraper }));
const [one, two] = server.nodes.map((node) => new URL(node.url()).port);
const places = {
  'bind :443': `bind 127.0.0.1:${new URL(server.issuer).port}`,
  '10.0.0.11:443': `127.0.0.1:${one}`,
  '10.0.0.12:443': `127.0.0.1:${two}`,
  '/etc/haproxy/ca.pem': `${server.dir}/httpd/ca.pem`,
  'inter 2s': 'inter 200ms',
  'login.example.com': 'localhost',
};
behind(server, 'haproxy', recipe('haproxy-tcp', places, page), [signsIn, knowsTheUser, knowsTheCertificate, drains, keepsStrangersOut, restartsBeneathConnections, survives, tellsTheTruth]);

test('who is excepted asks a node itself, without the PROXY protocol, and nobody else does', async () => {
  for (const node of server.nodes) {
    const ask = (localAddress) => request(node.url('oauth2as/metrics'), { ca: server.ca, localAddress });
    assert.match((await ask(scraper)).text, /^oauth2as_build_info/m);
    await assert.rejects(ask('127.0.0.11'));
  }
});
