// SPDX-License-Identifier: Apache-2.0
// Two nodes behind HAProxy that ends TLS, as docs/load-balancers.md has it.
import { drains, endsTls, restartsGracefully, startPlainNodes, survives } from './lib/balanced.mjs';

const server = await startPlainNodes();
const places = { ':443': `127.0.0.1:${server.port}`, 'inter 2s': 'inter 200ms', ...server.files('/etc/haproxy', 'both.pem') };
endsTls(server, 'haproxy', places, [drains, restartsGracefully, survives]);
