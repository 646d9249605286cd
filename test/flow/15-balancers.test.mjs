// SPDX-License-Identifier: Apache-2.0
// Two nodes behind nginx, and behind mod_proxy_balancer, as docs/load-balancers.md has them.
import { drains, endsTls, inside, startNodes, survives } from './lib/balanced.mjs';

const server = await startNodes(inside('node', { '10.0.0.5': '127.0.0.1' }), ['--plain']);
const files = `${server.dir}/httpd`;
const port = new URL(server.issuer).port;
const [one, two] = server.nodes.map((node) => new URL(node.url()).port);
const certificates = (folder) => ({
  [`${folder}/login.example.com.pem`]: `${files}/server.pem`,
  [`${folder}/login.example.com.key`]: `${files}/server.key`,
  [`${folder}/clients.pem`]: `${server.dir}/clients.pem`,
  'login.example.com': 'localhost',
});

endsTls(server, 'nginx', { ...certificates('/etc/nginx'), '443 ssl': `127.0.0.1:${port} ssl`, 'fail_timeout=5s': 'fail_timeout=1s' }, [survives]);
const httpd = {
  ...certificates('/etc/apache2'),
  'node1.internal:8080': `localhost:${one}`,
  'node2.internal:8080': `localhost:${two}`,
  '<VirtualHost *:443>': `Listen 127.0.0.1:${port}\n<VirtualHost *:${port}>`,
  'hcinterval=2': 'hcinterval=200ms',
};
endsTls(server, 'httpd', httpd, [drains, survives]);
