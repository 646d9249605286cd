// SPDX-License-Identifier: Apache-2.0
// Two nodes behind HAProxy that passes TLS on and tells the address by the PROXY protocol, as docs/load-balancers.md has it.
import { behind, drains, inside, knowsTheCertificate, knowsTheUser, page, restartsBeneathConnections, signsIn, startNodes, survives, tellsTheTruth } from './lib/balanced.mjs';
import { recipe } from './lib/recipe.mjs';

const server = await startNodes(inside('node-tcp', { '/etc/apache2/oauth2as/clients.pem': '${OAS_DIR}/clients.pem' }));
const [one, two] = server.nodes.map((node) => new URL(node.url()).port);
const places = {
  'bind :443': `bind 127.0.0.1:${new URL(server.issuer).port}`,
  '10.0.0.11:443': `127.0.0.1:${one}`,
  '10.0.0.12:443': `127.0.0.1:${two}`,
  '/etc/haproxy/ca.pem': `${server.dir}/httpd/ca.pem`,
  'inter 2s': 'inter 200ms',
  'login.example.com': 'localhost',
};
behind(server, 'haproxy', recipe('haproxy-tcp', places, page), [signsIn, knowsTheUser, knowsTheCertificate, drains, restartsBeneathConnections, survives, tellsTheTruth]);
