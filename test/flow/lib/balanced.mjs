// SPDX-License-Identifier: Apache-2.0
// What holds behind every balancer of docs/load-balancers.md, as tests: who the user is, whose certificate it is, and that
// no request is lost when a node leaves, comes back or dies.
import test, { after, before, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently, startInstance, until } from './instance.mjs';
import { findAway, metricsConf, untilFoundBack } from './away.mjs';
import { startBalancer } from './balancer.mjs';
import { makeCertificates, thumbprint } from './certificate.mjs';
import { recipe } from './recipe.mjs';
import { keepRunning } from './load.mjs';
import { request } from './http.mjs';
import { Surfer } from './surfer.mjs';
import { authorization, authorizeUrl, client, decode, getCode, offline, redeem, refresh, userinfo } from './oauth.mjs';

export const page = 'load-balancers.md';
// What the store, mod_dbd and the endpoints may say while the database is away, and nothing else.
const away = /OAS00[0-46]\d\d|OAS005\d\d|OAS007\d\d|OAS0083\d|AH006(?:29|3\d)|dbd/i;
const machine = (id, lines) => ['<OAuth2ASClient "' + id + '">', 'OAuth2ASType machine', 'OAuth2ASAllow https://api.example.test/ read:items', 'OAuth2ASRequire mtls', ...lines, '</OAuth2ASClient>'].join('\n');
const content = `
  OAuth2ASAuditLog \${OAS_DIR}/audit.log
  ${metricsConf}
  OAuth2ASThrottle pair=1000 account=1000 address=5 max=10min
  ${client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] })}
  ${client('strict', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASRefreshReuseWindow 0'] })}
  ${machine('named', ['OAuth2ASClientAuth tls_client_auth', 'OAuth2ASClientCertificate "subject=CN=shop,O=Example"'])}
  ${machine('own', ['OAuth2ASClientAuth self_signed_tls_client_auth', 'OAuth2ASClientKeys file:${OAS_DIR}/own.json'])}
`;

/** What a recipe puts into the virtual host that test/instance makes. The drain file is each node's own. */
export const inside = (name, places) =>
  recipe(name, { '/etc/apache2/oauth2as/drain': 'drain', ...places }, page)
    .split('\n')
    .filter((line) => !/^Listen|^<\/?VirtualHost|^ +ServerName/.test(line))
    .join('\n');

/** Two nodes without a balancer; `certificates` are of clients. */
export async function startNodes(conf, args = []) {
  let certificates;
  const server = await startInstance({
    nodes: 2,
    args: ['--tls', '--balancer', 'none', '--module', 'authz_host', '--keys', 'RS256,ES256', ...args],
    prepare: (dir) => (certificates = makeCertificates(dir)),
    conf: conf + content,
  });
  server.certificates = certificates;
  return server;
}

/**
 * Two nodes that speak http, as the page has them for a balancer that ends TLS.
 * @returns the instance, its `port`, and `files`: what a recipe in that folder needs, by what it is called there
 */
export async function startPlainNodes() {
  const server = await startNodes(inside('node', { '10.0.0.5': '127.0.0.1' }), ['--plain']);
  const own = `${server.dir}/httpd`;
  fs.writeFileSync(`${own}/both.pem`, ['pem', 'key'].map((part) => fs.readFileSync(`${own}/server.${part}`, 'utf8')).join(''));
  server.port = new URL(server.issuer).port;
  server.files = (folder, certificate) => ({
    [`${folder}/login.example.com.pem`]: `${own}/${certificate}`,
    [`${folder}/clients.pem`]: `${server.dir}/clients.pem`,
    ...(certificate === 'server.pem' && { [`${folder}/login.example.com.key`]: `${own}/server.key` }),
    'login.example.com': 'localhost',
  });
  return server;
}

