// SPDX-License-Identifier: Apache-2.0
// Keys behind a client's jwks_uri: fetched when they are needed and not more often, from a server that hangs, wanders
// off, sends too much or nothing of use; never from an address that is not allowed, never with a connection in hand.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { assertError, client, decode, getCode, redeem, token } from './lib/oauth.mjs';
import { assertionForm, makeKey } from './lib/assertion.mjs';
import { KeyServer } from './lib/keyserver.mjs';

const api = 'https://api.example.test/';
// each remembers for itself: MaxRequestWorkers or ServerLimit of test/instance
const processes = process.env.OAS_MPM === 'prefork' ? 64 : 4;
const key = makeKey('ES256', 'first');
const next = makeKey('ES256', 'next');
const keyServer = await KeyServer.start();
const sent = (status, body, headers = {}) => (request, response) => response.writeHead(status, headers).end(body);
const keySet = (...list) => JSON.stringify({ keys: list.map(({ jwk }) => jwk) });

/** A client whose keys are at `url`; only the name of its path by default. */
const fetched = (id, url = keyServer.url(`/${id}`)) =>
  client(id, {
    type: 'web',
    extra: ['OAuth2ASGrantTypes authorization_code client_credentials', 'OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASClientAuth private_key_jwt', `OAuth2ASClientKeys ${url}`],
  }).replace(/OAuth2ASClientSecret .*\n/, '');

// What each of these answers makes the key set impossible to have; and what the log says.
const useless = {
  hang: [() => {}, /no answer in time/],
  drip: [(request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 100);
    response.on('close', () => clearInterval(timer));
  }, /no answer in time/],
  redirect: [sent(302, '', { location: keyServer.url('/plain') }), /status 302/],
  permanent: [sent(308, '', { location: keyServer.url('/plain') }), /status 308/],
  large: [(request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const part = Buffer.alloc(65536, ' ');
    let left = 160;
    const more = () => {
      while (left-- > 0 && response.write(part)) {}
      if (left <= 0) response.end(keySet(key));
    };
    response.on('drain', more);
    more();
  }, /larger than 64 kB/],
  announced: [(request, response) => response.writeHead(200, { 'content-length': 10_000_000 }).end(), /larger than 64 kB/],
  garbage: [sent(200, '\0\xff<html>'), /no JSON object/],
  empty: [sent(200, ''), /no JSON object/],
  list: [sent(200, '[]'), /no JSON object/],
  nested: [sent(200, '{"keys":' + '['.repeat(20_000)), /no JSON object/],
  nokeys: [sent(200, '{"keys":[]}'), /no key for/],
  private: [sent(200, JSON.stringify({ keys: [key.privateKey.export({ format: 'jwk' })] })), /private or symmetric key/],
  error: [sent(500, keySet(key)), /status 500/],
  missing: [sent(404, keySet(key)), /status 404/],
  broken: [(request, response) => response.destroy(), /./],
};
for (const [name, [handler]] of Object.entries(useless)) keyServer.answer(`/${name}`, handler);

// A server of https whose certificate nobody here trusts.
const untrusted = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'oas-untrusted-'));
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
  '-addext', 'subjectAltName=DNS:localhost', '-keyout', path.join(untrusted, 'key.pem'), '-out', path.join(untrusted, 'cert.pem')], { stdio: 'ignore' });
const secure = await KeyServer.start((handler) =>
  https.createServer({ key: fs.readFileSync(path.join(untrusted, 'key.pem')), cert: fs.readFileSync(path.join(untrusted, 'cert.pem')) }, handler));
fs.rmSync(untrusted, { recursive: true });
secure.publish('/tls', key.jwk);

const conf =
  [...Object.keys(useless), 'plain', 'rotating', 'stolen', 'flaky', 'quiet'].map((id) => fetched(id)).join('') +
  fetched('by-name', keyServer.url('/by-name', 'localhost')) +
  fetched('tls', secure.url('/tls', 'localhost', 'https')) +
  fetched('nowhere', 'https://no-such-host.invalid/keys');
const server = await startInstance({ conf: `OAuth2ASOutboundAllow 127.0.0.1 localhost\nDBDMin 1\nDBDKeep 1\nDBDMax 1\n${conf}` });
const closed = await startInstance({ conf: fetched('plain', 'https://keys.example.test/') });

const ask = (id, signer = key, instance = server, form = {}) =>
  token(instance, { grant_type: 'client_credentials', resource: api, ...assertionForm(instance, id, signer), ...form });

