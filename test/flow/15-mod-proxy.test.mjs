// SPDX-License-Identifier: Apache-2.0
// Two nodes behind an httpd with mod_proxy_balancer, as docs/load-balancers.md has it.
import { drains, endsTls, restartsGracefully, startPlainNodes, survives } from './lib/balanced.mjs';

const server = await startPlainNodes();
const [one, two] = server.nodes.map((node) => new URL(node.url()).port);
const places = {
  'node1.internal:8080': `localhost:${one}`,
  'node2.internal:8080': `localhost:${two}`,
  '<VirtualHost *:443>': `Listen 127.0.0.1:${server.port}\n<VirtualHost *:${server.port}>`,
  'hcinterval=2': 'hcinterval=200ms',
  ...server.files('/etc/apache2', 'server.pem'),
};
endsTls(server, 'httpd', places, [drains, restartsGracefully, survives]);
