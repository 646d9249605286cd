// SPDX-License-Identifier: Apache-2.0
// Back-channel logout: applications are told by the server that a session has ended, within a second, however ill
// other applications are; and never at an address that is not allowed.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { client, decode } from './lib/oauth.mjs';
import { Surfer } from './lib/surfer.mjs';
import { afterUri, own, Receiver, signedIn } from './lib/logout.mjs';

const { createRemoteJWKSet, jwtVerify } = await import('jose');
const receiver = await Receiver.start();

/** A client that is told at /ID, or at another address. */
const told = (id, url = receiver.url(`/${id}`), extra = []) => client(id, { extra: [...own, `OAuth2ASPostLogoutRedirectURI ${afterUri}`, `OAuth2ASBackchannelLogoutURI ${url}`, ...extra] });
const ill = ['hang', 'moved', 'temporary', 'broken', 'closed', 'endless'];
const inside = { six: 'http://[::1]:9/inside', private: 'https://10.1.2.3/inside', metadata: 'https://169.254.169.254/latest' };
const stuck = Array.from({ length: 36 }, (_, i) => `stuck${i}`);
const server = await startInstance({
  conf: stuck.map((id) => told(id, receiver.url('/stuck'))).join('') + ['spa', 'second', 'refusing', 'flaky', 'pairs', 'stays', ...ill].map((id) => told(id)).join('') + Object.entries(inside).map(([id, url]) => told(id, url)).join('') +
    told('es256', receiver.url('/es256'), ['OAuth2ASIDTokenAlg ES256']) + client('untold', { extra: own }) +
    'OAuth2ASOutboundAllow 127.0.0.1/32\nOAuth2ASAuditLog ${OAS_DIR}/audit.log\n',
});
const keys = createRemoteJWKSet(new URL(server.url('.well-known/jwks.json')));
const queued = (where) => server.count('oas_logouts', where);
const audit = () => fs.readFileSync(path.join(server.dir, 'audit.log'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const outcomes = (client_id) => audit().filter((line) => line.event === 'backchannel_logout' && line.client_id === client_id);

async function until(what, condition, time = 60_000) {
  for (const deadline = Date.now() + time; !(await condition()); await sleep(50)) assert.ok(Date.now() < deadline, what);
}

/** Signs a browser in to these clients, all with one session. */
async function signIn(...ids) {
  const surfer = new Surfer(server);
  const tokens = {};
  for (const id of ids) tokens[id] = (await signedIn(server, id, { surfer })).id_token;
  return { surfer, tokens, sid: decode(Object.values(tokens)[0]).claims.sid };
}
const signOut = ({ surfer, tokens }) => surfer.send(server.url('oidc/logout', { id_token_hint: Object.values(tokens)[0], post_logout_redirect_uri: afterUri }));

/** The call by which an application was told that a session has ended, once it was. */
async function calledFor(id, { sid }) {
  const find = () => receiver.at(`/${id}`).find(({ token }) => decode(token).claims.sid === sid);
  await until(`${id} is told of ${sid}`, find);
  return find();
}

/** Signs out; returns after how many milliseconds the last one of these was told. */
async function timeToTell(session, ...ids) {
  const started = Date.now();
  assert.equal((await signOut(session)).status, 302);
  const calls = await Promise.all(ids.map((id) => calledFor(id, session)));
  return Math.max(...calls.map(({ at }) => at)) - started;
}

/** They are told within a second: three times out of five at least, for a busy machine may let one or two wait. */
async function assertSoon(what, ...ids) {
  const late = [];
  for (let good = 0; good < 3; ) {
    const took = await timeToTell(await signIn(...ids), ...ids);
    if (took < 1500) good++;
    else late.push(took);
    assert.ok(late.length < 3, `${what}: ${late.join(', ')} ms`);
  }
}

const HANGS = 5000; // so long an application that does not answer is waited for
/** When the server gave up an attempt to tell an application, and after how many seconds it will try again, as its log says. */
function failureOf(id, attempt) {
  const found = new RegExp(`^\\[\\w+ (\\w+ +\\d+ [\\d:]+)\\.(\\d{3})\\d* (\\d+)\\] .*OAS00968: client ${id} .*, attempt ${attempt}: .*; again in (\\d+) s`, 'm').exec(server.log());
  assert.ok(found, `attempt ${attempt} of ${id} is not in the log`);
  const [, time, fraction, year, delay] = found;
  return { at: Date.parse(`${time} ${year}`) + Number(fraction), delay: Number(delay) };
}

test('every application of the session is told within a second: a logout token as the specification has it', async () => {
  const session = await signIn('spa', 'second', 'es256', 'untold');
  await signIn('spa'); // another browser, which is told of nothing
  assert.equal((await signOut(session)).location.href, afterUri);
  for (const id of ['spa', 'second', 'es256']) {
    const [call] = await receiver.wait(`/${id}`);
    assert.equal(call.method, 'POST');
    assert.equal(call.headers['content-type'], 'application/x-www-form-urlencoded');
    assert.equal(call.headers.cookie, undefined);
    assert.equal(call.body, `logout_token=${call.token}`);
    const { payload, protectedHeader } = await jwtVerify(call.token, keys, { issuer: server.issuer, audience: id, typ: 'logout+jwt', maxTokenAge: '1m' });
    assert.equal(protectedHeader.alg, id === 'es256' ? 'ES256' : 'RS256');
    assert.deepEqual(Object.keys(payload).sort(), ['aud', 'events', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub']);
    assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
    assert.equal(payload.sid, session.sid);
    assert.equal(payload.sub, 'oauth2as|alice');
    assert.ok(payload.exp - payload.iat <= 120);
    assert.match(payload.jti, /^[\w-]{22}$/);
  }
  await until('delivered rows go', async () => (await queued()) === 0);
  await sleep(500);
  for (const id of ['spa', 'second', 'es256']) assert.equal(receiver.at(`/${id}`).length, 1, 'once');
  const [line] = outcomes('spa');
  assert.deepEqual([line.result, line.attempts, line.sid, line.sub], ['delivered', 1, session.sid, 'oauth2as|alice']);
  const logout = audit().find(({ event }) => event === 'logout');
  assert.deepEqual([logout.sid, logout.sub, logout.client_id], [session.sid, 'oauth2as|alice', 'spa']);
  await assertSoon('nothing else to do', 'spa', 'second', 'es256');
});

test('a session that ends in another way is told too', async () => {
  const session = await signIn('stays');
  await signedIn(server, 'stays', { surfer: session.surfer, username: 'bob', password: 'battery staple', params: { prompt: 'login' } });
  const [call] = await receiver.wait('/stays');
  assert.equal(decode(call.token).claims.sid, session.sid);
  assert.equal(decode(call.token).claims.sub, 'oauth2as|alice');
});

test('applications that are ill delay neither the user nor the others', async () => {
  receiver.answer('/hang', () => {});
  receiver.answer('/moved', (response) => response.writeHead(302, { location: receiver.url('/elsewhere') }).end());
  receiver.answer('/temporary', (response) => response.writeHead(307, { location: receiver.url('/elsewhere') }).end());
  receiver.answer('/broken', 500);
  receiver.answer('/closed', (response) => response.destroy());
  receiver.answer('/endless', (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  });
  const session = await signIn(...ill, 'spa', 'second');
  const took = await timeToTell(session, 'spa', 'second');
  assert.ok(took < HANGS, `${took} ms`);
  await assertSoon('while the one hangs, others go on signing out', 'spa', 'second');
  await until('an answer that does not end is one', () => outcomes('endless').length === 1);
  assert.equal(outcomes('endless')[0].result, 'delivered');
});

test('they are tried again, after a second and then later and later, with the same jti', async () => {
  for (const id of ['broken', 'closed', 'moved', 'temporary']) {
    const calls = await receiver.wait(`/${id}`, 3);
    for (const attempt of [1, 2]) {
      const { at, delay } = failureOf(id, attempt);
      assert.equal(delay, attempt);
      assert.ok(calls[attempt].at - at >= 1000 * delay, `${id}: after ${calls[attempt].at - at} ms`);
    }
    assert.equal(new Set(calls.map(({ token }) => decode(token).claims.jti)).size, 1);
    assert.deepEqual(outcomes(id), [], 'nothing is final yet');
  }
  assert.ok(receiver.at('/hang').length >= 1);
  assert.equal(receiver.at('/elsewhere').length, 0, 'no redirect is followed');
  assert.match(server.log(), /OAS00968.*client broken .*the answer has status 500; again in/);
  assert.match(server.log(), /OAS00968.*client moved .*the answer has status 302/);
  receiver.answer('/broken', 200);
  await until('well again', () => outcomes('broken').length === 1);
  const { attempts } = outcomes('broken')[0];
  assert.ok(attempts >= 4, `${attempts} attempts`);
});

test('an application that says 400 is not asked again', async () => {
  receiver.answer('/refusing', (response) => response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_request"}'));
  server.announce(/OAS00967.*client refusing .*status 400/);
  await signOut(await signIn('refusing'));
  await until('it is final', () => outcomes('refusing').length === 1);
  assert.deepEqual([outcomes('refusing')[0].result, outcomes('refusing')[0].reason], ['failed', 'the answer has status 400']);
  assert.equal(await queued("client_id = 'refusing'"), 0);
  await sleep(1500);
  assert.equal(receiver.at('/refusing').length, 1);
});

test('what cannot be delivered in two hours is given up', async () => {
  receiver.answer('/flaky', 503);
  await signOut(await signIn('flaky'));
  await receiver.wait('/flaky');
  server.announce(/OAS00967.*client flaky .*status 503/);
  await until('it waits', async () => (await queued("client_id = 'flaky' AND leased_until IS NULL")) === 1);
  await server.sql("UPDATE oas_logouts SET attempts = 12, due_at = clock_timestamp(), purge_after = clock_timestamp() + interval '15 minutes' WHERE client_id = 'flaky'");
  await until('it is final', () => outcomes('flaky').length === 1);
  assert.equal(outcomes('flaky')[0].attempts, 13);
  assert.equal(await queued("client_id = 'flaky'"), 0);
});

test('addresses that are not public are not reached', async () => {
  await signOut(await signIn(...Object.keys(inside)));
  await until('each was tried', async () => (await queued("client_id IN ('six', 'private', 'metadata') AND attempts >= 1 AND leased_until IS NULL")) === 3);
  for (const id of Object.keys(inside)) assert.match(server.log(), new RegExp(`OAS00968.*client ${id} .*not public`));
  await server.sql("DELETE FROM oas_logouts WHERE client_id IN ('six', 'private', 'metadata')");
});

test('many at once, four at a time for one application', async () => {
  let now = 0;
  let most = 0;
  receiver.answer('/pairs', (response) => {
    most = Math.max(most, ++now);
    setTimeout(() => {
      now--;
      response.writeHead(200).end();
    }, 100);
  });
  const sessions = [];
  for (let i = 0; i < 16; i++) sessions.push(await signIn('pairs'));
  await Promise.all(sessions.map(signOut));
  await receiver.wait('/pairs', 16);
  await until('all are delivered', async () => (await queued("client_id = 'pairs'")) === 0);
  assert.equal(new Set(receiver.at('/pairs').map(({ token }) => decode(token).claims.sid)).size, 16);
  assert.ok(most > 1 && most <= 4, `${most} at a time`);
});

test('however many applications hang, with however long a backlog, the others are told within a second', async () => {
  const open = new Set();
  let most = 0;
  receiver.answer('/stuck', (response) => {
    open.add(response);
    most = Math.max(most, open.size);
    response.on('close', () => open.delete(response));
  });
  const session = await signIn('spa');
  const fill = (ids, attempts) =>
    server.sql(`INSERT INTO oas_logouts (client_id, session_id, sub, attempts, due_at, purge_after)
      SELECT id, gen_random_uuid(), 'oauth2as|alice', ${attempts}, clock_timestamp() - interval '1 minute', clock_timestamp() + interval '1 hour'
      FROM unnest('{${ids.join()}}'::text[]) AS id, generate_series(1, 30)`);
  await fill(stuck.slice(0, 16), 0);
  await until('the first of sixteen and what may go beyond', () => most === 48);
  const took = await timeToTell(session, 'spa');
  assert.ok(took < HANGS, `sixteen that have just begun to hang: ${took} ms`);
  await fill(stuck.slice(16), 3); // and twenty that have hung for a while
  await until('all sixteen have failed', async () => (await queued("client_id = 'stuck0' AND attempts > 0 AND leased_until IS NULL")) > 0);
  await until('those that fail hold half of the places, and no more', async () => open.size === 32 && (await queued('leased_until > clock_timestamp()')) === 32);
  await assertSoon('thirty-six that hang', 'spa');
  await server.sql("DELETE FROM oas_logouts WHERE client_id LIKE 'stuck%'");
});

test('two nodes: each logout is delivered once', async () => {
  await server.neighbour();
  const before = receiver.at('/second').length;
  const sessions = [];
  for (let i = 0; i < 12; i++) sessions.push(await signIn('second'));
  await Promise.all(sessions.map(signOut));
  await receiver.wait('/second', before + 12);
  await sleep(1500);
  assert.equal(receiver.at('/second').length, before + 12);
});

test('a graceful restart loses none', async () => {
  await server.sql('DELETE FROM oas_logouts');
  let open = true;
  receiver.answer('/hang', (response) => open || response.writeHead(200).end());
  const before = receiver.at('/hang').length;
  await signOut(await signIn('hang'));
  await receiver.wait('/hang', before + 1);
  open = false;
  await server.reload({ 'test.conf': (text) => `${text}# again\n` });
  await until('it was delivered by the next generation, or the other node', async () => outcomes('hang').some(({ result }) => result === 'delivered'), 20_000); // sooner than the lease ends
});
