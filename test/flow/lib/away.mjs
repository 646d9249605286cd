// SPDX-License-Identifier: Apache-2.0
// What each process of each node knows of the database, by metrics, which need none.
import fs from 'node:fs';
import path from 'node:path';
import { request } from './http.mjs';
import { until } from './instance.mjs';

const where = 'oauth2as/metrics';
export const metricsConf = `OAuth2ASEndpoint metrics /${where}\n<Location "/${where}">\nRequire all granted\n</Location>\n`;

async function pools(server, node) {
  const { text } = await request(node.url(where), { ca: server.ca });
  const value = (name) => Number(text.match(new RegExp(`^oauth2as_${name} (\\d+)$`, 'm'))[1]);
  return { up: value('database_up') === 1, away: value('pools_away'), children: value('children') };
}

/** Asks each node, past any balancer, until all its processes, or so many of them, have found the database away. */
export async function findAway(server, least = 2) {
  const ask = (node) => request(node.url('authorize', { client_id: 'nobody' }), { ca: server.ca }).catch(() => {});
  for (const node of server.nodes) {
    await until('all processes have found the database away', async () => {
      await Promise.all(Array.from({ length: 40 }, () => ask(node)));
      const { away, children } = await pools(server, node);
      return away >= Math.min(children, least);
    });
  }
}

/** Returns when all processes of all nodes have found it back. Asks none that would have to ask the database for it. */
export async function untilFoundBack(server) {
  const since = Date.now();
  for (const node of server.nodes) {
    await until('all processes have found the database back', async () => {
      const { up, away } = await pools(server, node);
      return up && away === 0;
    });
  }
  console.log(`found back after ${Date.now() - since} ms`);
}
