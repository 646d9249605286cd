// SPDX-License-Identifier: Apache-2.0
// Slow neighbours keep nobody from the database: readers that do not read, and a directory that does not answer.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { Surfer } from './lib/surfer.mjs';
import { authorization, authorizeUrl, client, token } from './lib/oauth.mjs';

/** A directory that takes connections and stays silent. */
const silent = net.createServer().listen(0, '127.0.0.1');
await once(silent, 'listening');
const held = new Set();
silent.on('connection', (socket) => held.add(socket.on('error', () => {})));

const server = await startInstance({
  args: ['--module', 'ldap', '--module', 'authnz_ldap'],
  conf:
    client('spa') +
    'OAuth2ASPasswordProvider ldap oauth2as\nOAuth2ASThrottle address=1000\n' +
    `<Location "/authorize">\nAuthLDAPURL "ldap://127.0.0.1:${silent.address().port}/ou=people,dc=example?uid"\n</Location>\n`,
});
after(() => {
  for (const socket of held) socket.destroy();
  silent.close();
});

const unknownCode = { grant_type: 'authorization_code', client_id: 'spa', code: 'A'.repeat(64), code_verifier: 'a'.repeat(43) };

async function assertTokensFlow() {
  const answers = await Promise.all(Array.from({ length: 8 }, () => token(server, unknownCode)));
  assert.deepEqual(answers.map(({ json }) => json.error), Array(8).fill('invalid_grant'));
}

test('a directory that hangs holds no connection', async () => {
  server.announce(/OAS00751/, { maybe: true });
  server.announce(/authnz_ldap|AH0\d+/, { maybe: true });
  const logins = Array.from({ length: 24 }, async (_, i) => {
    const surfer = new Surfer(server);
    const page = await surfer.go(authorizeUrl(server, authorization().params));
    return surfer.submit(page, { username: `user${i}`, password: 'x' });
  });
  await until('many logins wait for the directory', () => held.size > 8);
  await assertTokensFlow();
  for (const socket of held) socket.destroy();
  silent.on('connection', (socket) => socket.destroy());
  await Promise.allSettled(logins);
});

test('readers that do not read hold no connection', async () => {
  const { params } = authorization();
  const surfer = new Surfer(server);
  const page = await surfer.go(authorizeUrl(server, params));
  assert.ok(page.form);
  const [name] = [...surfer.jar.get(new URL(server.issuer).origin)][0];
  const url = new URL(authorizeUrl(server, params));
  const line = `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nCookie: ${name}=${'A'.repeat(22)}.${'B'.repeat(64)}\r\n\r\n`;
  const readers = Array.from({ length: 40 }, () => {
    const socket = net.connect({ port: Number(url.port), host: '127.0.0.1', highWaterMark: 1 });
    socket.on('error', () => {});
    socket.pause();
    socket.write(line.repeat(400));
    return socket;
  });
  await sleep(1500);
  await assertTokensFlow();
  for (const socket of readers) socket.destroy();
});