/** Lines of a node's access log that match. */
const served = (node, pattern = /POST \/oauth\/token /) => fs.readFileSync(`${node.home}/access.log`, 'utf8').split('\n').filter((line) => pattern.test(line)).length;

/** Returns when requests reach these nodes and no other one. None of those that it makes meanwhile may fail. */
function untilServedBy(server, nodes) {
  const counts = () => server.nodes.map((node) => served(node, /jwks\.json/));
  return until(`requests reach ${nodes.length} of the nodes`, async () => {
    const before = counts();
    for (let i = 0; i < 12; i++) assert.equal((await request(server.url('.well-known/jwks.json'), { ca: server.ca })).status, 200);
    const after = counts();
    return server.nodes.every((node, i) => after[i] > before[i] === nodes.includes(node));
  });
}

const ask = (server, id, options) => request(server.url('oauth/token'), { ca: server.ca, ...options, form: { grant_type: 'client_credentials', client_id: id, audience: 'https://api.example.test/' } });
const refused = (answer) => assert.deepEqual([answer.status, answer.json.error], [401, 'invalid_client']);

/** A browser at an address of its own, which says that it is at another one. */
class At extends Surfer {
  constructor(server, address) {
    super(server);
    this.address = address;
  }

  send(url, options = {}) {
    return super.send(url, { ...options, localAddress: this.address, headers: { ...options.headers, 'x-forwarded-for': '198.51.100.66', forwarded: 'for=198.51.100.66' } });
  }

  async signIn(username, password) {
    return this.submit(await this.go(authorizeUrl(this.instance, authorization({ prompt: 'login' }).params)), { username, password });
  }
}

async function oneRound(server) {
  const tokens = await offline(server);
  let { refresh_token } = tokens;
  for (let i = 0; i < 3; i++) {
    const answer = await refresh(server, refresh_token);
    assert.equal(answer.status, 200, answer.text);
    ({ refresh_token } = answer.json);
  }
  assert.equal((await userinfo(server, tokens.access_token)).status, 200);
}

export function signsIn(server) {
  test('a login, its code and its refresh tokens go to whichever node', async () => {
    const before = server.nodes.map((node) => served(node));
    for (let i = 0; i < 3; i++) await oneRound(server);
    server.nodes.forEach((node, i) => assert.ok(served(node) > before[i], `node ${i + 1} has served none`));
  });

  test('an answer with long headers passes', async () => {
    const state = 'x'.repeat(2000);
    const got = await getCode(server, { state, response_mode: 'fragment' });
    assert.equal(got.error, undefined, got.error_description);
    assert.equal(got.state, state);
    assert.equal((await redeem(server, got)).status, 200);
  });
}