function assertUnavailable(answer) {
  assert.equal(answer.status, 503, answer.text);
  assert.equal(answer.json.error, 'temporarily_unavailable');
  assert.ok(Number(answer.headers['retry-after']) > 0);
}
/** A client of the database, like a configured one but for its keys: configtest does not see it. */
async function register(instance, id, url, like = 'plain') {
  const row = `SELECT '${id}', 'database', 'x', metadata || jsonb_build_object('client_id', '${id}', 'jwks_uri', '${url}') FROM oas_clients WHERE client_id = '${like}'`;
  await until('configured clients reach the database', async () => {
    await instance.sql(`INSERT INTO oas_clients (client_id, source, config_hash, metadata) ${row} ON CONFLICT DO NOTHING`);
    return (await instance.count('oas_clients', `client_id = '${id}'`)) > 0;
  });
}
const several = (times, work) => Promise.all(Array.from({ length: times }, (_, i) => work(i)));

test('keys are fetched once and remembered, without anything that could tell more than was meant', async () => {
  keyServer.publish('/plain', key.jwk);
  const answers = await several(24, () => ask('plain'));
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
  assert.ok(keyServer.count('/plain') <= processes, `${keyServer.count('/plain')} fetches`);
  for (const name of ['cookie', 'authorization', 'referer', 'proxy-connection']) assert.equal(keyServer.headers[name], undefined);
  assert.equal(keyServer.headers['user-agent'], 'mod_oauth2as');
});

test('a host that is allowed by its name; and at the code', async () => {
  keyServer.publish('/by-name', key.jwk);
  const got = await getCode(server, { client_id: 'by-name' });
  assert.equal((await redeem(server, got, assertionForm(server, 'by-name', key))).status, 200);
});

for (const [id, [, words]] of Object.entries(useless)) {
  test(`a key server with ${id}: it is not the client's fault, and is over soon`, async () => {
    server.announce(new RegExp(`OAS00687.*${words.source}`));
    server.announce(/OAS00687.*no answer in time/, { maybe: true }); // of one that came late
    const started = Date.now();
    const answers = await several(6, () => ask(id));
    answers.forEach(assertUnavailable);
    assert.ok(Date.now() - started < 15_000, `${Date.now() - started} ms`); // three seconds are allowed
    assert.ok(keyServer.count(`/${id}`) <= processes, `${keyServer.count(`/${id}`)} fetches`);
    assert.ok(keyServer.count(`/${id}`) >= 1);
  });
}

test('an address that is not public, however it is written', async () => {
  const { port } = keyServer;
  const urls = [`http://127.0.0.1:${port}/plain`, `http://localhost:${port}/plain`, `http://[::1]:${port}/plain`, `https://127.1:${port}/`, `https://2130706433:${port}/`,
    `https://0x7f000001:${port}/`, `https://0177.0.0.1:${port}/`, `https://[::ffff:127.0.0.1]:${port}/`, `https://0.0.0.0:${port}/`, 'https://10.255.255.1/keys',
    'https://169.254.169.254/latest/meta-data', 'https://[64:ff9b::a9fe:a9fe]/', 'https://[fd00:ec2::254]/', 'https://192.168.0.1/'];
  const before = keyServer.count('/plain');
  closed.announce(/OAS00687.*not public/);
  for (const [i, url] of urls.entries()) {
    await register(closed, `inside-${i}`, url);
    const seen = closed.log().length;
    assertUnavailable(await ask(`inside-${i}`, key, closed));
    assert.match(closed.log().slice(seen), /OAS00687.*not public/, url);
  }
  assert.equal(keyServer.count('/plain'), before);
});

test('a certificate that is not trusted, a name that is not there', async () => {
  server.announce(/OAS00687.*(certificate|SSL)/i);
  assertUnavailable(await ask('tls'));
  assert.equal(secure.count('/tls'), 0);
  server.announce(/OAS00687.*(resolve|time)/i);
  assertUnavailable(await ask('nowhere'));
});

test('a wrong audience costs no fetch', async () => {
  const form = assertionForm(server, 'quiet', key, { claims: { aud: 'https://elsewhere.example/' } });
  assertError(await token(server, { grant_type: 'client_credentials', ...form }), 401, 'invalid_client');
  assert.equal(keyServer.count('/quiet'), 0);
});

