// SPDX-License-Identifier: Apache-2.0
// Bad input at every endpoint: a clear error in the endpoint's own form, nothing written, and the next request
// is answered as if nothing had been.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { textOf } from './lib/surfer.mjs';
import { authorization, basic, client, getCode, redeem, secretOf } from './lib/oauth.mjs';

const server = await startInstance({
  conf: client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }) + client('web', { type: 'web' }),
});
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const valid = () => new URLSearchParams(authorization().params).toString();
const endpoints = {
  authorize: { url: server.url('authorize'), kind: 'page', good: valid },
  'oauth/token': { url: server.url('oauth/token'), kind: 'json', good: () => 'grant_type=authorization_code&client_id=spa&code=x' },
  'oauth/token with a refresh token': { url: server.url('oauth/token'), kind: 'json', good: () => `grant_type=refresh_token&client_id=spa&refresh_token=${'A'.repeat(64)}` },
  'oauth/revoke': { url: server.url('oauth/revoke'), kind: 'json', good: () => 'client_id=spa&token=x' },
  'oauth/introspect': { url: server.url('oauth/introspect'), kind: 'json', good: () => 'client_id=spa&token=x' },
  userinfo: { url: server.url('userinfo'), kind: 'bearer', good: () => 'access_token=x' },
};

function assertClear(answer, kind, statuses) {
  assert.ok([statuses].flat().includes(answer.status), `${answer.status} ${answer.text.slice(0, 300)}`);
  assert.equal(answer.location, null);
  if (kind === 'page') {
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.match(textOf(answer.text), /invalid_request/);
    assert.match(textOf(answer.text), /Reference/);
  } else {
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.match(answer.json.error, /^[a-z_]+$/);
    assert.match(answer.json.error_description, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  }
}

const malformed = {
  'a percent sign at the end': 'x=%',
  'half an escape': 'x=%4',
  'an escape that is none': 'x=%zz',
  'a malformed name': '%zz=x',
  'a NUL by escape': 'x=a%00b',
  'a NUL in a name': 'x%00=a',
  'UTF-8 cut off': 'x=%E2%82',
  'an overlong slash': 'x=%C0%AF',
  'half a surrogate pair': 'x=%ED%A0%80',
  'beyond Unicode': 'x=%F4%90%80%80',
  'Latin-1': 'x=%E9',
};
for (const [name, { url, kind, good }] of Object.entries(endpoints)) {
  for (const [what, text] of Object.entries(malformed)) {
    test(`${name}: ${what}`, async () => {
      assertClear(await request(url, { headers: form, body: `${good()}&${text}` }), kind, 400);
      if (kind === 'page') assertClear(await request(`${url}?${good()}&${text}`), kind, 400);
    });
  }

  test(`${name}: raw bytes that are no UTF-8, and a raw NUL`, async () => {
    for (const bytes of [[0xff, 0xfe], [0x00], [0xc3]]) {
      const body = Buffer.concat([Buffer.from(`${good()}&x=`), Buffer.from(bytes)]);
      assertClear(await request(url, { method: 'POST', headers: form, body }), kind, 400);
    }
  });

  test(`${name}: a parameter of 100 kB`, async () => {
    assertClear(await request(url, { headers: form, body: `${good()}&state=${'x'.repeat(100_000)}` }), kind, 413);
    const query = await request(`${url}?state=${'x'.repeat(100_000)}`);
    assert.ok([400, 414, 431].includes(query.status) || (name.startsWith('oauth/') && query.status === 405), String(query.status));
  });

  test(`${name}: a body of a megabyte`, async () => {
    const answer = await request(url, { headers: form, body: 'x='.padEnd(1_000_000, 'x') }).catch((error) => error);
    if (answer instanceof Error) assert.match(answer.code ?? '', /EPIPE|ECONNRESET/);
    else assertClear(answer, kind, 413);
  });

  test(`${name}: 1,000 parameters`, async () => {
    const body = `${good()}&${Array.from({ length: 1000 }, (_, i) => `p${i}=${i}`).join('&')}`;
    assertClear(await request(url, { headers: form, body }), kind, 400);
  });

  test(`${name}: a repeated parameter`, async () => {
    assertClear(await request(url, { headers: form, body: `${good()}&client_id=spa&client_id=spa` }), kind, 400);
  });

  for (const type of ['application/json', 'multipart/form-data; boundary=x', 'text/plain', 'application/x-www-form-urlencodedx', '']) {
    test(`${name}: content type ${type || 'empty'}`, async () => {
      const answer = await request(url, { headers: { 'content-type': type }, body: '{"grant_type":"authorization_code"' });
      assertClear(answer, kind, [400, 415]);
    });
  }

  test(`${name}: a content type with parameters is fine`, async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
    const answer = await request(url, { headers, body: good() });
    assert.notEqual(answer.status, 415);
  });

  test(`${name}: other methods`, async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'PROPFIND', 'BREW']) {
      const answer = await request(url, { method });
      assertClear(answer, kind, [405, 501]);
    }
  });

  test(`${name}: TRACE shows nobody their own headers`, async () => {
    const answer = await request(url, { method: 'TRACE', headers: { 'x-mark': 'mark' } });
    assert.ok([200, 405, 501].includes(answer.status));
  });

  test(`${name}: a path behind it is not it`, async () => {
    const answer = await request(`${url}/more`);
    assert.equal(answer.status, 404);
  });
}

