// SPDX-License-Identifier: Apache-2.0
// Where httpd and the module meet: httpd's own errors on our paths, other modules beside ours, authn providers
// in both directions, and what becomes of the configured clients.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { startInstance, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { client, decode, getCode, redeem } from './lib/oauth.mjs';

const html = '<html>this is the error page of somebody else</html>';
const server = await startInstance({
  args: ['--module', 'allowmethods', '--module', 'reqtimeout', '--module', 'proxy', '--module', 'authz_host'],
  prepare(dir) {
    fs.mkdirSync(path.join(dir, 'docs'));
    fs.writeFileSync(path.join(dir, 'docs/error.html'), html);
    fs.writeFileSync(path.join(dir, 'docs/who'), 'let in');
    const hash = `{SHA}${createHash('sha1').update('another password').digest('base64')}`;
    fs.writeFileSync(path.join(dir, 'users'), `Dora:${hash}\nalice:${hash}\n`);
  },
  conf: `
    DocumentRoot \${OAS_DIR}/docs
    ${[400, 403, 405, 408, 413, 503].map((status) => `ErrorDocument ${status} /error.html`).join('\n    ')}
    RequestReadTimeout body=3
    LimitRequestBody 100000
    # none of these may take an endpoint away
    RewriteEngine on
    RewriteRule ^/oauth/token$ /error.html [L]
    Alias /oauth \${OAS_DIR}/docs
    <Location "/oauth/token">
        AllowMethods POST OPTIONS GET PUT
        SetHandler none
    </Location>
    SetEnvIf X-Refuse yes refused
    <Location "/userinfo">
        <RequireAll>
            Require all granted
            Require not env refused
        </RequireAll>
    </Location>
    <Location "/authorize">
        AuthUserFile \${OAS_DIR}/users
    </Location>
    OAuth2ASPasswordProvider oauth2as file
    OAuth2ASClaim mail "%{reqenv:AUTHENTICATE_EMAIL}" in=id_token
    OAuth2ASClaim verified "%{reqenv:AUTHENTICATE_EMAIL_VERIFIED}" in=id_token type=boolean
    <Location "/closed">
        Require all denied
    </Location>
    <Location "/who">
        AuthType Basic
        AuthName who
        AuthBasicProvider oauth2as file
        AuthUserFile \${OAS_DIR}/users
        Require valid-user
        Header always set X-Who "expr=%{REMOTE_USER} %{reqenv:AUTHENTICATE_EMAIL} %{reqenv:AUTHENTICATE_EMAIL_VERIFIED}"
    </Location>
    ${client('spa')}`,
});
const token = server.url('oauth/token');

function isOurs(answer, status) {
  assert.equal(answer.status, status);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.match(answer.json.error, /^[a-z_]+$/);
  assert.equal(typeof answer.json.error_description, 'string');
  assert.equal(Number(answer.headers['content-length']), answer.body.length);
}

/** Sends bytes as they are and reads until the server closes. */
function raw(text) {
  const { hostname, port } = new URL(server.nodes[0].url());
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    let got = '';
    socket.on('data', (part) => (got += part));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head, body] = got.split('\r\n\r\n');
      resolve({ status: Number(head.split(' ')[1]), type: /^content-type: (.*)$/im.exec(head)?.[1], body });
    });
    socket.write(text.replace('HOST', `${hostname}:${port}`));
  });
}

test('no other module takes an endpoint away', async () => {
  isOurs(await request(token, { form: { grant_type: 'authorization_code' } }), 401);
});

test("httpd's own refusals on API paths are JSON, whatever ErrorDocument says", async () => {
  server.announce(/AH01623/);
  isOurs(await request(token, { method: 'DELETE' }), 405);
  server.announce(/AH01630/);
  isOurs(await request(server.url('userinfo'), { headers: { 'x-refuse': 'yes' } }), 403);
  const head = await request(server.url('userinfo'), { method: 'HEAD', headers: { 'x-refuse': 'yes' } });
  assert.equal(head.status, 403);
  assert.equal(head.headers['content-type'], 'application/json');
  assert.equal(head.body.length, 0);
});