test('a client that rotates its keys is heard at once; unknown keys cost one fetch a minute', async () => {
  keyServer.publish('/rotating', key.jwk);
  for (const answer of await several(16, () => ask('rotating'))) assert.equal(answer.status, 200);
  keyServer.publish('/rotating', next.jwk, key.jwk);
  for (const answer of await several(16, () => ask('rotating', next))) assert.equal(answer.status, 200, answer.text);
  const fetches = keyServer.count('/rotating');
  assert.ok(fetches <= 2 * processes, `${fetches} fetches`);
  for (let i = 0; i < 40; i++) assertError(await ask('rotating', makeKey('ES256', `unknown-${i}`)), 401, 'invalid_client');
  assert.ok(keyServer.count('/rotating') <= 2 * processes, `${keyServer.count('/rotating')} fetches`);
  assert.equal((await ask('rotating')).status, 200);
});

test('a graceful restart forgets a key that was taken out', async () => {
  keyServer.publish('/stolen', key.jwk);
  for (const answer of await several(16, () => ask('stolen'))) assert.equal(answer.status, 200, answer.text);
  keyServer.publish('/stolen', next.jwk);
  assert.ok((await several(8, () => ask('stolen'))).some(({ status }) => status === 200), 'it is remembered');
  await server.reload({ 'test.conf': (text) => `${text}# again\n` });
  for (const answer of await several(8, () => ask('stolen'))) assertError(answer, 401, 'invalid_client');
  assert.equal((await ask('stolen', next)).status, 200);
});

test('known keys are good while their server is ill', async () => {
  keyServer.publish('/flaky', key.jwk);
  for (const answer of await several(24, () => ask('flaky'))) assert.equal(answer.status, 200);
  keyServer.answer('/flaky', sent(500, ''));
  server.announce(/OAS00400.*status 500/, { maybe: true });
  server.announce(/OAS00687.*status 500/, { maybe: true });
  // there may be a newer key, which cannot be told now: each process tries to find out, and fails
  (await several(24, () => ask('flaky', next))).forEach(assertUnavailable);
  const answers = await several(24, () => ask('flaky'));
  assert.ok(answers.some(({ status }) => status === 200), 'no process has kept the keys');
  answers.filter(({ status }) => status !== 200).forEach(assertUnavailable); // of a process that never had them
});

test('a fetch that takes long keeps no connection: others use the only one meanwhile', async () => {
  await register(server, 'db-quick', keyServer.url('/quick'));
  keyServer.publish('/quick', key.jwk);
  await until('the quick ones are known', async () => (await several(12, () => ask('db-quick'))).every(({ status }) => status === 200));
  server.announce(/OAS00687.*no answer in time/, { maybe: true });
  let done;
  for (let tries = 0; tries < 5 && !done; tries++) {
    const path = `/slow-${tries}`;
    await register(server, `db-slow-${tries}`, keyServer.url(path));
    let release;
    const held = new Promise((resolve) => (release = resolve));
    keyServer.answer(path, (request, response) => held.then(() => response.end(keySet(key))));
    let over = false;
    const slow = several(12, () => ask(`db-slow-${tries}`).finally(() => (over = true)));
    await until('it is being fetched', () => keyServer.count(path) > 0);
    const quick = await several(12, () => ask('db-quick'));
    for (const answer of quick) assert.equal(answer.status, 200, answer.text);
    // a fetch ends after three seconds, whatever else the machine does; MPM prefork has to start a process for each of them first
    const meanwhile = !over || process.env.OAS_MPM === 'prefork';
    release();
    const statuses = (await slow).map(({ status }) => status);
    assert.ok(statuses.every((status) => [200, 503].includes(status)), statuses.join());
    assert.ok(keyServer.count(path) <= processes);
    done = meanwhile && statuses.every((status) => status === 200);
  }
  assert.ok(done, 'the others waited each time');
});

test('a client of the database that is disabled is out within five seconds', async () => {
  assert.equal((await ask('db-quick')).status, 200);
  await server.sql("UPDATE oas_clients SET disabled = true WHERE client_id = 'db-quick'");
  const deadline = Date.now() + 5500;
  for (let refused = 0; refused < 20; await sleep(100)) {
    const asked = Date.now();
    const { status } = await ask('db-quick');
    refused = status === 401 ? refused + 1 : 0;
    assert.ok(status === 401 || asked < deadline, 'it is still in');
  }
  await server.sql("UPDATE oas_clients SET disabled = false WHERE client_id = 'db-quick'");
  const { json } = await ask('db-quick');
  assert.equal(decode(json.access_token).claims.client_id, 'db-quick', 'that it was out is not remembered');
});