test('bad JSON where a form belongs, and an empty body', async () => {
  const url = server.url('oauth/token');
  assertClear(await request(url, { headers: { 'content-type': 'application/json' }, body: '{"a":' }), 'json', 415);
  assertClear(await request(url, { method: 'POST', body: '' }), 'json', [400, 401]);
});

test('a body that is announced and never comes does not hold a worker for ever', async () => {
  const { port } = new URL(server.issuer);
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`POST /oauth/token HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ngrant_type=`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const other = await request(server.url('.well-known/jwks.json'));
  assert.equal(other.status, 200);
  socket.destroy();
});

test('a chunked body is read, and limited, like any other', async () => {
  const { port } = new URL(server.issuer);
  const send = (chunks) =>
    new Promise((resolve, reject) => {
      const socket = net.connect(Number(port), '127.0.0.1');
      let text = '';
      socket.on('data', (part) => (text += part));
      socket.on('close', () => resolve(text));
      socket.on('error', (error) => (text ? resolve(text) : reject(error)));
      socket.write(`POST /oauth/token HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n`);
      for (const chunk of chunks) socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
      socket.write('0\r\n\r\n');
    });
  assert.match(await send(['grant_type=authorization_code', '&client_id=spa', '&code=x']), /^HTTP\/1\.1 400 [\s\S]*invalid_grant/);
  assert.match(await send(Array(10).fill('x'.repeat(10_000))), /^HTTP\/1\.1 413 [\s\S]*invalid_request/);
});

test('headers that are too large or too many', async () => {
  for (const headers of [{ 'x-large': 'x'.repeat(20_000) }, { cookie: 'x'.repeat(9_000) }]) {
    const answer = await request(server.url('oauth/token'), { method: 'POST', headers });
    assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
  }
});

test('odd cookies are ignored', async () => {
  const name = (await request(`${server.url('authorize')}?${valid()}`)).cookies[0].split('=')[0];
  const values = ['', 'x', '.', 'A'.repeat(22), `${'A'.repeat(22)}.`, `${'A'.repeat(22)}.${'A'.repeat(64)}`, `${'A'.repeat(22)}.${'!'.repeat(64)}`, 'A'.repeat(4000), '%00', '"quoted"'];
  for (const value of values) {
    const answer = await request(`${server.url('authorize')}?${valid()}`, { headers: { cookie: `${name}=${value}` } });
    assert.equal(answer.status, 200, value);
    assert.match(answer.text, /name="password"/);
  }
});

test('line breaks in input make no header and no log line of their own', async () => {
  server.announce(/nothing of the kind/, { maybe: true });
  const mark = 'x%0d%0aSet-Cookie:%20planted=1%0d%0a';
  const url = `${server.url('authorize')}?${valid().replace(/state=[^&]*/, `state=${mark}`)}&prompt=none`;
  const answer = await request(url);
  assert.ok(!answer.cookies.some((cookie) => cookie.startsWith('planted')));
  assert.equal(answer.headers['set-cookie']?.includes('planted=1') ?? false, false);
  await request(`${server.url('authorize')}?client_id=a%0aOAS99999:%20forged&response_type=code`);
  assert.doesNotMatch(server.log(), /^OAS99999/m);
});

test('after all this a code is still made and redeemed', async () => {
  assert.equal((await redeem(server, await getCode(server))).status, 200);
  const got = await getCode(server, { client_id: 'web' });
  assert.equal((await redeem(server, got, { client_id: undefined }, { authorization: basic('web', secretOf('web')) })).status, 200);
});