test('other paths keep their error documents', async () => {
  server.announce(/AH01630/);
  const answer = await request(server.url('closed'));
  assert.equal(answer.status, 403);
  assert.equal(answer.text, html);
});

test('a body that comes too slowly', async () => {
  server.announce(/AH01382/, { maybe: true });
  const answer = await raw('POST /oauth/token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 100\r\nConnection: close\r\n\r\na=b');
  assert.equal(answer.status, 408);
  assert.equal(answer.type, 'application/json');
  assert.equal(JSON.parse(answer.body).error, 'invalid_request');
});

test('a body whose chunks are malformed', async () => {
  server.announce(/AH01590/, { maybe: true });
  const answer = await raw('POST /oauth/token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n\r\n');
  assert.equal(answer.status, 400);
  assert.equal(answer.type, 'application/json');
  assert.equal(JSON.parse(answer.body).error, 'invalid_request');
});

test('a body that is too long: announced, chunked, beyond LimitRequestBody, and announced with Expect', async () => {
  for (const length of [65_537, 90_000]) isOurs(await request(token, { body: 'a'.repeat(length) }), 413);
  server.announce(/AH01587/, { maybe: true });
  isOurs(await request(token, { body: 'a'.repeat(100_001) }), 413);
  const chunk = `${(20_000).toString(16)}\r\n${'a'.repeat(20_000)}\r\n`;
  const chunked = await raw(`POST /oauth/token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk.repeat(4)}0\r\n\r\n`);
  assert.equal(chunked.status, 413);
  assert.equal(chunked.type, 'application/json');
  const expected = await raw('POST /oauth/token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n');
  assert.equal(expected.status, 413);
  assert.equal(expected.type, 'application/json');
});

test('a body of exactly 64 KiB is read', async () => {
  isOurs(await request(token, { body: `grant_type=x&pad=${'a'.repeat(65_536 - 17)}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 401);
});

test('a body that nobody asked for does not disturb the next request on the connection', async () => {
  const get = 'GET /.well-known/jwks.json HTTP/1.1\r\nHost: HOST\r\n';
  const { hostname, port } = new URL(server.nodes[0].url());
  const first = `${get}Content-Length: 5\r\n\r\nabcde`.replace('HOST', `${hostname}:${port}`);
  const answer = await raw(`${first}${get}Connection: close\r\n\r\n`);
  assert.equal(answer.status, 200);
});

test('AuthBasicProvider can use the built-in users', async () => {
  const ask = (user, password) =>
    request(server.url('who'), { headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` } });
  const alice = await ask('ALICE', 'correct horse');
  assert.equal(alice.status, 200);
  assert.equal(alice.headers['x-who'], 'alice alice@example.test true');
  server.announce(/AH01617/);
  assert.equal((await ask('alice', 'wrong')).status, 401);
  server.announce(/AH01618/);
  assert.equal((await ask('nobody', 'wrong')).status, 401);
});

test('the next provider is asked only when the first does not know the user', async () => {
  const dora = decode((await redeem(server, await getCode(server, {}, { username: 'Dora', password: 'another password' }))).json.id_token).claims;
  assert.equal(dora.sub, 'file|Dora');
  assert.equal(dora.mail, undefined);
  // alice is in both, with another password in the second
  await assert.rejects(getCode(server, {}, { username: 'alice', password: 'another password' }));
});

test('a canonical name is the same subject however it is typed, and attributes become claims', async () => {
  const subjects = [];
  for (const username of ['alice', 'Alice', 'ALICE']) {
    const { claims } = decode((await redeem(server, await getCode(server, {}, { username, password: 'correct horse' }))).json.id_token);
    subjects.push(claims.sub);
    assert.equal(claims.mail, 'alice@example.test');
    assert.equal(claims.verified, true);
  }
  assert.deepEqual(subjects, Array(3).fill('oauth2as|alice'));
});

test('configured clients appear in the database without being waited for', async () => {
  await until('they are in the clients table', async () => (await server.count('oas_clients', "client_id = 'spa' AND source = 'configuration'")) > 0);
});