export function knowsTheUser(server) {
  test('throttling and the audit log see the user, whatever the user says', async () => {
    await server.sql('DELETE FROM oas_throttle');
    for (let i = 0; i < 6; i++) await new At(server, '127.0.0.7').signIn(`nobody${i}`, 'wrong');
    const longer = await server.sql("UPDATE oas_throttle SET waiting_until = waiting_until + interval '10 minutes' WHERE waiting_until IS NOT NULL RETURNING 1");
    assert.equal(longer.length, 1, 'one address waits, only longer than this test takes');
    assert.equal((await new At(server, '127.0.0.7').signIn('alice', 'correct horse')).status, 429);
    const elsewhere = await new At(server, '127.0.0.8').signIn('alice', 'correct horse');
    assert.notEqual(elsewhere.status, 429);
    const events = fs.readFileSync(`${server.dir}/audit.log`, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    const failed = events.filter(({ event }) => event === 'login_failed').slice(-6);
    assert.deepEqual(failed.map(({ address }) => address), Array(6).fill('127.0.0.7'));
    assert.equal(events.findLast(({ event }) => event === 'login').address, '127.0.0.8');
    await server.sql('DELETE FROM oas_throttle');
  });
}

export function knowsTheCertificate(server) {
  test("a client's certificate counts, one that somebody only names does not", async () => {
    const { named, own } = server.certificates;
    const forged = { 'x-client-cert': `:${named.der.toString('base64')}:`, 'x-client-verify': 'SUCCESS' };
    for (const [id, { pem, key, der }] of Object.entries({ named, own })) {
      const answer = await ask(server, id, { cert: pem, key });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(decode(answer.json.access_token).claims.cnf, { 'x5t#S256': thumbprint({ der }) });
    }
    refused(await ask(server, 'named', {}));
    refused(await ask(server, 'named', { cert: own.pem, key: own.key })); // the same subject, by nobody
    refused(await ask(server, 'named', { headers: forged }));
    refused(await ask(server, 'named', { headers: forged, cert: own.pem, key: own.key }));
  });
}

/** Where the nodes can be reached past the balancer. */
export function believesTheBalancerOnly(server) {
  test('at a node a header with a certificate counts from the balancer only', async () => {
    const headers = { 'x-client-cert': `:${server.certificates.named.der.toString('base64')}:`, 'x-client-verify': 'SUCCESS' };
    for (const node of server.nodes) refused(await ask({ url: node.url }, 'named', { headers, localAddress: '127.0.0.9' }));
  });
}

export function drains(server) {
  test('a node that is drained, stopped and started again costs no request', async (t) => {
    const [first, second] = server.nodes;
    const stop = keepRunning(t, () => oneRound(server), 2);
    fs.writeFileSync(`${second.home}/drain`, '');
    await untilServedBy(server, [first]);
    await sleep(1000); // what it has begun
    await server.stopNode(second);
    await server.startNode(second);
    fs.unlinkSync(`${second.home}/drain`);
    await untilServedBy(server, [first, second]);
    const { good, bad } = await stop();
    assert.deepEqual(bad, []);
    assert.ok(good > 0);
  });
}

/** Ends what keepRunning() began: nothing was bad. */
async function endGood(stops) {
  for (const { good, bad } of await Promise.all(stops.map((stop) => stop()))) {
    assert.deepEqual(bad, []);
    assert.ok(good > 0);
  }
}

/** Restarts all nodes at once, again and again; returns when the last of their old processes has ended. */
async function restartNodes(server, times) {
  for (let i = 0; i < times; i++) {
    const old = new Set(await server.children());
    for (const { pid } of server.nodes) process.kill(pid, 'SIGUSR1');
    await until('the old processes end', async () => !(await server.children()).some((pid) => old.has(pid)));
  }
}

export function restartsGracefully(server) {
  test('graceful restarts of the nodes under load cost no request', async (t) => {
    const { access_token } = await offline(server);
    const agent = new https.Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const stops = [
      keepRunning(t, () => oneRound(server), 2),
      // an application that keeps its connections: those to the nodes are not kept with them
      keepRunning(t, async () => assert.equal((await userinfo(server, access_token, { agent, method: 'POST' })).status, 200), 8),
    ];
    await restartNodes(server, 3);
    await endGood(stops);
  });
}

/** Where TLS is passed on: a connection that a client keeps is one to a node, which closes it when it restarts. */
export function restartsBeneathConnections(server) {
  test('graceful restarts cost nothing who makes a new connection; on one that is kept a request may meet its end, and is good on another one', async (t) => {
    const agent = new https.Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    let repeated = 0;
    /** As browsers and HTTP libraries do: what had no byte of an answer on a connection used before goes to a new one. */
    const persistently = (send) =>
      send({ agent }).catch((error) => {
        if (!error.unanswered) throw error;
        repeated++;
        return send({});
      });
    const { access_token } = await offline(server);
    const read = async () => assert.equal((await persistently((options) => userinfo(server, access_token, options))).status, 200);
    /** Nobody forgives this one a second use: what had no answer was not read. */
    const rotation = async () => {
      const strictly = { client_id: 'strict' };
      let { refresh_token } = await offline(server, strictly, strictly);
      return async () => {
        const form = { grant_type: 'refresh_token', refresh_token, ...strictly };
        const answer = await persistently((options) => request(server.url('oauth/token'), { ca: server.ca, form, ...options }));
        assert.equal(answer.status, 200, answer.text);
        ({ refresh_token } = answer.json);
      };
    };
    const rotations = await Promise.all([rotation(), rotation()]);
    const stops = [keepRunning(t, () => oneRound(server), 2), keepRunning(t, read, 6), ...rotations.map((round) => keepRunning(t, round, 1))];
    await restartNodes(server, 3);
    await endGood(stops);
    console.log(`${repeated} requests on kept connections repeated in three restarts of both nodes`);
  });
}

export function survives(server) {
  test('a node that has gone is noticed by the requests that do not reach it', async () => {
    const [first, second] = server.nodes;
    await server.stopNode(second, 'SIGTERM');
    await untilServedBy(server, [first]);
    await oneRound(server);
    await server.startNode(second);
    await untilServedBy(server, [first, second]);
  });
}

/** Returns when all processes that requests may meet have found the database back, most of them because they were asked. */
async function untilAskedBack(ready) {
  await until('every process of the nodes is ready', async () => (await Promise.all(Array.from({ length: 24 }, ready))).every(Boolean));
}

/** Where the nodes can be reached past the balancer: the processes of both have found out by themselves. */
async function untilReadyUnasked(ready, server) {
  await untilFoundBack(server);
  assert.deepEqual(await Promise.all(Array.from({ length: 24 }, ready)), Array(24).fill(true));
}

const truth = (untilBack, goesAway = () => {}) => (server) =>
  test('while the database is away clients hear so from the nodes, and service is back when it is', async () => {
    const { refresh_token } = await offline(server);
    server.announce(away, { maybe: true });
    await server.postgres('stop', 'immediate');
    const began = Date.now();
    do {
      const answer = await refresh(server, refresh_token);
      assert.equal(answer.status, 503, answer.text);
      assert.equal(answer.json.error, 'temporarily_unavailable');
      assert.ok(Number(answer.headers['retry-after']) >= 1);
      await sleep(100);
    } while (Date.now() - began < 1500); // in which every balancer has noticed
    await goesAway(server);
    await server.postgres('start');
    const ready = async () => (await request(server.url('oauth2as/ready'), { ca: server.ca })).status === 200;
    await untilBack(ready, server);
    assert.equal((await patiently(() => refresh(server, refresh_token))).status, 200, 'nothing was lost');
  });

export const tellsTheTruth = truth(untilAskedBack);
const tellsTheTruthEverywhere = truth(untilReadyUnasked, findAway);

export function keepsStrangersOut(server) {
  test('strangers do not learn how the node is', async () => {
    for (const where of ['ready', 'health']) assert.equal((await request(server.url(`oauth2as/${where}`), { ca: server.ca, localAddress: '127.0.0.7' })).status, 403);
    server.announce(/AH01630/);
  });
}

/** The tests `shows` behind one balancer. */
export function behind(server, kind, conf, shows) {
  describe(kind, () => {
    let balancer;
    before(async () => (balancer = await startBalancer(server, kind, conf)));
    after(() => balancer.stop());
    for (const show of shows) show(server);
  });
}

/** A balancer that ends TLS before `server`, by its recipe; `places` are its own, the nodes' are known. */
export function endsTls(server, kind, places, shows) {
  const [one, two] = server.nodes.map((node) => new URL(node.url()).port);
  const all = { '10.0.0.11:8080': `127.0.0.1:${one}`, '10.0.0.12:8080': `127.0.0.1:${two}`, ...places };
  behind(server, kind, recipe(kind, all, page), [signsIn, knowsTheUser, knowsTheCertificate, believesTheBalancerOnly, keepsStrangersOut, ...shows, tellsTheTruthEverywhere]);
}
