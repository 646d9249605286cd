// SPDX-License-Identifier: Apache-2.0
// Two nodes behind nginx, as docs/load-balancers.md has it.
import { endsTls, restartsGracefully, startPlainNodes, survives } from './lib/balanced.mjs';

const server = await startPlainNodes();
const places = { '443 ssl': `127.0.0.1:${server.port} ssl`, 'fail_timeout=5s': 'fail_timeout=1s', ...server.files('/etc/nginx', 'server.pem') };
endsTls(server, 'nginx', places, [restartsGracefully, survives]);
